"""TCP on loopback behind the seam. Few, for they take real time."""

import errno
import socket
from contextlib import suppress
from typing import Any

import pytest
import trio
import trio.testing

from p2pd.world import tcp
from p2pd.world.real_network import RealListener, RealNetwork, RealStream

TIMEOUT_S = 20


def has_ipv6() -> bool:
    """Is there an IPv6 loopback here? Containers often have none."""
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


async def pair() -> tuple[RealListener, RealStream, RealStream]:
    """A listener, and both ends of a connection to it."""
    network = RealNetwork()
    listener = await network.listen("127.0.0.1:0")
    dialled = await network.dial(listener.address)
    return listener, dialled, await listener.accept()


async def test_bytes_go_both_ways_and_the_end_is_seen() -> None:
    with trio.fail_after(TIMEOUT_S):
        listener, here, there = await pair()
        await here.send_all(b"ping")
        assert await there.receive_some() == b"ping"
        await there.send_all(memoryview(b"pong"))
        await there.aclose()
        assert await here.receive_some(2) == b"po"
        assert await here.receive_some() == b"ng"
        assert await here.receive_some() == b""
        await here.aclose()
        await listener.aclose()


async def test_both_ends_know_each_other_and_prove_nothing() -> None:
    with trio.fail_after(TIMEOUT_S):
        listener, here, there = await pair()
        assert here.remote_address == listener.address
        assert there.remote_address.startswith("127.0.0.1:")
        assert (here.identity.proven, there.identity.node) == (False, "")
        await here.aclose()
        await there.aclose()
        await listener.aclose()


async def test_whoever_lacks_much_is_not_woken_for_little() -> None:
    buffer, got = bytearray(1000), list[int]()

    async def receive(least: int) -> None:
        got.append(await here.receive_into(buffer, least))

    with trio.fail_after(TIMEOUT_S):
        listener, here, there = await pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, 100)
            await trio.testing.wait_all_tasks_blocked()
            await there.send_all(b"x" * 10)
            await trio.sleep(0.05)
            assert got == []
            await there.send_all(b"x" * 90)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, 1)
            await trio.testing.wait_all_tasks_blocked()
            await there.send_all(b"x")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, 100)
            await trio.testing.wait_all_tasks_blocked()
            await there.aclose()
        assert got == [100, 1, 0]
        await here.aclose()
        await listener.aclose()


async def test_small_messages_are_not_held_back() -> None:
    with trio.fail_after(TIMEOUT_S):
        listener, here, there = await pair()
        for stream in (here, there):
            assert stream._socket._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await stream.aclose()
        await listener.aclose()


async def test_nobody_there_is_an_oserror() -> None:
    network = RealNetwork()
    with trio.fail_after(TIMEOUT_S):
        listener = await network.listen("127.0.0.1:0")
        await listener.aclose()
        with pytest.raises(OSError, match=r"refused|failed"):
            await network.dial(listener.address)


async def test_a_taken_address_is_an_oserror() -> None:
    network = RealNetwork()
    with trio.fail_after(TIMEOUT_S):
        listener = await network.listen("127.0.0.1:0")
        with pytest.raises(OSError, match="in use"):
            await network.listen(listener.address)
        await listener.aclose()


@pytest.mark.parametrize("address", ["", "nonsense", "127.0.0.1:99999", "::1:5"])
async def test_an_address_that_is_none_can_not_be_reached(address: str) -> None:
    with pytest.raises(OSError, match=r"host:port|no port"):
        await RealNetwork().dial(address)


@pytest.mark.parametrize("address", ["[::1]:0"] if has_ipv6() else ["127.0.0.1:0"])
async def test_ipv6_works_where_there_is_any(address: str) -> None:
    network = RealNetwork()
    with trio.fail_after(TIMEOUT_S):
        listener = await network.listen(address)
        stream = await network.dial(listener.address)
        assert stream.remote_address == listener.address
        await stream.aclose()
        await listener.aclose()


async def test_a_silent_host_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "DIAL_TIMEOUT_S", 0.2)
    with trio.fail_after(TIMEOUT_S), trio.socket.socket() as full:
        await full.bind(("127.0.0.1", 0))
        full.listen(0)
        host, port = full.getsockname()
        async with trio.open_nursery() as nursery:
            for _ in range(4):  # more than the backlog: the kernel stops answering
                nursery.start_soon(_dial_and_hold, host, port)
            await trio.sleep(0.2)
            with pytest.raises(OSError, match=r"did not answer within 0\.2 s"):
                await RealNetwork().dial(f"{host}:{port}")
            nursery.cancel_scope.cancel()


async def _dial_and_hold(host: str, port: int) -> None:
    async with await trio.open_tcp_stream(host, port):
        await trio.sleep_forever()


class ExhaustedOnce:
    """A listener that has run out of descriptors the first time."""

    def __init__(self, listener: trio.SocketListener) -> None:
        self.socket = listener.socket
        self.refusals = 0
        self._listener = listener

    async def accept(self) -> trio.SocketStream:
        if not self.refusals:
            self.refusals += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return await self._listener.accept()

    async def aclose(self) -> None:
        await self._listener.aclose()


async def test_running_out_of_descriptors_is_outlived() -> None:
    with trio.fail_after(TIMEOUT_S):
        (inner,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        exhausted: Any = ExhaustedOnce(inner)
        listener = RealListener(exhausted, memoryview(bytearray(16)))
        dialled = await RealNetwork().dial(listener.address)
        accepted = await listener.accept()
        assert exhausted.refusals == 1
        for end in (dialled, accepted, listener):
            await end.aclose()
