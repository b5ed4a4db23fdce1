"""The manifest: the list of chunks and files that make one release, as a checked value.

An artifact's bytes are its regular files laid end to end in entry order, the *stream*; pieces cut the stream without
gaps. A piece may cover the end of one file, many small ones, and the start of another.
"""

import math
from array import array
from dataclasses import dataclass, field

from . import limits
from .digest import DIGEST_BYTES, digest_function
from .entries import DIRECTORY, FILE, SYMLINK, Entry
from .errors import BadNameError, MalformedManifestError
from .layout import Extent, Layout
from .names import ReleaseName
from .packs import Pack, check_packs
from .paths import check_entries

__all__ = ["DIRECTORY", "FILE", "SYMLINK", "Entry", "Extent", "HealthCheck", "Manifest", "Pack", "Profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """How the artifact was cut: sizes in bytes of the smallest, the average and the largest chunk."""

    name: str
    min_bytes: int
    average_bytes: int
    max_bytes: int

    def __post_init__(self) -> None:
        if not 0 < self.min_bytes <= self.average_bytes <= self.max_bytes <= limits.CHUNK_BYTES_MAX:
            raise MalformedManifestError(f"profile {self.name!r} has impossible sizes")
        if not 0 < len(self.name) <= 64 or not self.name.isprintable():
            raise MalformedManifestError("a profile's name has 1 to 64 printable characters")


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A command of the release itself, run in its directory; exit code 0 means healthy.

    Tried `attempts` times, `interval_s` apart, each for at most `timeout_s`; one success is enough.
    """

    argv: tuple[str, ...]
    timeout_s: float = 10.0
    attempts: int = 3
    interval_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < len(self.argv) <= limits.HEALTH_ARGUMENTS_MAX or not self.argv[0]:
            raise MalformedManifestError(f"a health check has 1 to {limits.HEALTH_ARGUMENTS_MAX} words")
        for word in self.argv:
            if "\0" in word or len(word.encode(errors="replace")) > limits.HEALTH_ARGUMENT_BYTES_MAX:
                raise MalformedManifestError("a word of the health check is too long or holds a zero byte")
        if not 1 <= self.attempts <= limits.HEALTH_ATTEMPTS_MAX:
            raise MalformedManifestError(f"a health check has 1 to {limits.HEALTH_ATTEMPTS_MAX} attempts")
        for seconds, least in ((self.timeout_s, math.ulp(0.0)), (self.interval_s, 0.0)):
            if not least <= seconds <= limits.HEALTH_TIMEOUT_MAX_S:
                raise MalformedManifestError(f"a health check can't last {seconds} s")


@dataclass(frozen=True)
class Manifest:
    """One release. `digests`: 32 bytes a piece; `lengths`: bytes of each piece. `sequence` grows with every release
    of a product and orders them. `tree` is False when the artifact is a single file. `packs`: other ways to get the
    pieces. Checked on construction.
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
    packs: tuple[Pack, ...] = ()
    release: str = field(init=False, repr=False, compare=False)
    """`product@version`."""
    size: int = field(init=False, repr=False, compare=False)
    """Bytes of all files together."""
    _layout: Layout | None = field(init=False, repr=False, compare=False)
    """Made when first asked for. (A cached property is made anew each time where this is machine code.)"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "release", f"{self.product}@{self.version}")
        object.__setattr__(self, "size", sum(self.lengths))
        object.__setattr__(self, "_layout", None)
        try:
            ReleaseName(self.product, self.version)
        except BadNameError as error:
            raise MalformedManifestError(str(error)) from None
        if not 0 <= self.sequence <= limits.SEQUENCE_MAX:
            raise MalformedManifestError(f"sequence {self.sequence} is not within 0 and 2**63 - 1")
        digest_function(self.algorithm)
        self._check_pieces()
        check_packs(self.packs)
        check_entries(self.entries, tree=self.tree)
        files = sum(entry.size for entry in self.entries)
        if files != self.size:
            raise MalformedManifestError(f"files hold {files} bytes, pieces {self.size}")

    def _check_pieces(self) -> None:
        if len(self.lengths) > limits.PIECES_MAX:
            raise MalformedManifestError(f"{len(self.lengths)} pieces, at most {limits.PIECES_MAX} are allowed")
        if len(self.digests) != DIGEST_BYTES * len(self.lengths):
            raise MalformedManifestError(f"{len(self.digests)} bytes of digests for {len(self.lengths)} pieces")
        if self.lengths and not 0 < min(self.lengths) <= max(self.lengths) <= self.profile.max_bytes:
            raise MalformedManifestError(f"a piece is empty or longer than {self.profile.max_bytes} bytes")

    @property
    def pieces(self) -> int:
        """How many."""
        return len(self.lengths)

    @property
    def offsets(self) -> "array[int]":
        """Where each piece starts in the stream; one more than there are pieces, the last being the size."""
        return self._laid_out().offsets

    def digest(self, piece: int) -> bytes:
        """The piece's digest."""
        return self.digests[piece * DIGEST_BYTES : (piece + 1) * DIGEST_BYTES]

    def extents(self, piece: int) -> list[Extent]:
        """Where the piece's bytes lie in the files, in order."""
        return self._laid_out().extents(piece)

    def _laid_out(self) -> Layout:
        layout = self._layout
        if layout is None:
            layout = Layout(self.lengths, self.entries)
            object.__setattr__(self, "_layout", layout)
        return layout
