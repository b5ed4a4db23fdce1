"""The seam between the exchange and where bytes are kept: the daemon's store, or the seeder's shield."""

from typing import Protocol


class StorageError(Exception):
    """A verified piece could not be written (disk full, damaged). Ours: the download waits and says so."""


class Content(Protocol):
    """Pieces of the swarms that this node is in."""

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | None:
        """The piece, verified; None when it is not there any more."""
        ...

    async def write_piece(self, swarm: bytes, piece: int, data: bytes, source: str) -> None:
        """Verify, then keep: DigestMismatchError when it is not the piece, StorageError when it can't be kept."""
        ...

    def manifest_bytes(self, swarm: bytes) -> bytes | None:
        """The encoded manifest of a swarm, for a peer that asks."""
        ...
