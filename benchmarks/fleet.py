"""What tier 1 of the simulator costs: real daemons that fetch one release, in one process, on virtual time.

    python -m benchmarks.fleet [--daemons 200] [--chunks 2000] [--chunk-kib 4096] [--gbit-per-s 10]
                               [--interpreted] [--turns] [--json]

Chunks and the hosts' links are diluted alike (`docs/simulator.md`), so times are the real ones; and chunks travel in as
many parts as in a scenario. What is not compiled yet is compiled first, if it can be; the trace is the same in both
forms. The claim: 200 daemons finish a release of 2,000 chunks in 60 s of one core. What makes a run
dearer is time that passes between two pieces, for more is told meanwhile: large chunks, and slow links.
"""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Final

from .compiling import can_be_compiled

CLAIM_CPU_S: Final = 60.0
CLAIM_FLEET: Final = (200, 2_000)


def main() -> int:
    """0 when the claim was kept (it is of one size of fleet; others are only measured)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daemons", type=int, default=CLAIM_FLEET[0])
    parser.add_argument("--chunks", type=int, default=CLAIM_FLEET[1])
    parser.add_argument("--chunk-kib", type=int, default=4096, help="size of a chunk (default: 4096, as hosts have)")
    parser.add_argument("--gbit-per-s", type=float, default=10.0, help="of each host's link (default: 10)")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--interpreted", action="store_true", help="run the sources")
    parser.add_argument("--turns", action="store_true", help="also count the turns of tasks (a little slower)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.chunk_kib < 1:
        parser.error("a chunk has at least 1 KiB")
    if not given.interpreted and can_be_compiled("fleet"):
        from sim.native import GROUPS, serve

        serve(GROUPS["fleet"])
    from .fleet_cost import measure

    size, seed = given.chunk_kib, given.rng_seed
    cost = measure(given.daemons, given.chunks, given.gbit_per_s, chunk_kib=size, rng_seed=seed, count=given.turns)
    claimed = (given.daemons, given.chunks) == CLAIM_FLEET
    if given.json:
        print(json.dumps(asdict(cost) | {"claim_cpu_s": CLAIM_CPU_S if claimed else None}))
    else:
        form = "compiled" if cost.compiled else "interpreted"
        print(f"{cost.daemons} daemons, {cost.chunks} chunks: {cost.cpu_s:.1f} s of a core, {form}")
        print(f"simulated {cost.simulated_s:.1f} s, {cost.over_bound:.2f} x what the links allow")
        turns = f", {cost.turns_per_delivery:.1f} turns of tasks" if given.turns else ""
        print(
            f"per delivery: {cost.ms_per_delivery:.3f} ms, {cost.messages_per_delivery:.1f} messages, "
            f"{cost.events_per_delivery:.1f} events of the network{turns}"
        )
        print(f"trace {cost.trace[:16]}")
    return 1 if claimed and cost.cpu_s > CLAIM_CPU_S else 0


if __name__ == "__main__":
    sys.exit(main())
