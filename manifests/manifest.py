"""The manifest: the list of chunks and files that make one release, as a checked value.

An artifact's bytes are its regular files laid end to end in entry order, the *stream*; pieces cut the stream without
gaps. A piece may cover the end of one file, many small ones, and the start of another.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from .digest import DIGEST_BYTES, digest_function
from .errors import MalformedManifestError
from .paths import check_entries

FILE, DIRECTORY, SYMLINK = "file", "directory", "symlink"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a release. `path` is relative, with `/`. `mode`: permission bits. `target`: of a symlink."""

    path: str
    kind: str
    mode: int = 0o644
    mtime_ns: int = 0
    size: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """How the artifact was cut: sizes in bytes of the smallest, the average and the largest chunk."""

    name: str
    min_bytes: int
    average_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A command of the release itself, run in its directory; exit code 0 means healthy.

    Tried `attempts` times, `interval_s` apart, each for at most `timeout_s`; one success is enough.
    """

    argv: tuple[str, ...]
    timeout_s: float = 10.0
    attempts: int = 3
    interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a part of a piece lies: `length` bytes at `offset` of the file `entries[entry]`."""

    entry: int
    offset: int
    length: int


@dataclass(frozen=True)
class Manifest:
    """One release. `digests`: 32 bytes a piece; `lengths`: bytes of each piece. `sequence` grows with every release
    of a product and orders them. `tree` is False when the artifact is a single file. Checked on construction.
    """

    product: str
    version: str
    sequence: int
    algorithm: str
    profile: Profile
    digests: bytes = field(repr=False)
    lengths: "array[int]" = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)
    tree: bool = True
    health: HealthCheck | None = None

    def __post_init__(self) -> None:
        digest_function(self.algorithm)
        if len(self.digests) != DIGEST_BYTES * len(self.lengths):
            raise MalformedManifestError(f"{len(self.digests)} bytes of digests for {len(self.lengths)} pieces")
        check_entries(self.entries, tree=self.tree)
        files = sum(entry.size for entry in self.entries)
        if files != self.size:
            raise MalformedManifestError(f"files hold {files} bytes, pieces {self.size}")

    @property
    def release(self) -> str:
        """`product@version`."""
        return f"{self.product}@{self.version}"

    @property
    def pieces(self) -> int:
        """How many."""
        return len(self.lengths)

    @cached_property
    def offsets(self) -> "array[int]":
        """Where each piece starts in the stream; one more than there are pieces, the last being the size."""
        return array("Q", accumulate(self.lengths, initial=0))

    @cached_property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(self.lengths)

    @cached_property
    def _files(self) -> tuple["array[int]", "array[int]"]:
        """Stream offset and entry index of each file that is not empty."""
        starts, indices, position = array("Q"), array("I"), 0
        for index, entry in enumerate(self.entries):
            if entry.size:
                starts.append(position)
                indices.append(index)
                position += entry.size
        return starts, indices

    def digest(self, piece: int) -> bytes:
        """The piece's digest."""
        return self.digests[piece * DIGEST_BYTES : (piece + 1) * DIGEST_BYTES]

    def extents(self, piece: int) -> Iterator[Extent]:
        """Where the piece's bytes lie in the files, in order."""
        starts, indices = self._files
        position, left = self.offsets[piece], self.lengths[piece]
        at = bisect_right(starts, position) - 1
        while left:
            offset = position - starts[at]
            length = min(left, self.entries[indices[at]].size - offset)
            yield Extent(indices[at], offset, length)
            position += length
            left -= length
            at += 1
