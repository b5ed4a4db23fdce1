"""Real daemons in racks in zones in regions, each behind a narrow link: one copy comes over each of them."""

from collections.abc import Collection, Mapping
from statistics import fmean

import pytest
import trio

from p2pd.policy.places import LEVELS, around, region_of
from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from sim.fleet.plan import Access, FleetPlan
from sim.fleet.releases import PRODUCT, ReleaseSpec
from tracker.client import connect

RATE = 160_000
PLAN = FleetPlan(
    releases=(ReleaseSpec("1.0", 1),),
    pieces=64,
    piece_bytes=8192,
    daemons=32,
    regions=("a", "b"),
    zones=2,
    racks=2,
    copies_per_zone_link=1.2,
    copies_per_rack_link=1.2,
    daemon=Access(RATE, 2 * RATE),
    seeder=Access(RATE, RATE),
    seeders_outside=True,
    one_tracker=True,
    backbone=Access(RATE, RATE, 0.02),
    zone=Access(RATE, RATE, 0.002),
    rack=Access(RATE, RATE, 0.0005),
)
"""Four in each rack. A region's sixteen are more than the tracker leaves to themselves."""
INTO = {
    "region": ("shield", "remote", "origin"),
    "zone": ("shield", "remote", "origin", "region"),
    "rack": ("shield", "remote", "origin", "region", "zone"),
}


@pytest.mark.parametrize("dies", [(), ("d001",)], ids=["all live", "an importer dies"])
def test_about_one_copy_comes_over_the_link_of_each_region_zone_and_rack(dies: Collection[str]) -> None:
    with fleet_of(PLAN, 1) as fleet:
        seconds, found = fleet.clock.run(_play, fleet, dies, rng_seed=1)
    for copies in found.values():
        assert fmean(copies) <= 1.2
        assert max(copies) <= 1.35  # of eight racks, the one that was least lucky: eight dice gave 1.03 to 1.31
    assert seconds <= 4 * PLAN.size_bytes / RATE


async def _play(fleet: Fleet, dies: Collection[str]) -> tuple[float, Mapping[str, list[float]]]:
    """Seconds from the command until the last has it; copies into each region, zone and rack."""
    async with trio.open_nursery() as nursery:
        await fleet.run(nursery)
        await trio.sleep(1)
        began = await _deploy(fleet)
        await trio.sleep(3)
        for name in dies:
            fleet.daemons[name].crash(power=False, down_s=10_000.0)
        with trio.fail_after(120):
            while not all(_done(fleet, name) for name in fleet.daemons):
                await trio.sleep(0.1)
        found = trio.current_time() - began, {level: _copies(fleet, level) for level in LEVELS}
        nursery.cancel_scope.cancel()
    return found


async def _deploy(fleet: Fleet, scope: str = "global") -> float:
    async with connect(fleet.operator, f"{GLOBAL_TRACKER}:8470", by=fleet.operator.name, fleet=FLEET) as operator:
        await operator.deploy(PRODUCT, f"{PRODUCT}@1.0", scope=scope)
    return trio.current_time()


def _done(fleet: Fleet, name: str) -> bool:
    daemon = fleet.daemons[name].running
    return daemon is None or any(artifact.finished for artifact in daemon.store.artifacts.values())


def _copies(fleet: Fleet, level: str) -> list[float]:
    into = dict.fromkeys((around(fleet.place_of[name])[LEVELS.index(level)] for name in fleet.daemons), 0)
    for name, member in fleet.daemons.items():
        if member.running is not None:
            for one in member.running.store.artifacts.values():
                brought = sum(one.bytes_by_source.get(source, 0) for source in INTO[level])
                into[around(fleet.place_of[name])[LEVELS.index(level)]] += brought
    return [brought / PLAN.size_bytes for brought in into.values()]


def test_a_goal_for_a_region_is_for_the_hosts_in_its_racks_and_for_no_others() -> None:
    plan = FleetPlan(releases=PLAN.releases, pieces=4, daemons=8, regions=("a", "b"), zones=2, racks=2)

    async def play(fleet: Fleet) -> set[str]:
        async with trio.open_nursery() as nursery:
            await fleet.run(nursery)
            await trio.sleep(1)
            await _deploy(fleet, "a")
            await trio.sleep(20)
            have = {region_of(fleet.place_of[name]) for name in fleet.daemons if _done(fleet, name)}
            nursery.cancel_scope.cancel()
        return have

    with fleet_of(plan, 1) as fleet:
        assert fleet.clock.run(play, fleet, rng_seed=1) == {"a"}
