"""From a small pack and the base's pieces to the release's, one piece in memory at a time."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise

from manifests.digest import digest_function
from manifests.errors import MalformedPackError
from manifests.manifest import Manifest

from .applying import DAMAGED, NO_BASE, Applied
from .patches import Cover
from .small import SmallPack, literals


def apply_small(
    pack: SmallPack, release: Manifest, base: Manifest | None, read: Callable[[int], bytes | None]
) -> Iterator[Applied]:
    """What a checked pack becomes, verified, in order. `read`: a piece of the base, verified; None: not to be had."""
    digest_of = digest_function(release.algorithm)
    rebuilding = _Rebuilding(pack, base, read)
    for piece, bounds in zip(pack.pieces, _pairs(pack.made_starts(release)), strict=True):
        data, why = rebuilding.piece(*bounds)
        if data is not None and digest_of(data) != release.digest(piece):
            data, why = None, DAMAGED
        yield Applied(piece, data, why)


def _pairs(starts: list[int]) -> Iterator[tuple[int, int]]:
    return pairwise(starts)


class _Rebuilding:
    """Goes through all that is made, once, from its start to its end."""

    def __init__(self, pack: SmallPack, base: Manifest | None, read: Callable[[int], bytes | None]) -> None:
        self._pack, self._base, self._read = pack, base, read
        lengths = (base.lengths[piece] for piece in pack.bases) if base else iter(())
        self._base_starts = list(accumulate(lengths, initial=0))
        self._covers = iter(pack.covers)
        self._cover: Cover | None = next(self._covers, None)
        self._covered = self._changed = 0
        """Bytes that had a cover so far, and those of them that were changed."""
        self._fresh, self._why = self._literals()
        self._used = 0
        """Literals so far."""

    def _literals(self) -> tuple[bytes | None, str]:
        dictionary = [self._read(piece) for piece in self._pack.dictionary(self._base) if self._pack.literal_bytes]
        try:
            held = [part for part in dictionary if part is not None]
            if len(held) < len(dictionary):
                return None, NO_BASE
            return literals(self._pack, b"".join(held)), ""
        except MalformedPackError:
            return None, DAMAGED

    def piece(self, start: int, end: int) -> tuple[bytes | None, str]:
        """The bytes from `start` to `end`, or why there are none. Called for one piece after the other."""
        parts, why = list[bytes](), ""
        while start < end:
            cover = self._cover
            if cover is None or start < cover.new:
                stop = end if cover is None else min(end, cover.new)
                part = self._fresh[self._used : self._used + stop - start] if self._fresh is not None else None
                self._used += stop - start
                why = why or ("" if part is not None else self._why)
            else:
                stop = min(end, cover.new + cover.length)
                part = self._like(cover.old + start - cover.new, stop - start)
                why = why or ("" if part is not None else NO_BASE)
                if stop == cover.new + cover.length:
                    self._cover = next(self._covers, None)
            if part is not None:
                parts.append(part)
            start = stop
        return (None, why) if why else (b"".join(parts), "")

    def _like(self, old: int, length: int) -> bytes | None:
        """Bytes of the bases, and what is to be added to them."""
        parts, at, left = list[bytes](), old, length
        while left:
            place = bisect_right(self._base_starts, at) - 1
            count = min(left, self._base_starts[place + 1] - at)
            data = self._read(self._pack.bases[place])
            if data is not None:
                offset = at - self._base_starts[place]
                parts.append(data[offset : offset + count])
            at, left = at + count, left - count
        found, start, first = b"".join(parts), self._covered, self._changed
        self._covered += length
        self._changed = bisect_left(self._pack.changed, self._covered, first)
        return self._changed_from(found, start, slice(first, self._changed)) if len(found) == length else None

    def _changed_from(self, like: bytes, start: int, these: slice) -> bytes:
        """Bytes of which the first one is the `start`th that has a cover."""
        changed = self._pack.changed[these]
        if not changed:
            return like
        made = bytearray(like)
        for place, value in zip(changed, self._pack.added[these], strict=True):
            at = place - start
            made[at] = made[at] + value & 0xFF
        return bytes(made)
