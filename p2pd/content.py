"""The daemon's store as the exchange sees it: pieces by swarm, every disk job in one hop to a worker."""

import errno

from manifests.errors import DigestMismatchError
from p2pd.exchange import StorageError
from p2pd.store import Store, StoreError
from p2pd.world import World


class StoreContent:
    """Reads and writes pieces of the artifacts in `store`."""

    def __init__(self, world: World, store: Store) -> None:
        self._world, self._store = world, store

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        """The piece, verified; None when it is gone or damaged."""
        artifact = self._store.artifacts.get(swarm)
        if artifact is None:
            return None
        try:
            return await self._world.run_blocking(self._store.read_piece, artifact, piece)
        except OSError:
            return None

    async def write_piece(self, swarm: bytes, piece: int, data: bytes, source: str) -> None:
        """Verify, write, remember."""
        artifact = self._store.artifacts.get(swarm)
        if artifact is None:
            raise StorageError("the release was removed while it was fetched")
        try:
            await self._world.run_blocking(self._store.write_piece, artifact, piece, data, source)
        except DigestMismatchError:
            raise
        except StoreError as error:  # no room, or it was removed or finished meanwhile
            raise StorageError(str(error)) from error
        except OSError as error:
            raise StorageError(describe(error)) from error

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """The size of the encoded manifest, and a part of it."""
        artifact = self._store.artifacts.get(swarm)
        if artifact is None:
            return None
        try:
            whole = await self._world.run_blocking(self._store.read_manifest, artifact)
        except OSError:
            return None
        return len(whole), whole[offset : offset + length]


def describe(error: OSError) -> str:
    """A disk's error in words, with what to do where that is known."""
    if error.errno == errno.ENOSPC:
        return "the disk is full: free some space, the download goes on by itself"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"may not write {error.filename or 'there'}: {error.strerror}"
    return f"the disk says: {error.strerror or error}"
