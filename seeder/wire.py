"""The peer wire's door: the shield as a permanent seed of every release in the blob store.

A peer that joins a swarm we are not in makes us read that release's manifest and join, super-seeding; a swarm that
nobody has been in for a while is left again. Which releases there are is the blob store's business: nothing is listed.
"""

from collections.abc import Sequence
from typing import Final

import trio

from manifests import edits
from manifests.blobs import chunk_path, manifest_path
from manifests.codec import decode
from manifests.errors import DigestMismatchError, MalformedManifestError
from manifests.manifest import Manifest
from p2pd.exchange import Exchange, Membership, Node, StorageError
from p2pd.exchange.content import Arrived, Problem
from p2pd.swarm import Swarm
from p2pd.wire import bits
from p2pd.world import World

from .shield.shield import NotServed, Shield

SWARMS_MAX: Final = 1024
"""Swarms seeded at once: 60 MB of manifests for releases of 10 GB in 4 MiB chunks; idle ones are left anyway."""
OPENING_MAX: Final = 16
"""Manifests read at the same time on the word of peers."""
IDLE_S: Final = 600.0
"""A swarm that nobody joined or asked of for so long is left."""


class ShieldContent:
    """What the exchange serves: pieces of opened manifests, through the shield's cache."""

    def __init__(self, world: World, shield: Shield) -> None:
        self._world, self._shield = world, shield
        self.manifests: dict[bytes, Manifest] = {}

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        """The piece, verified; StorageError while it can't be had (the peer is told to ask again)."""
        manifest = self.manifests.get(swarm)
        if manifest is None:
            return None
        try:
            data = await self._shield.get(chunk_path(manifest.digest(piece)))
        except NotServed as error:
            raise StorageError(str(error)) from error
        self._shield.count_served("peer", len(data))
        return data

    async def write_pieces(self, swarm: bytes, pieces: Sequence[Arrived]) -> Sequence[Problem | None]:
        """Never: a shield asks no peer for anything."""
        return [DigestMismatchError("a shield takes no pieces from peers")] * len(pieces)

    async def release_name(self, swarm: bytes) -> str | None:
        """The name of the swarm's release; None when it is not here."""
        manifest = self.manifests.get(swarm)
        if manifest is None:
            try:
                manifest = decode(await self._shield.get(manifest_path(swarm)))
            except (NotServed, MalformedManifestError):
                return self._release_of_small_pack(swarm)
        return manifest.release

    def _release_of_small_pack(self, pack: bytes) -> str | None:
        """Who asks for one is in the swarm of its release."""
        opened = self.manifests.values()
        return next((one.release for one in opened if any(pack == named.manifest for named in one.packs)), None)

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """The size of a manifest and a part of it."""
        try:
            encoded = await self._shield.get(manifest_path(swarm))
        except NotServed:
            return None
        part = encoded[offset : offset + length]
        self._shield.count_served("peer", len(part))
        return len(encoded), part

    async def make_edits(self, swarm: bytes, held: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """From one of these manifests, if it is in the store too, to the swarm's."""
        for base in held:
            try:
                new = await self._shield.get(manifest_path(swarm))
                old = await self._shield.get(manifest_path(base))
            except NotServed:
                continue
            made = await self._world.run_blocking(edits.between, base, old, swarm, new)
            if made is not None:
                self._shield.count_served("peer", len(made[1]))
            return made
        return None


class PeerDoor:
    """Seeds on the peer wire."""

    def __init__(self, world: World, shield: Shield, node: Node) -> None:
        self._world, self._shield = world, shield
        self._content = ShieldContent(world, shield)
        self.exchange = Exchange(world, node, self._content, on_unknown_swarm=self._stranger)
        self._opening: dict[bytes, None] = {}
        self._used_at: dict[bytes, float] = {}

    async def serve(
        self, listen: str, advertise: str, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Seed until cancelled; started with the address that peers may dial."""
        self.exchange.neighbours.advertised = advertise
        async with trio.open_nursery() as nursery:
            address = await nursery.start(self.exchange.run, listen)
            nursery.start_soon(self._leave_idle)
            task_status.started(advertise or address)

    def _stranger(self, swarm: bytes) -> None:
        if swarm not in self._opening and len(self._opening) < OPENING_MAX:
            self._opening[swarm] = None
            self.exchange.spawn(self._open, swarm)

    async def _open(self, swarm: bytes) -> None:
        try:
            manifest = decode(await self._shield.get(manifest_path(swarm)))
        except (NotServed, MalformedManifestError):
            return  # the shield remembers for a while that there is no such thing; the peer finds it elsewhere or not
        finally:
            del self._opening[swarm]
        if swarm in self.exchange.memberships or len(self.exchange.memberships) >= SWARMS_MAX:
            return
        self._content.manifests[swarm] = manifest
        self._used_at[swarm] = trio.current_time()
        everything = bits.full(manifest.pieces)
        brain = Swarm(
            manifest.lengths,
            everything,
            rng=self._world.dice(manifest.release),
            now=trio.current_time(),
            super_seeding=True,
        )
        self.exchange.join(Membership(swarm, manifest, brain))

    async def _leave_idle(self) -> None:
        while True:
            await trio.sleep(IDLE_S / 10)
            now = trio.current_time()
            for swarm, membership in list(self.exchange.memberships.items()):
                if membership.brain.neighbours:
                    self._used_at[swarm] = now
                elif now - self._used_at[swarm] > IDLE_S:
                    self.exchange.leave(swarm)
                    del self._content.manifests[swarm], self._used_at[swarm]
