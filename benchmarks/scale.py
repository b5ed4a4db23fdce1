"""The claims of tier 3, measured: what the large scenarios cost, and how near to the bound they end.

    python benchmarks/scale.py [--json] [--only NAME]

Each row runs in a process of its own, one after the other. Time is CPU time, memory the peak resident size, both with
the loading of compiled code; the first run ever also compiles (some 30 s), so run a small scenario before.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Mapping

FLAGSHIP = "code-deploy-10gb-100k"
EQUAL = {"hosts.downlink_bytes_per_s": "1 Gbit/s"}
DYING = {"hosts.dying_share": 0.01, "hosts.dying_by_s": "80 s"}
CASES: Mapping[str, tuple[str, Mapping[str, object], Mapping[str, float]]] = {
    "downlinks 10 % above uplinks": (
        FLAGSHIP,
        {},
        {
            "last_over_bound": 1.10,
            "p99_over_bound": 1.06,
            "copies_into_region_max": 1.3,
            "origin_copies_per_region": 1.5,
        },
    ),
    "downlinks as fast as uplinks": (FLAGSHIP, EQUAL, {"last_over_bound": 1.15, "copies_into_region_max": 1.3}),
    "1 % of the hosts dying": (FLAGSHIP, DYING, {"p99_over_bound": 1.25, "copies_into_region_max": 1.3}),
    "500 million devices, 7 days": ("os-rollout-500m", {}, {}),
}
"""Scenario, changed settings, and the most that a fact may be."""
CPU_S_MAX = 60.0
RSS_BYTES_MAX = 1e9
SHOWN = ("last_over_bound", "p99_over_bound", "copies_into_region_max", "origin_copies_per_region", "downloading_max")


def measure(name: str) -> dict[str, object]:
    """Run one case in this process."""
    import sim
    from sim.scenario import changed, load_table

    scenario, settings, claims = CASES[name]
    table = load_table(scenario)
    for key, value in settings.items():
        table = changed(table, key, value)
    facts = sim.run(table).facts
    used = resource.getrusage(resource.RUSAGE_SELF)
    broken = [f"{key} {facts[key]:.3f} > {most}" for key, most in claims.items() if facts[key] > most]
    return {
        "case": name,
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "rss_bytes": used.ru_maxrss * 1024,
        "facts": dict(facts),
        "broken_claims": broken,
    }


def main() -> int:
    """Measure all cases; 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", metavar="NAME", choices=list(CASES), help="one case, in this process")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only)))
        return 0
    rows = []
    for name in CASES:
        command = [sys.executable, __file__, "--only", name]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(row)
        if not arguments.json:
            facts = ", ".join(f"{key} {row['facts'][key]:.4g}" for key in SHOWN if key in row["facts"])
            print(f"{name}: {row['cpu_s']} s, {row['rss_bytes'] / 1e6:.0f} MB; {facts} {row['broken_claims'] or ''}")
    if arguments.json:
        print(json.dumps({"cpu_s_max": CPU_S_MAX, "rss_bytes_max": RSS_BYTES_MAX, "cases": rows}))
    fits = all(row["cpu_s"] <= CPU_S_MAX and row["rss_bytes"] <= RSS_BYTES_MAX for row in rows)
    return 0 if fits and not any(row["broken_claims"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
