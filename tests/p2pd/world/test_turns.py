"""When a task on a connection lets the others run, and when it looks for bytes in vain: real sockets of loopback."""

from pathlib import Path

import pytest
import trio

from p2pd.world.real_network import RealNetwork
from p2pd.world.tcp import REST_S, TURN_S, TcpSocket
from p2pd.world.tls_stream import TlsStream
from tests.p2pd.world.papers import Papers
from tests.p2pd.world.test_tls_network import connection

LONG_S = 0.05
"""Many turns."""


class Counting(TcpSocket):
    """A connection in whose place it is put: notes what each look for bytes brought."""

    def __init__(self, other: TcpSocket) -> None:
        self.__dict__ = other.__dict__
        self.looks: list[int | None] = []

    def try_receive(self, buffer: bytearray | memoryview, bytes_max: int = 0) -> int | None:
        found = super().try_receive(buffer, bytes_max)
        self.looks.append(found)
        return found


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path / "papers")


class Others:
    """Another task that is ready to run; `ran`: it had a turn."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.ran = False
        nursery.start_soon(self._run)

    async def _run(self) -> None:
        self.ran = True


async def test_a_word_now_and_then_is_sent_without_giving_way_to_others() -> None:
    network = RealNetwork()
    listener = await network.listen("127.0.0.1:0")
    stream = await network.dial(listener.address)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            await trio.sleep(2 * REST_S)
            others = Others(nursery)
            await stream.send_all(b"a word")
            assert not others.ran
    await stream.aclose()
    await listener.aclose()


async def test_who_sends_and_sends_gives_way_to_others() -> None:
    network = RealNetwork()
    listener = await network.listen("127.0.0.1:0")
    stream = await network.dial(listener.address)
    async with trio.open_nursery() as nursery:
        others, until = Others(nursery), trio.current_time() + LONG_S
        while not others.ran and trio.current_time() < until:
            await stream.send_all(b"a word")
        assert TURN_S < LONG_S
        assert others.ran
    await stream.aclose()
    await listener.aclose()


async def next_word(stream: TlsStream) -> bytes:
    buffer = bytearray(1024)
    return bytes(buffer[: await stream.receive_into(buffer)])


async def test_who_has_taken_all_that_was_there_does_not_look_again_in_vain(papers: Papers) -> None:
    async with connection(papers.member("alice"), papers.member("bob")) as (here, there):
        await here.send_all(b"first")
        assert await next_word(there) == b"first"
        counting = there.socket = Counting(there.socket)
        for word in (b"second", b"third", b"fourth"):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(here.send_all, word)
                assert await next_word(there) == word
        assert None not in counting.looks
        assert len(counting.looks) == 3


async def test_who_has_said_goodbye_is_not_waited_for(papers: Papers) -> None:
    async with connection(papers.member("alice"), papers.member("bob")) as (here, there):
        await here.send_all(b"last")
        await here.aclose()
        assert await next_word(there) == b"last"
        assert [await next_word(there) for _ in range(3)] == [b""] * 3
