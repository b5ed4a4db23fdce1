"""One measured run of tier 1: a fleet of real daemons, one release, the processor time that it took.

Importing this imports the daemon: what is to be machine code must be served before (`sim.native`).
"""

import time
from dataclasses import dataclass
from typing import Final

import trio

from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from sim.fleet.plan import Access, FleetPlan
from sim.fleet.releases import PRODUCT
from sim.native import compiled
from sim.plan import parts_of
from tracker.client import connect

DILUTED_BYTES: Final = 1024
"""Of a chunk: the smallest piece that is still told from a message."""
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
    compiled: bool


def measure(
    daemons: int, chunks: int, gbit_per_s: float, *, chunk_kib: int = 4096, rng_seed: int = 1, count: bool = False
) -> Cost:
    """Run once. `count` the scheduler's turns, which costs some time of its own."""
    chunk_bytes = chunk_kib * 1024
    dilution = chunk_bytes // DILUTED_BYTES
    rate = gbit_per_s * 1e9 / 8 / dilution
    link = Access(rate, rate)
    plan = FleetPlan(
        pieces=chunks, piece_bytes=DILUTED_BYTES, diluted=True, dilution=dilution,
        parts=parts_of(chunk_bytes, rate * dilution), daemons=daemons, daemon=link, seeder=link, grain_s=GRAIN_S,
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
            turns.turns / deliveries, turns.tasks / deliveries, fleet.trace.digest(), compiled(),
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
