"""From a small pack and the base's pieces to the release's, one piece in memory at a time."""

from bisect import bisect_right
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
        self._changes = iter(pack.changes)
        self._change_at, self._values = self._next_change(0)
        self._covered = 0
        """Bytes that had a cover so far."""
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
        like = bytearray(b"".join(parts))
        self._add(like if len(like) == length else bytearray(length), length)
        return bytes(like) if len(like) == length else None

    def _add(self, like: bytearray, length: int) -> None:
        start, end = self._covered, self._covered + length
        while self._change_at < end:
            place, values = self._change_at - start, self._values
            if place + len(values) > length:  # it goes on in what follows
                self._change_at, self._values = end, values[length - place :]
                values = values[: length - place]
            else:
                self._change_at, self._values = self._next_change(self._change_at + len(values))
            for value in values:
                like[place] = like[place] + value & 0xFF
                place += 1
        self._covered = end

    def _next_change(self, end: int) -> tuple[int, bytes]:
        gap, values = next(self._changes, (2**63, b""))
        return end + gap, values
