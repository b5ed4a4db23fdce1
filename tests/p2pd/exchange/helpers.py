"""A small fleet of exchanges on a network in memory, with content in memory, under the virtual clock."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import httpx
import trio

from manifests.digest import digest_function, manifest_digest, verify
from manifests.errors import DigestMismatchError
from manifests.manifest import Entry, Manifest, Profile
from p2pd.exchange import Exchange, Membership, Node
from p2pd.exchange.content import Arrived, Problem
from p2pd.swarm import Swarm
from p2pd.wire import bits
from p2pd.wire.announce import PeerInfo
from p2pd.world import World
from p2pd.world.network import Buffer, Network
from tests.fakes.network import MemoryNetwork
from tests.fakes.world import run_inline

PIECE_BYTES = 1000


def make_release(pieces: int, piece_bytes: int = PIECE_BYTES) -> tuple[Manifest, list[bytes], bytes]:
    """A single-file release of random bytes: its manifest, its pieces, its swarm."""
    rng = Random(7)
    parts = [rng.randbytes(piece_bytes) for _ in range(pieces)]
    hashed = digest_function("blake3")
    manifest = Manifest(
        "web",
        "1",
        1,
        "blake3",
        Profile("test", 1, piece_bytes, piece_bytes),
        b"".join(map(hashed, parts)),
        array("I", [piece_bytes] * pieces),
        (Entry("web", "file", size=piece_bytes * pieces),),
        tree=False,
    )
    return manifest, parts, manifest_digest(b"".join(parts))


@dataclass
class MemoryContent:
    """Pieces in a dict."""

    manifest: Manifest
    pieces: dict[int, bytes] = field(default_factory=dict)
    sources: dict[int, str] = field(default_factory=dict)
    edits: tuple[bytes, bytes] | None = None

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        await trio.lowlevel.checkpoint()
        return self.pieces.get(piece)

    async def write_pieces(self, swarm: bytes, pieces: Sequence[Arrived]) -> Sequence[Problem | None]:
        await trio.lowlevel.checkpoint()
        return [self._problem(*one) for one in pieces]

    def _problem(self, piece: int, data: Buffer, source: str) -> Problem | None:
        try:
            verify(self.manifest.algorithm, data, self.manifest.digest(piece))
        except DigestMismatchError as error:
            return error
        self.pieces[piece] = bytes(data)
        self.sources[piece] = source
        return None

    async def release_name(self, swarm: bytes) -> str | None:
        return self.manifest.release

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        await trio.lowlevel.checkpoint()
        return len(swarm), swarm[offset : offset + length]

    async def make_edits(self, swarm: bytes, held: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        await trio.lowlevel.checkpoint()
        return self.edits


@dataclass
class Member:
    """One node of the fleet."""

    exchange: Exchange
    content: MemoryContent
    membership: Membership
    name: str
    role: str

    def info(self) -> PeerInfo:
        return PeerInfo(self.name, self.exchange.address, "here", self.role, False)


def make_world(network: Network, rng_seed: int) -> World:
    """A world without disk or processes."""
    absent: Any = None
    return World(network, absent, absent, httpx.AsyncClient, lambda: 0.0, Random(rng_seed), run_inline)


def make_member(
    network: MemoryNetwork,
    name: str,
    role: str,
    manifest: Manifest,
    swarm: bytes,
    held: dict[int, bytes],
    content: MemoryContent | None = None,
    coalesce: Callable[[float], None] | None = None,
    **options: Any,
) -> Member:
    """A node with some pieces; not running yet."""
    world = replace(make_world(network.host(name), len(name)), coalesce=coalesce)
    content = content or MemoryContent(manifest, dict(held))
    exchange = Exchange(world, Node(name, "test", "here", role), content, **options)
    present = sum(1 << piece for piece in held)
    brain = Swarm(manifest.lengths, present, rng=world.rng, now=trio.current_time(), super_seeding=role == "seeder")
    return Member(exchange, content, Membership(swarm, manifest, brain), name, role)


async def start(nursery: trio.Nursery, members: list[Member]) -> None:
    """Run them all, each knowing all the others."""
    for member in members:
        await nursery.start(member.exchange.run, f"{member.name}:0")
        member.exchange.join(member.membership)
    for member in members:
        member.exchange.neighbours.suggest(
            member.membership.swarm, [one.info() for one in members if one is not member]
        )


def full_set(parts: list[bytes]) -> dict[int, bytes]:
    """All pieces."""
    return dict(enumerate(parts))


__all__ = ["Member", "bits", "full_set", "make_member", "make_release", "start"]
