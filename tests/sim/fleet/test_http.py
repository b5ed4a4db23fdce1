"""What a source that costs is spent on: real daemons and an HTTP source that is in no swarm."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trio

from p2pd.service import Daemon
from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from sim.fleet.plan import Access, FleetPlan
from sim.fleet.releases import PRODUCT, ReleaseSpec
from tracker.client import connect

PLAN = FleetPlan(
    releases=(ReleaseSpec("1.0", 1),),
    pieces=128,
    piece_bytes=1024,
    daemons=12,
    daemon=Access(20_000, 40_000),
    seeder=Access(200_000, 200_000),
    cdn=True,
    http_only=True,
)
SLOW = replace(PLAN, daemons=6, daemon=Access(1_500, 40_000))
"""Their uplinks alone need a minute and a quarter."""


class Told:
    """Of a run."""

    seconds = 0.0
    copies = 0.0
    reasons: frozenset[str] = frozenset()


def play(plan: FleetPlan, meanwhile: Callable[[Fleet], Awaitable[None]] | None = None, deadline_s: float = 0.0) -> Told:
    """Deploy, until all that live run it."""
    told = Told()
    with fleet_of(plan, 1) as fleet:

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                await fleet.run(nursery)
                await trio.sleep(1)
                with trio.fail_after(600):
                    await _story(fleet, told, nursery, meanwhile, deadline_s)
                nursery.cancel_scope.cancel()

        fleet.clock.run(main, rng_seed=1)
    return told


async def _story(
    fleet: Fleet,
    told: Told,
    nursery: trio.Nursery,
    meanwhile: Callable[[Fleet], Awaitable[None]] | None,
    deadline_s: float,
) -> None:
    if meanwhile is not None:
        nursery.start_soon(meanwhile, fleet)
    async with connect(fleet.operator, f"{GLOBAL_TRACKER}:8470", by=fleet.operator.name, fleet=FLEET) as operator:
        await operator.deploy(PRODUCT, f"{PRODUCT}@1.0", deadline_s=deadline_s)
    began = trio.current_time()
    while not all(_runs(daemon) for daemon in _alive(fleet)):
        await trio.sleep(0.1)
    told.seconds = trio.current_time() - began
    now = trio.current_time()
    seen = [one.brain.snapshot(now) for daemon in _alive(fleet) for one in daemon.exchange.memberships.values()]
    told.copies = sum(sum(one.http_bytes.values()) for one in seen) / fleet.plan.size_bytes
    told.reasons = frozenset(reason for one in seen for reason in one.http_bytes)


def _alive(fleet: Fleet) -> list[Daemon]:
    return [member.running for member in fleet.daemons.values() if member.running is not None]


def _runs(daemon: Daemon) -> bool:
    return any(one["state"] == "VERIFIED" for one in daemon.updates.status())


@pytest.mark.parametrize("daemons", [4, 12])
def test_however_many_are_new_together_they_cost_the_cdn_about_one_copy(daemons: int) -> None:
    assert play(replace(PLAN, daemons=daemons)).copies <= 1.1


def test_when_one_of_them_dies_the_others_fetch_its_share() -> None:
    async def meanwhile(fleet: Fleet) -> None:
        await trio.sleep(2.5)
        fleet.daemons["d001"].crash(power=False, down_s=1_000.0)

    assert play(PLAN, meanwhile).copies <= 1.2


def test_without_a_deadline_nothing_is_spent_on_speed() -> None:
    told = play(SLOW)
    assert told.copies <= 1.1
    assert told.seconds >= 60


def test_a_deadline_is_kept_by_buying_what_peers_would_bring_too_late() -> None:
    told = play(SLOW, deadline_s=30.0)
    assert told.seconds <= 30
    peers_bring = SLOW.daemons * SLOW.daemon.up_bytes_per_s * 30 / SLOW.size_bytes
    assert told.copies <= 1.25 * (SLOW.daemons - peers_bring)
    assert "deadline" in told.reasons
