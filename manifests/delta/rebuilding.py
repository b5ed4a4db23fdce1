"""From a small pack and the base's pieces to the release's, one piece in memory at a time.

Covers go to and fro, and a base piece can be many megabytes. So it is verified once, in parts, and then read by
position, wherever the next cover begins. That it may change between the one and the other does no harm: what is made of
it has a digest of its own, and what is expanded with it as a dictionary is bounded whatever the dictionary is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, Protocol

from manifests.digest import digest_function
from manifests.errors import MalformedPackError
from manifests.manifest import Manifest

from .applying import DAMAGED, NO_BASE
from .patches import Cover
from .small import SmallPack, literals

BLOCK_BYTES: Final = 64 * 2**10
"""Read at once where a cover is short: the next one lies near it, more often than not."""
BLOCKS_KEPT: Final = 32
"""Of those read last."""
READ_BYTES: Final = 2**20
"""Read at once at most."""


class Bases(Protocol):
    """Pieces of the release that a pack starts from, where they lie."""

    def sound(self, piece: int) -> bool:
        """Is it here, with its digest? Looked at in full, in parts; asked before anything of it is read."""
        ...

    def read(self, piece: int, offset: int, length: int) -> bytes | None:
        """Up to `length` bytes of a piece that was sound, at least one; None if they are not to be had any more."""
        ...


class Held:
    """Bases of which `read` gives each whole and verified, or None. All that were asked for stay in memory."""

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read = read
        self._held: dict[int, bytes | None] = {}

    def sound(self, piece: int) -> bool:
        """It was given."""
        self._held[piece] = self._read(piece)
        return self._held[piece] is not None

    def read(self, piece: int, offset: int, length: int) -> bytes | None:
        """A part of it."""
        return (self._held[piece] or b"")[offset : offset + length] or None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`data`: the piece's bytes, which have its digest; None, and `why`, when it must be had as it is. DAMAGED it is,
    too, when a base was changed after it was looked at.
    """

    piece: int
    data: bytes | bytearray | None
    why: str = ""


def apply_small(pack: SmallPack, release: Manifest, base: Manifest | None, bases: Bases) -> Iterator[Rebuilt]:
    """What a checked pack becomes, in order."""
    digest_of = digest_function(release.algorithm)
    rebuilding = _Rebuilding(pack, base, _Parts(bases))
    for piece, (start, end) in zip(pack.pieces, pairwise(pack.made_starts(release)), strict=True):
        data, why = rebuilding.piece(start, end)
        if data is not None and digest_of(data) != release.digest(piece):
            data, why = None, DAMAGED
        yield Rebuilt(piece, data, why)


class _Parts:
    """Reads bases by position, each after it was found sound, which is asked once."""

    def __init__(self, bases: Bases) -> None:
        self._bases = bases
        self._sound: dict[int, bool] = {}
        self._blocks: dict[tuple[int, int], bytes | None] = {}

    def fill(self, into: memoryview, piece: int, offset: int) -> bool:
        """Bytes of a piece from `offset` on; False if they are not to be had."""
        if piece not in self._sound:
            self._sound[piece] = self._bases.sound(piece)
        at = 0
        while at < len(into) and self._sound[piece]:
            left = len(into) - at
            part = self._short(piece, offset + at, left) if left < BLOCK_BYTES else self._long(piece, offset + at, left)
            if not part:
                self._sound[piece] = False
                break
            into[at : at + len(part)] = part
            at += len(part)
        return at == len(into)

    def _long(self, piece: int, offset: int, length: int) -> bytes | None:
        return self._bases.read(piece, offset, min(length, READ_BYTES))

    def _short(self, piece: int, offset: int, length: int) -> bytes | None:
        block, within = divmod(offset, BLOCK_BYTES)
        found = self._blocks.pop((piece, block), None) or self._bases.read(piece, block * BLOCK_BYTES, BLOCK_BYTES)
        self._blocks[piece, block] = found  # behind all others
        if len(self._blocks) > BLOCKS_KEPT:
            del self._blocks[next(iter(self._blocks))]
        return found and found[within : within + length]


class _Rebuilding:
    """Goes through all that is made, once, from its start to its end."""

    def __init__(self, pack: SmallPack, base: Manifest | None, parts: _Parts) -> None:
        self._pack, self._parts = pack, parts
        lengths = (base.lengths[piece] for piece in pack.bases) if base else iter(())
        self._base_starts = list(accumulate(lengths, initial=0))
        self._covers = iter(pack.covers)
        self._cover: Cover | None = next(self._covers, None)
        self._covered = self._changed = 0
        """Bytes that had a cover so far, and those of them that were changed."""
        self._fresh, self._why = self._literals(base)
        self._used = 0
        """Literals so far."""

    def _literals(self, base: Manifest | None) -> tuple[bytes | None, str]:
        if not self._pack.literal_bytes:
            return b"", ""
        dictionary = bytearray(self._base_starts[len(self._pack.dictionary(base))])
        try:
            if not self._fill(memoryview(dictionary), 0):
                return None, NO_BASE
            return literals(self._pack, dictionary), ""
        except MalformedPackError:
            return None, DAMAGED

    def piece(self, start: int, end: int) -> tuple[bytearray | None, str]:
        """The bytes from `start` to `end`, or why there are none. Called for one piece after the other."""
        made, why = bytearray(end - start), ""
        at = 0
        while start < end:
            cover = self._cover
            if cover is None or start < cover.new:
                stop = end if cover is None else min(end, cover.new)
                if self._fresh is not None:
                    made[at : at + stop - start] = self._fresh[self._used : self._used + stop - start]
                self._used += stop - start
                why = why or self._why
            else:
                stop = min(end, cover.new + cover.length)
                with memoryview(made)[at : at + stop - start] as part:
                    why = why or ("" if self._fill(part, cover.old + start - cover.new) else NO_BASE)
                    self._change(part)
                if stop == cover.new + cover.length:
                    self._cover = next(self._covers, None)
            at, start = at + stop - start, stop
        return (None, why) if why else (made, "")

    def _fill(self, into: memoryview, old: int) -> bool:
        """Bytes of the bases, laid end to end, from the `old`th on."""
        at = 0
        while at < len(into):
            place = bisect_right(self._base_starts, old + at) - 1
            count = min(len(into) - at, self._base_starts[place + 1] - old - at)
            if not self._parts.fill(
                into[at : at + count], self._pack.bases[place], old + at - self._base_starts[place]
            ):
                return False
            at += count
        return True

    def _change(self, part: memoryview) -> None:
        """The next bytes that have a cover: those of them that differ get what they are in the release."""
        before, first = self._covered, self._changed
        self._covered += len(part)
        self._changed = bisect_left(self._pack.changed, self._covered, first)
        replacing = self._pack.replacing
        for place, value in zip(
            self._pack.changed[first : self._changed], self._pack.values[first : self._changed], strict=True
        ):
            part[place - before] = value if replacing else part[place - before] + value & 0xFF
