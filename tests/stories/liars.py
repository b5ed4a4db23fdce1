"""Nodes that are not what they say: real exchanges with content of their own making."""

from collections.abc import Sequence

import trio

from manifests.codec import encode
from p2pd.exchange import Exchange, Membership, Node
from p2pd.exchange.content import Arrived, Problem
from p2pd.httpmessages import Request, Response
from p2pd.httpserver import HttpServer
from p2pd.swarm import Swarm
from p2pd.wire import bits
from tests.fakes.world import memory_world
from tests.stories.fleet import REGION, Fleet
from tests.stories.publisher import Release


class Poison:
    """Content that gives bytes of the right length for every piece, and nothing else is right about them."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self.served = 0

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        """Poison."""
        self.served += 1
        return b"!" * self._release.manifest.lengths[piece]

    async def write_pieces(self, swarm: bytes, pieces: Sequence[Arrived]) -> Sequence[Problem | None]:
        """It asks for nothing."""
        raise AssertionError("a complete node asks for nothing")

    async def release_name(self, swarm: bytes) -> str | None:
        """That of the release."""
        return self._release.manifest.release

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """The right length, the wrong bytes."""
        encoded = b"!" * len(encode(self._release.manifest))
        return len(encoded), encoded[offset : offset + length]

    async def make_edits(self, swarm: bytes, held: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """None: the wrong bytes, whole."""
        return None


class Absence(Poison):
    """Content that is gone as soon as it is asked for."""

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        """Gone."""
        self.served += 1
        return None


class Stall(Poison):
    """Content that lets whoever asks for it wait for ever, for the manifest too."""

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        """Never answers."""
        self.served += 1
        await trio.sleep_forever()

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """Never answers."""
        await trio.sleep_forever()


async def join_as_liar(fleet: Fleet, release: Release, content: Poison, name: str) -> None:
    """A node at `NAME:7` that says it has all of the release and serves this, announced to the region's tracker."""
    world = memory_world(fleet.network.host(name), 666)
    exchange = Exchange(world, Node(name, "default", REGION, "daemon"), content)
    await fleet.nursery.start(exchange.run, f"{name}:7")
    manifest = release.manifest
    brain = Swarm(manifest.lengths, bits.full(manifest.pieces), rng=world.rng, now=0.0)
    brain.pause()  # it asks for nothing, not even for what it had to say that it lost
    exchange.join(Membership(release.digest, manifest, brain))
    await fleet.claim(release, name)


async def serve_poison(fleet: Fleet, address: str) -> None:
    """An HTTP origin that answers everything with 200 and rubbish."""
    network = fleet.network.host(address.partition(":")[0])
    server = HttpServer(utc_now=lambda: 0.0)

    async def answer(request: Request) -> Response:
        return Response(200, {}, b"!" * 1000)

    fleet.nursery.start_soon(server.serve, await network.listen(address), answer)
