"""What tier 2 of the simulator costs: the daemon's brains on a heap, without its bodies.

    python -m benchmarks.quick [--json] [--only NAME]

A message is what crosses a link: each message of the peer wire, and each block of a piece (of a large piece the parts
that it really travels in here, which are fewer). Each case runs in a process of its own; time is CPU time of one core,
memory the peak resident size. The claim: 100,000 messages a second, and 10,000 peers in 8 GB.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

MESSAGES_PER_S_MIN: Final = 100_000
RSS_BYTES_MAX: Final = 8e9
MIB: Final = 2.0**20
CASES: Final[Mapping[str, tuple[int, int]]] = {
    "100 peers, 1,000 pieces": (100, 1_000),
    "1,000 peers, 100 pieces": (1_000, 100),
    "10,000 peers, 32 pieces": (10_000, 32),
}
"""Peers at 1 Gbit/s, and pieces of 1 MiB."""


def table_of(name: str) -> dict[str, Any]:
    """The case as a scenario."""
    peers, pieces = CASES[name]
    return {
        "name": name,
        "engine": "quick",
        "content": {"size_bytes": pieces * MIB, "chunk_bytes": MIB},
        "hosts": {"count": peers, "uplink_bytes_per_s": "1 Gbit/s", "downlink_bytes_per_s": "1.1 Gbit/s",
                  "latency_s": "5 ms"},
        "origin": {"uplink_bytes_per_s": 0},
        "seeders": {"per_region": 1, "uplink_bytes_per_s": "10 Gbit/s"},
    }  # fmt: skip


def measure(name: str) -> dict[str, Any]:
    """Run one case in this process."""
    import sim
    import sim.quick.engine

    began = time.process_time()
    facts = sim.run(table_of(name)).facts
    cpu_s = time.process_time() - began
    return {
        "case": name,
        "cpu_s": round(cpu_s, 1),
        "messages": facts["messages"],
        "messages_per_s": round(facts["messages"] / cpu_s),
        "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "completed": facts["completed"],
        "last_over_bound": facts.get("last_over_bound", 0.0),
    }


def main() -> int:
    """Measure all cases; 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", metavar="NAME", choices=list(CASES), help="one case, in this process")
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given.only)))
        return 0
    rows = []
    for name in CASES:
        command = [sys.executable, "-m", "benchmarks.quick", "--only", name]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(row)
        if not given.json:
            print(
                f"{name}: {row['messages_per_s']:,} messages/s, {row['cpu_s']} s, {row['rss_bytes'] / 1e6:,.0f} MB, "
                f"last {row['last_over_bound']:.3f} x the bound"
            )
    if given.json:
        limits = {"messages_per_s_min": MESSAGES_PER_S_MIN, "rss_bytes_max": RSS_BYTES_MAX}
        print(json.dumps(limits | {"cases": rows}))
    fast = max(row["messages_per_s"] for row in rows) >= MESSAGES_PER_S_MIN
    return 0 if fast and all(row["rss_bytes"] <= RSS_BYTES_MAX for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
