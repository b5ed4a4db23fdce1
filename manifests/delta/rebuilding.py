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

BLOCK_BYTES: Final = 32 * 2**10
"""Read at once where a cover is short: the next one lies near it, more often than not."""
BLOCKS_KEPT: Final = 64
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
    rebuilding = _Rebuilding(pack, release, base, _Parts(bases))
    # A loop's variable would hold a piece while the next one is made.
    return map(rebuilding.rebuilt, pack.pieces, pairwise(pack.made_starts(release)))


class _Parts:
    """Reads bases by position, each after it was found sound, which is asked once."""

    def __init__(self, bases: Bases) -> None:
        self._bases = bases
        self._sound: dict[int, bool] = {}
        self._blocks: dict[tuple[int, int], bytes] = {}

    def read(self, piece: int, offset: int, length: int) -> bytes | None:
        """Up to `length` bytes, at least one; None if they are not to be had."""
        if length >= BLOCK_BYTES:
            return self._read(piece, offset, min(length, READ_BYTES))
        number, within = divmod(offset, BLOCK_BYTES)
        block = self._blocks.get((piece, number)) or self._block(piece, number)
        return block[within : within + length] or None if block else None

    def _block(self, piece: int, number: int) -> bytes | None:
        block = self._read(piece, number * BLOCK_BYTES, BLOCK_BYTES)
        if block is not None:
            self._blocks[piece, number] = block
            if len(self._blocks) > BLOCKS_KEPT:
                del self._blocks[next(iter(self._blocks))]
        return block

    def _read(self, piece: int, offset: int, length: int) -> bytes | None:
        if piece not in self._sound:
            self._sound[piece] = self._bases.sound(piece)
        return self._bases.read(piece, offset, length) if self._sound[piece] else None


class _Rebuilding:
    """Goes through all that is made, once, from its start to its end."""

    def __init__(self, pack: SmallPack, release: Manifest, base: Manifest | None, parts: _Parts) -> None:
        self._pack, self._release, self._parts = pack, release, parts
        self._digest_of = digest_function(release.algorithm)
        lengths = (base.lengths[piece] for piece in pack.bases) if base else iter(())
        self._base_starts = list(accumulate(lengths, initial=0))
        self._covers = iter(pack.covers)
        self._cover: Cover | None = next(self._covers, None)
        self._covered = self._changed = 0
        """Bytes that had a cover so far, and those of them that were changed."""
        self._fresh, self._why = self._literals(base)
        self._used = 0
        """Literals so far."""

    def _literals(self, base: Manifest | None) -> tuple[bytes, str]:
        """What is new, or why there is none."""
        if not self._pack.literal_bytes:
            return b"", ""
        dictionary = bytearray(self._base_starts[len(self._pack.dictionary(base))])
        try:
            if not self._fill(dictionary, 0, len(dictionary), 0):
                return b"", NO_BASE
            return literals(self._pack, dictionary), ""
        except MalformedPackError:
            return b"", DAMAGED

    def rebuilt(self, piece: int, bounds: tuple[int, int]) -> Rebuilt:
        """The next piece, which lies from the one to the other of its bounds among all that is made."""
        data, why = self._bytes(*bounds)
        if data is not None and self._digest_of(data) != self._release.digest(piece):
            data, why = None, DAMAGED
        return Rebuilt(piece, data, why)

    def _bytes(self, start: int, end: int) -> tuple[bytearray | None, str]:
        made, why, at = bytearray(end - start), "", start
        while at < end:
            cover = self._cover
            if cover is None or at < cover.new:
                stop = end if cover is None else min(end, cover.new)
                why = why or self._why
                if not why:
                    made[at - start : stop - start] = self._fresh[self._used : self._used + stop - at]
                self._used += stop - at
            else:
                stop = min(end, cover.new + cover.length)
                if not why and not self._fill(made, at - start, stop - start, cover.old + at - cover.new):
                    why = NO_BASE
                self._change(made, at - start, stop - start)
                if stop == cover.new + cover.length:
                    self._cover = next(self._covers, None)
            at = stop
        return (None, why) if why else (made, "")

    def _fill(self, made: bytearray, at: int, end: int, old: int) -> bool:
        """Put bytes of the bases, laid end to end, there: from the `old`th on. False if they are not to be had."""
        starts = self._base_starts
        while at < end:
            place = bisect_right(starts, old) - 1
            part = self._parts.read(
                self._pack.bases[place], old - starts[place], min(end - at, starts[place + 1] - old)
            )
            if part is None:
                return False
            made[at : at + len(part)] = part
            at, old = at + len(part), old + len(part)
        return True

    def _change(self, made: bytearray, at: int, end: int) -> None:
        """Of the bytes there, which are the next that have a cover, those that differ get what they are in the
        release.
        """
        pack, first, at = self._pack, self._changed, at - self._covered
        self._covered = end - at
        if first == len(pack.changed) or pack.changed[first] >= self._covered:
            return
        self._changed = bisect_left(pack.changed, self._covered, first)
        these = slice(first, self._changed)
        if pack.replacing:
            for place, value in zip(pack.changed[these], pack.values[these], strict=True):
                made[place + at] = value
        else:
            for place, value in zip(pack.changed[these], pack.values[these], strict=True):
                made[place + at] = made[place + at] + value & 0xFF
