"""What tier 1 of the simulator costs: real daemons that fetch one release, in one process, on virtual time.

    python -m benchmarks.fleet [--daemons 200] [--chunks 2000] [--gbit-per-s 10] [--turns] [--json]

Chunks have 4 MiB; they and the hosts' links are diluted alike (`docs/simulator.md`), so times are the real ones, and
travel in as many parts as in a scenario. The
claim: 200 daemons finish a release of 2,000 chunks in 60 s of one core. Slower links make a run dearer, for the same
pieces take longer: more is told in between.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final

import trio

from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from sim.fleet.plan import Access, FleetPlan
from sim.fleet.releases import PRODUCT
from sim.plan import parts_of
from tracker.client import connect

CLAIM_CPU_S: Final = 60.0
CLAIM_FLEET: Final = (200, 2_000)
CHUNK_BYTES: Final = 4 * 2**20
DILUTION: Final = 4096
"""The smallest piece that is still told from a message: 1 KiB."""
GRAIN_S: Final = 0.001
LOOK_S: Final = 0.25
GIVE_UP_S: Final = 3_600.0


class Turns(trio.abc.Instrument):
    """Counts what the scheduler does: each turn is one step of one task."""

    def __init__(self) -> None:
        self.turns = 0
        self.tasks = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """A task goes on."""
        self.turns += 1

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """A task begins."""
        self.tasks += 1


@dataclass(frozen=True)
class Cost:
    """Of one run. `over_bound`: what the deploy took to what the links allow. `..._per_delivery`: of one chunk that
    arrived at one host. Turns and tasks are 0 unless they were counted."""

    daemons: int
    chunks: int
    cpu_s: float
    simulated_s: float
    over_bound: float
    deliveries: int
    ms_per_delivery: float
    messages_per_delivery: float
    events_per_delivery: float
    turns_per_delivery: float
    tasks_per_delivery: float
    trace: str


def measure(daemons: int, chunks: int, gbit_per_s: float, *, rng_seed: int = 1, count: bool = False) -> Cost:
    """Run once. `count` the scheduler's turns, which costs some time of its own."""
    rate = gbit_per_s * 1e9 / 8 / DILUTION
    link = Access(rate, rate)
    plan = FleetPlan(
        pieces=chunks, piece_bytes=CHUNK_BYTES // DILUTION, diluted=True, dilution=DILUTION,
        parts=parts_of(CHUNK_BYTES, rate * DILUTION), daemons=daemons, daemon=link, seeder=link, grain_s=GRAIN_S,
    )  # fmt: skip
    turns = Turns()
    with fleet_of(plan, rng_seed) as fleet:
        began = time.process_time()
        simulated_s = fleet.clock.run(_deploy, fleet, turns if count else None, rng_seed=rng_seed)
        cpu_s = time.process_time() - began
        deliveries = daemons * chunks
        return Cost(
            daemons, chunks, cpu_s, simulated_s, simulated_s * rate / plan.size_bytes, deliveries,
            1e3 * cpu_s / deliveries, fleet.trace.lines / deliveries, fleet.clock.events / deliveries,
            turns.turns / deliveries, turns.tasks / deliveries, fleet.trace.digest(),
        )  # fmt: skip


async def _deploy(fleet: Fleet, turns: Turns | None) -> float:
    """Start everything and deploy; virtual seconds until the last daemon runs the release."""
    async with trio.open_nursery() as nursery:
        await fleet.run(nursery)
        await trio.sleep(2)
        address = f"{GLOBAL_TRACKER}:8470"
        async with connect(fleet.operator, address, by=fleet.operator.name, fleet=FLEET) as operator:
            await operator.deploy(PRODUCT, f"{PRODUCT}@1.0")
        began = trio.current_time()
        if turns is not None:
            trio.lowlevel.add_instrument(turns)
        with trio.fail_after(GIVE_UP_S):
            while not all(_runs(fleet, name) for name in fleet.daemons):  # noqa: ASYNC110 - daemons have no such event
                await trio.sleep(LOOK_S)
        simulated_s = trio.current_time() - began
        nursery.cancel_scope.cancel()
    return simulated_s


def _runs(fleet: Fleet, name: str) -> bool:
    daemon = fleet.daemons[name].running
    return daemon is not None and all(status["state"] == "VERIFIED" for status in daemon.updates.status())


def main() -> int:
    """0 when the claim was kept (it is of one size of fleet; others are only measured)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daemons", type=int, default=CLAIM_FLEET[0])
    parser.add_argument("--chunks", type=int, default=CLAIM_FLEET[1])
    parser.add_argument("--gbit-per-s", type=float, default=10.0, help="of each host's link (default: 10)")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--turns", action="store_true", help="also count the turns of tasks (a little slower)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    cost = measure(given.daemons, given.chunks, given.gbit_per_s, rng_seed=given.rng_seed, count=given.turns)
    claimed = (given.daemons, given.chunks) == CLAIM_FLEET
    if given.json:
        print(json.dumps(asdict(cost) | {"claim_cpu_s": CLAIM_CPU_S if claimed else None}))
    else:
        print(f"{cost.daemons} daemons, {cost.chunks} chunks: {cost.cpu_s:.1f} s of a core")
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
