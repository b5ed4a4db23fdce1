"""Which piece has this digest? For one manifest, in 12 bytes a piece: no Python object per chunk."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Protocol

from manifests.digest import DIGEST_BYTES

_WORDS_PER_DIGEST = DIGEST_BYTES // 8


class Digests(Protocol):
    """What an index needs of a manifest."""

    @property
    def digests(self) -> bytes:
        """Packed, one a piece."""
        ...

    def digest(self, piece: int) -> bytes:
        """One of them."""
        ...


class DigestIndex:
    """The manifest's pieces in the order of their digests' first 8 bytes, searched by bisection."""

    def __init__(self, manifest: Digests) -> None:
        self._manifest = manifest
        words = memoryview(manifest.digests).cast("Q")
        prefixes = array("Q", words[::_WORDS_PER_DIGEST].tolist())
        self._order = array("I", sorted(range(len(prefixes)), key=prefixes.__getitem__))
        self._prefixes = array("Q", (prefixes[piece] for piece in self._order))

    def find(self, digest: bytes) -> Iterator[int]:
        """All pieces with this digest, ascending."""
        prefix = memoryview(digest).cast("Q")[0]
        at = bisect_left(self._prefixes, prefix)
        while at < len(self._prefixes) and self._prefixes[at] == prefix:
            piece = self._order[at]
            if self._manifest.digest(piece) == digest:
                yield piece
            at += 1
