"""The seam between the exchange and where bytes are kept: the daemon's store, or the seeder's shield."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from manifests.errors import DigestMismatchError
from p2pd.world.network import Buffer


class StorageError(Exception):
    """A verified piece could not be written (disk full, damaged). Ours: the download waits and says so."""


Problem = DigestMismatchError | StorageError


class Arrived(NamedTuple):
    """A whole piece, not yet verified, and where it came from, as statistics name it."""

    piece: int
    data: Buffer
    source: str


class Content(Protocol):
    """Pieces of the swarms that this node is in."""

    async def read_piece(self, swarm: bytes, piece: int) -> bytes | bytearray | None:
        """The piece, verified; None when it is not there any more, StorageError when it can't be read just now."""
        ...

    async def write_pieces(self, swarm: bytes, pieces: Sequence[Arrived]) -> Sequence[Problem | None]:
        """Verify, then keep, in one go. Of each: None, DigestMismatchError when it is not the piece, StorageError when
        it can't be kept."""
        ...

    async def release_name(self, swarm: bytes) -> str | None:
        """The name of the swarm's release; None: not here."""
        ...

    async def read_manifest(self, swarm: bytes, offset: int, length: int) -> tuple[int, bytes] | None:
        """The whole size of a swarm's encoded manifest and a part of it, for a peer that asks; None: not here."""
        ...

    async def make_edits(self, swarm: bytes, held: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """One of the manifests `held` by a peer, and what leads from it to the swarm's; None: send it whole."""
        ...
