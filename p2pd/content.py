"""The daemon's store as the exchange sees it: pieces by swarm, every disk job in one hop to a worker."""

import errno
from collections.abc import Sequence
from typing import Final

import trio

from manifests import edits
from manifests.errors import DigestMismatchError
from p2pd.exchange import StorageError
from p2pd.exchange.content import Arrived, Problem
from p2pd.patching.smallpacks import SmallPacks
from p2pd.store import Artifact, Store, StoreError
from p2pd.world import World

AT_ONCE_BYTES_MAX: Final = 1024 * 1024
"""So much is read and verified in the event loop, if no disk is to be waited for: in 0.2 ms. The way to a worker and
back takes as long, and a busy machine's time twice."""


class StoreContent:
    """Reads and writes pieces of the artifacts in these stores, each artifact in one of them; and gives small packs."""

    def __init__(self, world: World, *stores: Store, small: SmallPacks) -> None:
        self._world, self._stores, self._small = world, stores, small

    def _find(self, swarm: bytes) -> tuple[Store, Artifact] | None:
        for store in self._stores:
            if (artifact := store.get(swarm)) is not None:
                return store, artifact
        return None

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | bytearray | None:
        """The piece, verified; None when it is gone or damaged."""
        found = self._find(swarm)
        if found is None:
            return None
        store, artifact = found
        at_once = artifact.manifest.lengths[piece] <= AT_ONCE_BYTES_MAX
        if at_once and (data := store.read_cached_piece(artifact, piece)) is not None:
            await trio.lowlevel.checkpoint_if_cancelled()
            return data
        try:
            return await self._world.run_blocking(store.read_piece, artifact, piece)
        except OSError:
            return None

    async def write_pieces(self, swarm: bytes, pieces: Sequence[Arrived]) -> Sequence[Problem | None]:
        """Verify, write, remember: what became of each."""
        found = self._find(swarm)
        if found is None:
            return [StorageError("the release was removed while it was fetched")] * len(pieces)
        return await self._world.run_blocking(_write, *found, pieces)

    async def release_name(self, swarm: bytes) -> str | None:
        """The name of the swarm's release; None when it is not here."""
        found = self._find(swarm)
        return found[1].manifest.release if found else self._small.release(swarm)

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """The size of the encoded manifest, and a part of it."""
        whole = self._small.get(swarm) or await self._manifest(swarm)
        return None if whole is None else (len(whole), whole[offset : offset + length])

    async def make_edits(self, swarm: bytes, held: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """From one of these manifests, if it is here too, to the swarm's; None if that is not shorter."""
        whole = await self._manifest(swarm)
        for base in held:
            old = await self._manifest(base)
            if whole is not None and old is not None:
                return await self._world.run_blocking(edits.between, base, old, swarm, whole)
        return None

    async def _manifest(self, swarm: bytes) -> bytes | None:
        found = self._find(swarm)
        if found is None:
            return None
        store, artifact = found
        try:
            return await self._world.run_blocking(store.read_manifest, artifact)
        except OSError:
            return None


def _write(store: Store, artifact: Artifact, pieces: Sequence[Arrived]) -> list[Problem | None]:
    """In a worker: one after the other."""
    return [_problem(store, artifact, one) for one in pieces]


def _problem(store: Store, artifact: Artifact, one: Arrived) -> Problem | None:
    try:
        store.write_piece(artifact, one.piece, one.data, one.source)
    except DigestMismatchError as error:
        return error
    except StoreError as error:  # no room, or it was removed or finished meanwhile
        return StorageError(str(error))
    except OSError as error:
        return StorageError(describe(error))
    return None


def describe(error: OSError) -> str:
    """A disk's error in words, with what to do where that is known."""
    if error.errno == errno.ENOSPC:
        return "the disk is full: free some space, the download goes on by itself"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"may not write {error.filename or 'there'}: {error.strerror}"
    return f"the disk says: {error.strerror or error}"
