"""What is to be said while a piece is sent goes with the piece's next block."""

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pd.wire.codec import encode
from p2pd.wire.messages import PROTOCOL_VERSION, Hello, Join, Ping, Pong, Request
from p2pd.world.network import Buffer, Identity
from tests.fakes.network import MemoryNetwork

from .helpers import full_set, make_member, make_release, start

PIECE_BYTES = 3 * 65536
"""Some blocks."""


class SlowReader:
    """A peer that says what it is given to say, and takes a block only when it is told to."""

    def __init__(self) -> None:
        self.identity, self.remote_address = Identity(), "slow:0"
        self.sent: list[bytes] = []
        self._takes = trio.Semaphore(0)
        self._say, self._said = trio.open_memory_channel[bytes](10)

    def say(self, words: bytes) -> None:
        self._say.send_nowait(words)

    def take(self) -> None:
        self._takes.release()

    async def handshake(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send_all(self, *parts: Buffer) -> None:
        self.sent.append(b"".join(parts))
        if len(self.sent[-1]) > 10_000:
            await self._takes.acquire()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self._said.receive()

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        words = await self._said.receive()
        buffer[: len(words)] = words
        return len(words)

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_an_answer_goes_with_the_next_block(autojump_clock: MockClock) -> None:
    manifest, parts, swarm = make_release(2, PIECE_BYTES)
    member = make_member(MemoryNetwork(), "source", "daemon", manifest, swarm, full_set(parts))
    peer = SlowReader()
    async with trio.open_nursery() as nursery:
        await start(nursery, [member])
        nursery.start_soon(member.exchange.neighbours.take_in, peer)
        peer.say(encode(Hello(PROTOCOL_VERSION, "test", "slow", "here", "daemon", "")))
        peer.say(encode(Join(1, swarm, 2, b"")) + encode(Request(1, 0)))
        await wait_all_tasks_blocked()
        peer.say(encode(Ping(7)))
        await wait_all_tasks_blocked()
        before = len(peer.sent)
        peer.take()
        await wait_all_tasks_blocked()
        assert len(peer.sent) == before + 1
        answer = encode(Pong(7))
        assert peer.sent[-1][: len(answer)] == answer
        assert peer.sent[-1].endswith(parts[0][65536 : 2 * 65536])
        nursery.cancel_scope.cancel()
