"""A whole tracker with real announcers: what hosts and operators see of it."""

import pytest
import trio

from manifests.console import UnreachableError
from p2pd.wire.announce import Deploy, Done, StatusRequest
from tracker.client import CommandRefused, connect

from .fleet import GLOBAL_ADDRESS, Fleet
from .nodes import PIECES, SWARM, register, report, status


async def test_hosts_of_one_swarm_find_each_other(fleet: Fleet) -> None:
    await fleet.tracker()
    hosts = [fleet.node(name) for name in "abc"]
    for host in hosts:
        host.announcer.update([status(wanted=10)])
    await trio.sleep(10)
    assert [host.peers for host in hosts] == [{"b", "c"}, {"a", "c"}, {"a", "b"}]


async def test_a_host_is_told_of_the_seeders(fleet: Fleet) -> None:
    await fleet.tracker()
    fleet.node("s", role="seeder")
    await trio.sleep(1)
    host = fleet.node("a")
    await trio.sleep(1)
    assert host.seeders == ["s"]


async def test_a_host_that_completes_is_named_as_complete_soon(fleet: Fleet) -> None:
    await fleet.tracker()
    a, b = fleet.node("a"), fleet.node("b")
    a.announcer.update([status(wanted=10)])
    b.announcer.update([status(wanted=10)])
    await trio.sleep(10)
    a.announcer.update([status(PIECES)])
    await trio.sleep(7)
    [newest] = [message for _, message in b.heard if getattr(message, "swarm", b"") == SWARM][-1:]
    assert [peer.complete for peer in newest.peers] == [True]  # type: ignore[union-attr]


async def test_a_deployed_release_reaches_a_watching_host_at_once(fleet: Fleet) -> None:
    await fleet.tracker()
    host = fleet.node("a")
    host.announcer.watch(["web"])
    await trio.sleep(3)
    deployed_at = trio.current_time()
    await fleet.deploy("web@1")
    await trio.sleep(1)
    assert host.heard_at("web@1") - deployed_at < 0.1


async def test_a_host_that_begins_to_watch_later_hears_of_the_goal_in_force(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    host = fleet.node("a")
    await trio.sleep(5)
    host.announcer.watch(["web"])
    await trio.sleep(0.1)
    assert host.releases == ["web@2"]


async def test_a_host_hears_only_of_its_services(fleet: Fleet) -> None:
    await fleet.tracker()
    host = fleet.node("a")
    host.announcer.watch(["db"])
    await trio.sleep(1)
    await fleet.deploy("web@1")
    await trio.sleep(60)
    assert host.releases == []


async def test_a_service_added_to_the_watch_is_told_of_although_its_goal_is_older(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.deploy("web@1")
    async with fleet.operator() as operator:
        await operator.deploy("db", "db@1")
    host = fleet.node("a")
    host.announcer.watch(["db"])
    await trio.sleep(1)
    host.announcer.watch(["db", "web"])
    await trio.sleep(1)
    assert host.releases == ["db@1", "web@1"]


async def test_what_was_deployed_is_there_after_a_restart(fleet: Fleet) -> None:
    service = await fleet.tracker()
    await fleet.deploy("web@1")
    await service.stop()
    await service.start()
    async with fleet.operator() as operator:
        answer = await operator.status("web")
    assert answer["services"][0]["goals"][0]["release"] == "web@1"


async def test_revisions_go_on_after_a_restart(fleet: Fleet) -> None:
    service = await fleet.tracker()
    await fleet.deploy("web@1")
    await service.stop()
    await service.start()
    assert (await fleet.deploy("web@2"))["revision"] == 2


async def test_hosts_come_back_to_a_tracker_that_was_restarted_and_tell_it_all_again(fleet: Fleet) -> None:
    service = await fleet.tracker()
    a, b = fleet.node("a"), fleet.node("b")
    for host in (a, b):
        host.announcer.update([status(wanted=10)])
        host.announcer.report(report(host.name))
    await trio.sleep(5)
    await service.stop()
    await trio.sleep(20)
    a.heard.clear()
    await service.start()
    await trio.sleep(60)
    async with fleet.operator() as operator:
        [web] = (await operator.status("web"))["services"]
    assert (a.peers, web["regions"][0]["hosts"]) == ({"b"}, 2)


async def test_commands_at_the_same_time_get_different_revisions(fleet: Fleet) -> None:
    await fleet.tracker()
    revisions = []

    async def deploy(number: int) -> None:
        revisions.append((await fleet.deploy(f"web@{number}"))["revision"])

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(deploy, number)
    assert sorted(revisions) == list(range(1, 11))


async def test_a_command_that_has_begun_is_done_even_if_its_operator_leaves(fleet: Fleet) -> None:
    await fleet.tracker()
    stream = await fleet.stream(register("o", "", "operator"))
    await stream.send(Deploy(1, "web", "web@1", "global"))
    await stream.aclose()
    await trio.sleep(1)
    async with fleet.operator() as operator:
        assert (await operator.status())["tracker"]["revision"] == 1


async def test_the_answer_carries_the_number_of_the_command(fleet: Fleet) -> None:
    await fleet.tracker()
    stream = await fleet.stream(register("o", "", "operator"))
    await stream.send(StatusRequest(42))
    answer = await stream.receive()
    assert isinstance(answer, Done)
    assert answer.number == 42
    await stream.aclose()


async def test_the_status_counts_hosts(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.deploy("web@1")
    for name, state in (("a", "VERIFIED"), ("b", "DOWNLOADING"), ("c", "FAILED")):
        fleet.node(name).announcer.report(report(name, state))
    await trio.sleep(2)
    async with fleet.operator() as operator:
        [web] = (await operator.status("web"))["services"]
    [eu] = web["regions"]
    assert (eu["hosts"], eu["settled"], eu["failed"]) == (3, 1, 1)


async def test_the_status_shows_swarms_when_asked(fleet: Fleet) -> None:
    await fleet.tracker()
    fleet.node("a").announcer.update([status(PIECES)])
    await trio.sleep(1)
    async with fleet.operator() as operator:
        [swarm] = (await operator.status(swarms=True))["swarms"]
    assert swarm == {"swarm": SWARM.hex(), "members": 1, "complete": 1, "pieces": PIECES, "regions": {"eu": 1}}


async def test_a_wrong_command_is_refused_with_the_reason(fleet: Fleet) -> None:
    await fleet.tracker()
    with pytest.raises(CommandRefused, match="write product@version"):
        await fleet.deploy("web")


async def test_an_operator_of_another_fleet_is_refused(fleet: Fleet) -> None:
    await fleet.tracker()
    with pytest.raises(CommandRefused, match="fleet 'f'"):
        async with connect(fleet.network.host("desk"), GLOBAL_ADDRESS, by="alice", fleet="other") as operator:
            await operator.status()


async def test_a_tracker_that_is_not_there_is_unreachable(fleet: Fleet) -> None:
    with pytest.raises(UnreachableError, match="global:1"):
        await fleet.deploy("web@1")


async def test_a_tracker_that_does_not_answer_is_given_up_in_time(fleet: Fleet) -> None:
    await fleet.tracker()
    async with fleet.operator() as operator:
        fleet.network.partition("desk")
        with pytest.raises(UnreachableError, match="does not answer"):
            await operator.status()
