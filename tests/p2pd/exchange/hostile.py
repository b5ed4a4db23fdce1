"""Peers that keep to no rule but those that a test gives them: they speak the wire by hand."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio

from p2pd.wire import bits
from p2pd.wire.codec import encode
from p2pd.wire.connection import About, Event, PeerConnection
from p2pd.wire.framing import BLOCK_BYTES_MAX, block_head
from p2pd.wire.messages import Hello, Join, Message, Request
from p2pd.world.network import Identity, Listener, Stream
from tests.fakes.network import MemoryNetwork

from .helpers import Member, MemoryContent, make_member, make_release, start

CHANNEL = 1


@dataclass
class Scene:
    """A leecher that wants a release, an honest peer that has it, and room for others."""

    network: MemoryNetwork
    leecher: Member
    honest: Member
    parts: list[bytes]
    nursery: trio.Nursery

    def meet_honest(self) -> None:
        """The leecher hears of the honest peer."""
        self.leecher.exchange.neighbours.suggest(self.leecher.membership.swarm, [self.honest.info()])

    async def completes(self, within_s: float = 60.0) -> float:
        """The leecher gets everything as it was signed; the virtual second at which it had it."""
        with trio.fail_after(within_s):
            await self.leecher.membership.completed.wait()
        assert self.leecher.content.pieces == dict(enumerate(self.parts))
        return trio.current_time()

    def sessions(self) -> set[str]:
        """Who is connected to the leecher."""
        return set(self.leecher.exchange.neighbours.sessions)


@asynccontextmanager
async def a_scene(
    pieces: int = 30, piece_bytes: int = 1000, *, content: MemoryContent | None = None, **options: Any
) -> AsyncIterator[Scene]:
    """Leecher and honest peer run, and don't know each other yet. `content`, `options`: of the leecher."""
    manifest, parts, swarm = make_release(pieces, piece_bytes)
    network = MemoryNetwork()
    honest = make_member(network, "honest", "daemon", manifest, swarm, dict(enumerate(parts)))
    leecher = make_member(network, "leecher", "daemon", manifest, swarm, {}, content, **options)
    async with trio.open_nursery() as nursery:
        await start(nursery, [honest])
        await start(nursery, [leecher])
        yield Scene(network, leecher, honest, parts, nursery)
        nursery.cancel_scope.cancel()


class Hostile:
    """One connection, by hand."""

    def __init__(self, name: str, stream: Stream, *, fleet: str = "test") -> None:
        self.name = name
        self.stream = stream
        self._heard: deque[Event] = deque()
        self.connection = PeerConnection(Hello(1, fleet, name, "here", "daemon", f"{name}:1"))

    @classmethod
    async def dial(
        cls, scene: Scene, name: str, *, to: Member | None = None, proven: Identity | None = None
    ) -> "Hostile":
        """Connect to the leecher (or another); nothing is said yet."""
        member = to or scene.leecher
        return cls(name, await scene.network.host(name, proven).dial(member.exchange.address))

    async def say(self, *said: Message | bytes) -> None:
        """Send these."""
        await self.stream.send_all(b"".join(one if isinstance(one, bytes) else encode(one) for one in said))

    async def join(self, scene: Scene, held: int | None = None) -> None:
        """Say Hello and join the leecher's swarm, claiming all pieces unless told otherwise."""
        count = len(scene.parts)
        field = bits.to_bitfield(bits.full(count) if held is None else held, count)
        await self.say(self.connection.hello(), Join(CHANNEL, scene.leecher.membership.swarm, count, field))

    async def hear(self, wanted: Callable[[Event], bool]) -> Event:
        """Read until something of interest comes."""
        while True:
            while self._heard:
                event = self._heard.popleft()
                if wanted(event):
                    return event
            data = await self.stream.receive_some()
            if not data:
                raise trio.BrokenResourceError("the other side closed")
            self._heard.extend(self.connection.receive(data))

    async def asked(self) -> int:
        """The next piece that is asked for."""
        event = await self.hear(lambda one: isinstance(one, About) and isinstance(one.message, Request))
        assert isinstance(event, About)
        assert isinstance(event.message, Request)
        return event.message.piece

    async def is_dropped(self, within_s: float = 5.0) -> None:
        """The other side closes; trio.TooSlowError if it does not."""
        with trio.fail_after(within_s):
            try:
                while await self.stream.receive_some():
                    pass
            except trio.BrokenResourceError:
                pass


def block(piece: int, offset: int, data: bytes) -> bytes:
    """One block on our channel."""
    return block_head(CHANNEL, piece, offset, len(data)) + data


def in_blocks(piece: int, data: bytes) -> list[bytes]:
    """A piece as it should travel."""
    return [
        block(piece, offset, data[offset : offset + BLOCK_BYTES_MAX]) for offset in range(0, len(data), BLOCK_BYTES_MAX)
    ]


async def accept_silently(listener: Listener) -> None:
    """Take every connection and say nothing."""
    kept = []
    while True:
        kept.append(await listener.accept())
