"""Real daemons in regions behind links: one copy comes in, though an importer dies."""

import trio

from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from sim.fleet.plan import Access, FleetPlan
from sim.fleet.releases import PRODUCT, ReleaseSpec
from tracker.client import connect

RATE = 160_000
PLAN = FleetPlan(
    releases=(ReleaseSpec("1.0", 1),),
    pieces=64,
    piece_bytes=8192,
    daemons=30,
    regions=("a", "b", "c"),
    daemon=Access(RATE, 2 * RATE),
    seeder=Access(RATE, RATE),
    seeders_outside=True,
    one_tracker=True,
    backbone=Access(RATE, RATE, 0.02),
)
"""Ten in each: more than the tracker leaves to themselves."""
OUTSIDE = ("shield", "remote", "origin")


def test_when_an_importer_dies_a_region_takes_little_more_than_one_copy_and_is_done_about_as_soon() -> None:
    with fleet_of(PLAN, 1) as fleet:
        seconds, copies = fleet.clock.run(_play, fleet, rng_seed=1)
    assert copies <= 1.2
    assert seconds <= 3.5 * PLAN.size_bytes / RATE


async def _play(fleet: Fleet) -> tuple[float, float]:
    """Seconds from the command until the last has it; copies into the region that took most."""
    async with trio.open_nursery() as nursery:
        await fleet.run(nursery)
        await trio.sleep(1)
        async with connect(fleet.operator, f"{GLOBAL_TRACKER}:8470", by=fleet.operator.name, fleet=FLEET) as operator:
            await operator.deploy(PRODUCT, f"{PRODUCT}@1.0")
        began = trio.current_time()
        await trio.sleep(4)
        fleet.daemons["d001"].crash(power=False, down_s=10_000.0)
        await trio.sleep(0.1)
        with trio.fail_after(300):
            while not all(_done(fleet, name) for name in fleet.daemons):
                await trio.sleep(0.1)
        seconds, copies = trio.current_time() - began, max(_copies(fleet, region) for region in PLAN.regions)
        nursery.cancel_scope.cancel()
    return seconds, copies


def _done(fleet: Fleet, name: str) -> bool:
    daemon = fleet.daemons[name].running
    return daemon is None or any(artifact.finished for artifact in daemon.store.artifacts.values())


def _copies(fleet: Fleet, region: str) -> float:
    daemons = [member.running for name, member in fleet.daemons.items() if fleet.region_of[name] == region]
    artifacts = [one for daemon in daemons if daemon is not None for one in daemon.store.artifacts.values()]
    return sum(one.bytes_by_source.get(source, 0) for one in artifacts for source in OUTSIDE) / PLAN.size_bytes
