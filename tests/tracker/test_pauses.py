"""A pause reaches everybody, is forgotten by nobody, and ends when it is told to."""

import pytest
import trio

from p2pd.wire.announce import PAUSES_MAX, Goals, Paused
from tracker.client import CommandRefused
from tracker.errors import RefusalError
from tracker.goals.pauses import Pauses

from .fleet import EU_ADDRESS, GLOBAL_ADDRESS, Fleet, Node


def paused(service: str = "web", scope: str = "global", revision: int = 1) -> Paused:
    return Paused(service, scope, revision, "ann", 1.0, "errors")


def watching(fleet: Fleet, name: str, address: str, region: str = "eu") -> Node:
    node = fleet.node(name, address, region=region)
    node.announcer.watch(["web"])
    return node


def told(node: Node) -> list[tuple[str, str]]:
    """Services and scopes of the pauses that it was last told of."""
    last = [message for _, message in node.heard if isinstance(message, Goals)][-1]
    return [(one.service, one.scope) for one in last.paused]


def test_a_pause_that_is_in_force_is_refused_a_second_time() -> None:
    with pytest.raises(RefusalError, match=r"web is paused everywhere by ann \(errors\) already"):
        Pauses(1, (paused(),)).with_one(paused(revision=2))


def test_a_pause_that_is_not_in_force_can_not_be_ended() -> None:
    with pytest.raises(RefusalError, match="no such pause; web is paused everywhere"):
        Pauses(1, (paused(),)).without("web", "eu", 2)


def test_ending_one_pause_leaves_the_others() -> None:
    left = Pauses(2, (paused(), paused("", "eu", 2))).without("web", "global", 3)
    assert left == Pauses(3, (paused("", "eu", 2),))


def test_pauses_are_bounded() -> None:
    full = Pauses(1, tuple(paused(f"s{number}") for number in range(PAUSES_MAX)))
    with pytest.raises(RefusalError, match="64 pauses"):
        full.with_one(paused())


@pytest.mark.parametrize(
    "service, scope, stops",
    [("web", "global", True), ("", "global", True), ("web", "eu", True), ("web", "us", False), ("db", "global", False)],
)
def test_it_is_known_whom_a_pause_stops(service: str, scope: str, stops: bool) -> None:
    assert bool(Pauses(1, (paused(service, scope),)).over("web", "eu")) == stops


async def test_a_pause_reaches_every_region_at_once(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    near, far = watching(fleet, "near", GLOBAL_ADDRESS), watching(fleet, "far", EU_ADDRESS)
    await trio.sleep(5)
    async with fleet.operator() as operator:
        await operator.pause("web", reason="errors")
    await trio.sleep(0.2)
    assert told(near) == told(far) == [("web", "global")]


async def test_who_comes_later_is_told_too(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    async with fleet.operator() as operator:
        await operator.pause(scope="eu")
    await trio.sleep(1)
    late = watching(fleet, "late", EU_ADDRESS)
    await trio.sleep(1)
    assert told(late) == [("", "eu")]


async def test_a_pause_that_ended_is_not_told_any_more(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    far = watching(fleet, "far", EU_ADDRESS)
    async with fleet.operator() as operator:
        await operator.pause("web")
        await trio.sleep(1)
        await operator.resume("web")
    await trio.sleep(1)
    assert told(far) == []


async def test_pauses_outlive_a_restart_of_every_tracker(fleet: Fleet) -> None:
    central = await fleet.tracker()
    region = await fleet.region()
    async with fleet.operator() as operator:
        await operator.pause("web")
    await trio.sleep(1)
    for service in (central, region):
        await service.stop()
    await region.start()
    late = watching(fleet, "late", EU_ADDRESS)
    await trio.sleep(1)
    assert told(late) == [("web", "global")]
    await central.start()
    async with fleet.operator() as operator:
        assert len((await operator.status())["paused"]) == 1


async def test_a_command_after_a_resume_and_a_restart_is_newer(fleet: Fleet) -> None:
    central = await fleet.tracker()
    async with fleet.operator() as operator:
        await operator.pause("web")
        await operator.resume("web")
    await central.stop()
    await central.start()
    assert (await fleet.deploy("web@1"))["revision"] == 3


async def test_a_region_that_was_cut_off_hears_of_a_pause_when_it_is_back(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    far = watching(fleet, "far", EU_ADDRESS)
    await trio.sleep(5)
    fleet.network.partition("global", "desk")
    async with fleet.operator() as operator:
        await operator.pause("web")
    await trio.sleep(60)
    assert told(far) == []
    fleet.network.heal()
    await trio.sleep(60)
    assert told(far) == [("web", "global")]


async def test_a_deploy_to_what_is_paused_is_taken_and_says_so(fleet: Fleet) -> None:
    await fleet.tracker()
    async with fleet.operator() as operator:
        await operator.pause("web", scope="eu", reason="errors")
    answer = await fleet.deploy("web@1")
    assert answer["warning"].startswith("web is paused in eu by alice (errors): hosts there begin after")


async def test_a_region_s_tracker_pauses_nothing(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    async with fleet.operator(EU_ADDRESS) as operator:
        with pytest.raises(CommandRefused, match="go to the global one"):
            await operator.pause()
