"""What a tracker does about those who send what they may not: they are told, dropped, and nobody else notices."""

import struct

import pytest
import trio

from p2pd.tracker_stream import ConnectionEndedError, TrackerStream
from p2pd.wire.announce import Announce, Refused, Register, Report, SwarmStatus, TrackerMessage, Watch
from p2pd.wire.codec import encode
from p2pd.wire.framing import block_head
from p2pd.wire.messages import PROTOCOL_VERSION
from tracker.sessions import STUCK_S

from .fleet import GLOBAL_ADDRESS, Fleet
from .nodes import PIECES, SWARM, register, report, status


async def answer_to(fleet: Fleet, sent: bytes, greeting: Register | None = None) -> str:
    """Why the connection was refused; fails if it does not end after that."""
    stream = await fleet.stream(greeting or register("bad"))
    await stream.send_frames(sent)
    return await reason(stream)


async def reason(stream: TrackerStream) -> str:
    with trio.fail_after(60):
        refused = await stream.receive()
        assert isinstance(refused, Refused), refused
        with pytest.raises(ConnectionEndedError):
            await stream.receive()
    await stream.aclose()
    return refused.error


def swarms(count: int) -> tuple[SwarmStatus, ...]:
    return tuple(status(swarm=number.to_bytes(32, "big")) for number in range(count))


@pytest.mark.parametrize(
    "message, why",
    [
        (Announce(swarms(257)), "length <= 256"),
        (Announce((SwarmStatus(SWARM, 11, 10),)), "11 of 10 pieces"),
        (Announce((SwarmStatus(SWARM, -1, 10),)), ">= 0"),
        (Announce((SwarmStatus(SWARM, 0, 10**9),)), "<= 4000000"),
        (Announce((SwarmStatus(b"short", 0, 1),)), "length >= 32"),
        (Announce((status(wanted=65),)), "<= 64"),
        (Announce((status(), status())), "twice"),
        (Watch(("x" * 129,), 0), "length <= 128"),
        (Watch(("x",), 2**63), "not a message"),
    ],
)
async def test_numbers_and_texts_out_of_bounds_are_refused(fleet: Fleet, message: TrackerMessage, why: str) -> None:
    await fleet.tracker()
    assert why in await answer_to(fleet, encode(message))


@pytest.mark.parametrize("role", ["", "admin", "Daemon"])
async def test_an_unknown_role_is_refused_and_the_known_ones_are_named(fleet: Fleet, role: str) -> None:
    await fleet.tracker()
    greeting = Register(PROTOCOL_VERSION, "f", "bad", "eu", role, "")
    assert "known: daemon, seeder, tracker, operator" in await answer_to(fleet, b"", greeting)


@pytest.mark.parametrize(
    "sent, why",
    [
        (struct.pack(">I", 0), "frame of 0 bytes"),
        (struct.pack(">I", 2**31), "allowed"),
        (b"GET / HTTP/1.1\r\n\r\n", "allowed"),
        (struct.pack(">IB", 2, 0) + b"\xc1", "not a message"),
        (struct.pack(">IB", 1, 7), "unknown kind 7"),
        (block_head(1, 1, 0, 4) + b"data", "block of a piece"),
    ],
)
async def test_what_is_no_frame_is_refused(fleet: Fleet, sent: bytes, why: str) -> None:
    await fleet.tracker()
    assert why in await answer_to(fleet, sent)


async def test_a_frame_that_never_ends_is_given_up(fleet: Fleet) -> None:
    await fleet.tracker()
    assert "nothing was heard" in await answer_to(fleet, struct.pack(">IB", 1000, 0) + b"x")


async def test_who_connects_and_says_nothing_is_given_up(fleet: Fleet) -> None:
    await fleet.tracker()
    assert "nothing was heard for 10 s" in await reason(await fleet.stream(None))


