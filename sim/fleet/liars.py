"""Peers and trackers that lie: the shipped exchange, announcer and wire, with bad content behind them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import trio

from p2pd.announcer import Announcer
from p2pd.exchange import Exchange, Membership, Node
from p2pd.exchange.content import Arrived, Problem
from p2pd.swarm import Swarm
from p2pd.tracker_stream import ConnectionEndedError, TrackerStream
from p2pd.wire import bits
from p2pd.wire.announce import (
    Announce,
    Goal,
    Goals,
    Handout,
    PeerInfo,
    Register,
    Renewed,
    Seeders,
    SeedersRequest,
    SwarmStatus,
    Watch,
)
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.messages import PROTOCOL_VERSION
from p2pd.world import World
from p2pd.world.network import Stream

from .releases import Release

PEERS_WANTED: Final = 16
PHANTOMS: Final = 5
"""Peers that a lying tracker makes up."""


class LyingContent:
    """`poison`: other bytes than promised. `nothing`: claims all, gives nothing. `silence`: never answers."""

    def __init__(self, releases: dict[bytes, Release], kind: str) -> None:
        self._releases, self._kind = releases, kind

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        """What it says is the piece."""
        await trio.lowlevel.checkpoint()
        if self._kind == "silence":
            await trio.sleep_forever()
        if self._kind == "nothing":
            return None
        good = self._releases[swarm].pieces[piece]
        return bytes((good[0] ^ 0xFF,)) + good[1:]

    async def write_pieces(self, swarm: bytes, pieces: Sequence[Arrived]) -> Sequence[Problem | None]:
        """It wants nothing."""
        await trio.lowlevel.checkpoint()
        return [None] * len(pieces)

    async def release_name(self, swarm: bytes) -> str | None:
        """Whose swarm it is."""
        return self._releases[swarm].manifest.release

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """A manifest that is not the one that was asked for."""
        await trio.lowlevel.checkpoint()
        encoded = self._releases[swarm].encoded
        return len(encoded), bytes(len(encoded))[offset : offset + length]

    async def make_edits(self, swarm: bytes, held: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """Edits that lead nowhere."""
        await trio.lowlevel.checkpoint()
        return held[0], b"\1" + swarm


async def lie(
    world: World,
    name: str,
    fleet: str,
    region: str,
    trackers: tuple[str, ...],
    releases: dict[bytes, Release],
    kind: str,
    *,
    task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Be a peer that announces every release as complete and keeps no promise."""
    exchange = Exchange(world, Node(name, fleet, region, "daemon"), LyingContent(releases, kind))
    async with trio.open_nursery() as nursery:
        address = await nursery.start(exchange.run, f"{name}:7000")
        for swarm, release in releases.items():
            brain = Swarm(
                release.manifest.lengths, bits.full(release.manifest.pieces), rng=world.rng, now=trio.current_time()
            )
            exchange.join(Membership(swarm, release.manifest, brain))
        register = Register(PROTOCOL_VERSION, fleet, name, region, "daemon", address)
        announcer = Announcer(world.network, trackers, register, world.rng, lambda heard: None)
        announcer.update(
            SwarmStatus(swarm, release.manifest.pieces, release.manifest.pieces, PEERS_WANTED)
            for swarm, release in releases.items()
        )
        nursery.start_soon(announcer.run)
        task_status.started(exchange)


class LyingTracker:
    """Names goals that nobody commanded, peers that are not there, and seeders that nobody knows."""

    def __init__(self, address: str, goal: Goal, told: Callable[[Goal], None]) -> None:
        self._address, self._goal, self._told = address, goal, told

    async def run(self, world: World, *, task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve lies until cancelled."""
        listener = await world.network.listen(self._address)
        async with trio.open_nursery() as nursery:
            task_status.started(listener.address)
            while True:
                nursery.start_soon(self._converse, await listener.accept())

    async def _converse(self, stream: Stream) -> None:
        talk = TrackerStream(stream)
        try:
            while True:
                message = await talk.receive()
                if isinstance(message, Watch):
                    self._told(self._goal)
                    await talk.send(Goals(self._goal.revision, (self._goal,)))
                elif isinstance(message, SeedersRequest):
                    await talk.send(Seeders((_phantom("seeder"),)))
                elif isinstance(message, Announce):
                    peers = tuple(_phantom(f"{number}") for number in range(PHANTOMS))
                    await talk.send(*(Handout(one.swarm, peers) for one in message.swarms if one.wanted), Renewed(5.0))
        except (ConnectionEndedError, RemoteProtocolError):
            pass
        finally:
            with trio.move_on_after(1.0, shield=True):
                await talk.aclose()


def _phantom(name: str) -> PeerInfo:
    return PeerInfo(f"phantom-{name}", f"phantom-{name}:7000", "north", "daemon", True, "http://phantom:8480")
