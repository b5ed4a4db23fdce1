"""The fake network keeps the seam's promises."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from p2pd.world.network import Identity, Stream

from .network import PIPE_BYTES, MemoryHost, MemoryNetwork

pytestmark = pytest.mark.trio


async def connected(one: MemoryHost, other: MemoryHost) -> tuple[Stream, Stream]:
    listener = await other.listen(f"{other.name}:0")
    here = await one.dial(listener.address)
    return here, await listener.accept()


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


async def test_bytes_arrive_in_order_and_then_the_end(network: MemoryNetwork) -> None:
    here, there = await connected(network.host("a"), network.host("b"))
    await here.send_all(b"one")
    await here.send_all(b"two")
    await here.aclose()
    assert [await there.receive_some(), await there.receive_some()] == [b"onetwo", b""]


async def test_a_sender_waits_for_a_reader_when_the_pipe_is_full(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    here, _there = await connected(network.host("a"), network.host("b"))
    with trio.move_on_after(60) as scope:
        await here.send_all(bytes(PIPE_BYTES + 1))
    assert scope.cancelled_caught


async def test_each_end_sees_what_was_proven_of_the_other() -> None:
    network = MemoryNetwork()
    a, b = Identity("a", "eu", "daemon", proven=True), Identity("b", "us", "tracker", proven=True)
    here, there = await connected(network.host("a", a), network.host("b", b))
    assert (here.identity, there.identity) == (b, a)


async def test_nobody_there_is_connection_refused(network: MemoryNetwork) -> None:
    with pytest.raises(ConnectionRefusedError):
        await network.host("a").dial("b:1")


async def test_an_address_is_taken_until_its_listener_closes(network: MemoryNetwork) -> None:
    host = network.host("a")
    first = await host.listen("a:1")
    with pytest.raises(OSError, match="taken"):
        await host.listen("a:1")
    await first.aclose()
    await host.listen("a:1")


async def test_dropped_connections_break_at_both_ends(network: MemoryNetwork) -> None:
    here, there = await connected(network.host("a"), network.host("b"))
    network.drop("b")
    for stream in (here, there):
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()


async def test_a_partition_delays_bytes_and_healing_delivers_them(
    network: MemoryNetwork, nursery: trio.Nursery
) -> None:
    here, there = await connected(network.host("a"), network.host("b"))
    network.partition("a")
    await here.send_all(b"late")
    got: list[bytes | bytearray] = []

    async def read() -> None:
        got.append(await there.receive_some())

    nursery.start_soon(read)
    await wait_all_tasks_blocked()
    assert got == []
    network.heal()
    await wait_all_tasks_blocked()
    assert got == [b"late"]


async def test_a_dial_across_a_partition_times_out(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    await network.host("b").listen("b:1")
    network.partition("b")
    with pytest.raises(TimeoutError):
        await network.host("a").dial("b:1")


async def test_closing_our_end_breaks_their_sending(network: MemoryNetwork) -> None:
    here, there = await connected(network.host("a"), network.host("b"))
    await here.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await there.send_all(b"hello?")


async def test_who_was_not_accepted_when_the_listener_closed_is_reset(network: MemoryNetwork) -> None:
    listener = await network.host("b").listen("b:1")
    stream = await network.host("a").dial("b:1")
    await listener.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await stream.receive_some()