async def test_a_flood_of_swarms_by_many_nodes_is_refused_and_those_before_stay(fleet: Fleet) -> None:
    await fleet.tracker(memberships_max=300)
    good = fleet.node("good")
    good.announcer.update([status(PIECES)])
    await trio.sleep(1)
    await fleet.stream(register("bad1"))
    first = await fleet.stream(register("bad2"))
    await first.send(Announce(swarms(256)))
    assert "full" in await answer_to(fleet, encode(Announce(swarms(256))), register("bad3"))
    host = fleet.node("new")
    host.announcer.update([status(wanted=5)])
    await trio.sleep(10)
    assert host.peers == {"good"}


async def test_a_flood_of_messages_waits_its_turn_and_others_are_served(fleet: Fleet) -> None:
    await fleet.tracker()
    flooding = await fleet.stream(register("flood"))
    answered = 0

    async def flood() -> None:
        while True:
            await flooding.send(*[Watch((), 0)] * 100)

    async def count() -> None:
        nonlocal answered
        while True:
            await flooding.receive()
            answered += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flood)
        nursery.start_soon(count)
        await trio.sleep(20)
        other_answer = trio.current_time()
        async with fleet.operator() as operator:
            await operator.status()
        assert trio.current_time() - other_answer < 1
        nursery.cancel_scope.cancel()
    assert answered < 1300


async def connections(fleet: Fleet) -> int:
    """Those of the tracker, the asker's own left out."""
    async with fleet.operator() as operator:
        return int((await operator.status())["tracker"]["connections"]) - 1


async def deaf_watcher(fleet: Fleet) -> TrackerStream:
    """Watches all goals and never reads a byte of them."""
    fleet.network.pipe_bytes = 1024
    stream = await fleet.stream(register("deaf", "eu", "tracker"))
    await stream.send(Watch((), 0))
    for number in range(20):
        await fleet.deploy(f"web@{number}", reason="r" * 100)
    return stream


async def test_a_watcher_that_never_reads_is_dropped(fleet: Fleet) -> None:
    await fleet.tracker(lease_s=1000.0)
    await deaf_watcher(fleet)
    await trio.sleep(STUCK_S - 2)
    before = await connections(fleet)
    await trio.sleep(5)
    assert (before, await connections(fleet)) == (1, 0)


async def test_who_asks_much_and_never_reads_is_not_read_either_and_dropped(fleet: Fleet) -> None:
    await fleet.tracker(lease_s=1000.0)
    for number in range(64):
        fleet.node(f"{number:03d}" * 30).announcer.update([status()])
    await trio.sleep(1)
    fleet.network.pipe_bytes = 1024
    deaf, began, asked = await fleet.stream(register("deaf")), trio.current_time(), 0
    with pytest.raises(ConnectionEndedError):
        while True:
            await deaf.send(Announce((status(wanted=64),)))
            asked += 1
    assert asked < 100
    assert STUCK_S - 2 < trio.current_time() - began < STUCK_S + 5


async def test_deploying_does_not_wait_for_a_watcher_that_never_reads(fleet: Fleet) -> None:
    await fleet.tracker()
    deaf = await fleet.stream(register("deaf"))
    await deaf.send(Watch((), 0))
    host = fleet.node("a")
    host.announcer.watch(["web"])
    await trio.sleep(1)
    began = trio.current_time()
    for number in range(300):
        await fleet.deploy(f"web@{number}", reason="r" * 100)
    await trio.sleep(0.1)
    assert (host.releases[-1], trio.current_time() - began < 5) == ("web@299", True)


async def test_a_daemon_that_reports_for_others_is_refused(fleet: Fleet) -> None:
    await fleet.tracker()
    assert "may not report for victim" in await answer_to(fleet, encode(Report((report("victim"),))))


async def test_a_dialler_of_another_fleet_is_refused(fleet: Fleet) -> None:
    await fleet.tracker()
    host = fleet.node("a", GLOBAL_ADDRESS)
    assert "fleet" in await answer_to(fleet, b"", register("b", fleet="other"))
    await trio.sleep(1)
    assert host.announcer.connected
