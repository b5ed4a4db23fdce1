"""TCP on loopback: who dials an address, and words that wait for the next ones."""

import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from p2pd.world import tcp
from p2pd.world.tcp import TcpSocket

TIMEOUT_S = 20
SOON_S = 0.1
"""Less than the kernel holds words back by itself."""


@asynccontextmanager
async def connection(host: str = "127.0.0.1") -> AsyncIterator[tuple[TcpSocket, TcpSocket]]:
    """Who dialled, and who was dialled."""
    with trio.fail_after(TIMEOUT_S):
        listener = await tcp.listen(f"{host}:0")
        port = tcp.bound_address(listener).rpartition(":")[2]
        here, there = await tcp.dial(f"{host}:{port}"), await tcp.accept(listener)
        yield here, there
        here.close()
        there.close()
        await listener.aclose()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_an_address_or_a_name_can_be_dialled(host: str) -> None:
    async with connection(host) as (here, there):
        await here.send_all([b"ping"])
        buffer = bytearray(8)
        assert buffer[: await there.receive_into(buffer)] == b"ping"


async def test_where_nobody_listens_dialling_says_so() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}") as refused:
            await tcp.dial(f"127.0.0.1:{port}")
    assert refused.value.errno == errno.ECONNREFUSED


async def test_words_that_may_wait_come_with_the_next_ones() -> None:
    async with connection() as (here, there):
        await here.send_all([b"first, "], more=True)
        buffer = bytearray(16)
        with trio.move_on_after(SOON_S) as waiting:
            await there.receive_into(buffer)
        assert waiting.cancelled_caught
        await here.send_all([b"second"])
        assert buffer[: await there.receive_into(buffer)] == b"first, second"


async def test_words_that_may_wait_do_not_when_an_answer_is_waited_for() -> None:
    async with connection() as (here, there), trio.open_nursery() as nursery:
        await here.send_all([b"well?"], more=True)
        nursery.start_soon(here.wait_readable)
        buffer = bytearray(8)
        with trio.fail_after(SOON_S):
            assert buffer[: await there.receive_into(buffer)] == b"well?"
        nursery.cancel_scope.cancel()


async def test_words_that_may_wait_are_not_lost_when_nothing_follows() -> None:
    async with connection() as (here, there):
        await here.send_all([b"the end"], more=True)
        here.close()
        buffer = bytearray(8)
        assert buffer[: await there.receive_into(buffer)] == b"the end"
