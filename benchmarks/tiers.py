"""How well the simulator's tiers agree: five scenarios on real daemons (1), on their brains (2), and as arrays (3).

    python -m benchmarks.tiers [--json] [--only CASE] [--engines fleet,quick,scale] [--rng-seed N]

The claim: the last host's time on tier 1 is within 5 % of tier 3. Exit code 1 when it is not. A minute or two.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict

from sim.validation.tiers import CASES, ENGINES, TOLERANCE, Row, run_case


def main() -> int:
    """Measure all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", metavar="CASE", choices=list(CASES), help="one case")
    parser.add_argument("--engines", default=",".join(ENGINES), help="some of fleet, quick, scale")
    parser.add_argument("--rng-seed", type=int, default=1)
    given = parser.parse_args()
    wide = max(map(len, CASES))
    rows: list[dict[str, object]] = []
    apart = 0
    if not given.json:
        head = f"{'engine':8}{'bound s':>8}{'p50':>8}{'last':>8}{'to tier 3':>11}{'copies':>8}{'twice':>8}{'CPU s':>8}"
        print(f"{'':{wide}} {head}")
    for case in [given.only] if given.only else CASES:
        found: dict[str, Row] = {}
        for engine in reversed(given.engines.split(",")):
            began = time.process_time()
            row = found[engine] = run_case(case, engine, given.rng_seed)
            cpu_s = time.process_time() - began
            gap = row.last_s / found["scale"].last_s - 1 if "scale" in found else float("nan")
            apart += engine == "fleet" and abs(gap) > TOLERANCE
            rows.append(asdict(row) | {"gap": gap, "cpu_s": round(cpu_s, 2)})
            if not given.json:
                times = f"{row.bound_s:8.1f}{row.p50_s / row.bound_s:8.3f}{row.last_s / row.bound_s:8.3f}"
                costs = f"{row.seeder_copies:8.3f}{row.wasted_share:8.2%}{cpu_s:8.1f}"
                print(f"{case:{wide}} {engine:8}{times}{gap:+11.1%}{costs}")
    if given.json:
        print(json.dumps({"tolerance": TOLERANCE, "rows": rows}))
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
