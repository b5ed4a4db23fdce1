"""The shipped services as a fleet in one process, without faults."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trio

from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from sim.fleet.plan import Access, FleetPlan
from sim.fleet.releases import PRODUCT, ReleaseSpec, publish
from tracker.client import connect

PLAN = FleetPlan(
    releases=(ReleaseSpec("1.0", 1), ReleaseSpec("2.0", 2, fresh=0.25)),
    pieces=40,
    piece_bytes=1024,
    daemons=10,
    daemon=Access(20_000, 40_000),
    seeder=Access(20_000, 40_000),
)


def play(plan: FleetPlan, story: Callable[[Fleet], Awaitable[None]]) -> Fleet:
    """Run a story on a fleet to its end."""
    with fleet_of(plan, 1) as fleet:

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                await fleet.run(nursery)
                await trio.sleep(1)
                with trio.fail_after(600):
                    await story(fleet)
                nursery.cancel_scope.cancel()

        fleet.clock.run(main, rng_seed=1)
        return fleet


async def deploy(fleet: Fleet, version: str) -> float:
    """Command it; seconds until every daemon runs it."""
    async with connect(fleet.operator, f"{GLOBAL_TRACKER}:8470", by=fleet.operator.name, fleet=FLEET) as operator:
        await operator.deploy(PRODUCT, f"{PRODUCT}@{version}")
    began = trio.current_time()
    while not all(_runs(fleet, name, version) for name in fleet.daemons):
        await trio.sleep(0.1)
    return trio.current_time() - began


def _runs(fleet: Fleet, name: str, version: str) -> bool:
    daemon = fleet.daemons[name].running
    return daemon is not None and any(
        (status["state"], status["running_release"]) == ("VERIFIED", f"{PRODUCT}@{version}")
        for status in daemon.updates.status()
    )


def test_a_release_reaches_every_daemon_and_costs_the_seeder_about_one_copy() -> None:
    async def story(fleet: Fleet) -> None:
        await deploy(fleet, "1.0")
        daemons = [member.running for member in fleet.daemons.values()]
        from_seeder = sum(
            artifact.bytes_by_source.get("shield", 0)
            for daemon in daemons
            if daemon is not None
            for artifact in daemon.store.artifacts.values()
        )
        assert from_seeder <= 2 * PLAN.size_bytes

    play(PLAN, story)


def test_a_second_release_brings_only_what_changed() -> None:
    async def story(fleet: Fleet) -> None:
        first_s = await deploy(fleet, "1.0")
        second_s = await deploy(fleet, "2.0")
        assert second_s < first_s

    play(PLAN, story)


def test_no_fleet_is_faster_than_its_uplinks() -> None:
    seconds: list[float] = []

    async def story(fleet: Fleet) -> None:
        seconds.append(await deploy(fleet, "1.0"))

    play(PLAN, story)
    bound_s = PLAN.daemons * PLAN.size_bytes / (20_000 * (PLAN.daemons + 1))
    assert seconds[0] >= bound_s


def test_daemons_behind_a_nat_take_part() -> None:
    async def story(fleet: Fleet) -> None:
        await deploy(fleet, "1.0")

    play(replace(PLAN, behind_nat=3), story)


def test_each_region_follows_the_global_goal() -> None:
    async def story(fleet: Fleet) -> None:
        await deploy(fleet, "1.0")

    play(replace(PLAN, regions=("north", "south"), seeders=2), story)


def test_a_published_release_is_the_same_in_every_process() -> None:
    again = publish.__wrapped__(PLAN.releases, PLAN.pieces, PLAN.piece_bytes, PLAN.metadata_life_s)
    assert again.blobs == publish(PLAN.releases, PLAN.pieces, PLAN.piece_bytes, PLAN.metadata_life_s).blobs


@pytest.mark.parametrize("power", [True, False])
def test_a_daemon_that_crashes_in_mid_download_arrives_all_the_same(power: bool) -> None:
    async def story(fleet: Fleet) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(deploy, fleet, "1.0")
            await trio.sleep(1.5)
            fleet.daemons["d003"].crash(power=power, down_s=2.0)
            nursery.start_soon(trio.sleep, 0)
        assert fleet.daemons["d003"].crashes == 1

    play(PLAN, story)
