"""Compressed streams inside pieces, opened: what they hold, cut into pieces of its own.

A release's pieces are numbered from 0; behind the last one come its *opened pieces*. Where streams are opened, whole
pieces are: those that a stream lies in, with whatever else is in them, are a *region*. What a region holds once its
streams are expanded is cut into opened pieces, none of which reaches into another region.

    pieces      |   17   |   18   |   19   |          one region, one stream in it
    stream           [ compressed ... ]
    opened      |  4031  |  4032  | ...  | 4038 |     as it is, expanded, as it is
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from manifests.errors import MalformedPackError
from manifests.manifest import Manifest

from .limits import REGION_BYTES_MAX

Lengths = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """`length` compressed bytes at `offset` of a release's stream, which hold `expanded_bytes`. `way`: of a release
    that is made, the recipe (see `manifests.nested.recipes`); of one that is there, the kind.

    A file system may keep the end of a stream elsewhere. Then this is its start: of a release, the first bytes of what
    the recipe makes; of a base, bytes that hold so many, and perhaps a few more.
    """

    offset: int
    length: int
    expanded_bytes: int
    way: str

    def __post_init__(self) -> None:
        if self.offset < 0 or self.length <= 0 or self.expanded_bytes <= 0:
            raise MalformedPackError("a stream has impossible sizes")

    @property
    def end(self) -> int:
        """Offset of what follows."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Opened:
    """The streams of a release that are opened, by offset, and the lengths of its opened pieces."""

    streams: tuple[Stream, ...] = ()
    lengths: Lengths = field(default=(), repr=False)


NOTHING: Final = Opened()


@dataclass(frozen=True, slots=True)
class Region:
    """Pieces `first` to `last` of a release, which are opened together. `start`: the offset of the first one.

    `opened`: the numbers of its opened pieces; `opened_start`: where these begin among all that is opened.
    """

    first: int
    last: int
    start: int
    size: int
    streams: tuple[Stream, ...]
    opened: range
    opened_start: int

    @property
    def opened_bytes(self) -> int:
        """Of what it holds, once opened."""
        return self.size + sum(stream.expanded_bytes - stream.length for stream in self.streams)

    def parts(self) -> Iterator[tuple[Stream | None, int]]:
        """In order: bytes as they are, by their number, and streams."""
        at = self.start
        for stream in self.streams:
            if stream.offset > at:
                yield None, stream.offset - at
            yield stream, stream.expanded_bytes
            at = stream.end
        if at < self.start + self.size:
            yield None, self.start + self.size - at


def regions(manifest: Manifest, streams: tuple[Stream, ...]) -> Iterator[tuple[int, int, tuple[Stream, ...]]]:
    """First piece, last piece, and streams of each region. MalformedPackError unless the streams are within."""
    offsets = manifest.offsets
    first, last, inside, end = 0, -1, list[Stream](), 0
    for stream in streams:
        if stream.offset < end or stream.end > manifest.size:
            raise MalformedPackError("streams overlap, or lie outside of their release")
        end = stream.end
        begin = bisect_right(offsets, stream.offset) - 1
        if inside and begin > last:
            yield first, last, tuple(inside)
            inside = []
        if not inside:
            first = begin
        last = bisect_right(offsets, end - 1) - 1
        inside.append(stream)
    if inside:
        yield first, last, tuple(inside)


class Pieces:
    """A release's pieces with its opened pieces behind them. MalformedPackError unless these fit the release."""

    def __init__(self, manifest: Manifest, opened: Opened) -> None:
        self.manifest = manifest
        self.algorithm: Final = manifest.algorithm
        self.lengths = manifest.lengths + array("I", opened.lengths) if opened.lengths else manifest.lengths
        self._opened_offsets = list(accumulate(opened.lengths, initial=0))
        self.regions = tuple(self._regions(opened))
        self._firsts = [region.first for region in self.regions]
        self._opened_firsts = [region.opened.start for region in self.regions]

    def _regions(self, opened: Opened) -> Iterator[Region]:
        ends = {offset: count for count, offset in enumerate(self._opened_offsets)}
        at, start = 0, 0
        base = self.manifest.pieces
        offsets = self.manifest.offsets
        for first, last, streams in regions(self.manifest, opened.streams):
            size = offsets[last + 1] - offsets[first]
            bare = Region(first, last, offsets[first], size, streams, range(0), start)
            start += bare.opened_bytes
            end = ends.get(start, -1)
            if end < 0 or bare.opened_bytes > REGION_BYTES_MAX:
                raise MalformedPackError("opened pieces do not fit what is opened")
            yield Region(first, last, offsets[first], size, streams, range(base + at, base + end), bare.opened_start)
            at = end
        if at != len(opened.lengths) or max(opened.lengths, default=0) > self.manifest.profile.max_bytes:
            raise MalformedPackError("opened pieces do not fit what is opened")

    def digest(self, piece: int) -> bytes | None:
        """None for an opened piece: what is made of it has one."""
        return self.manifest.digest(piece) if piece < self.manifest.pieces else None

    def opened_offset(self, piece: int) -> int:
        """Of an opened piece, among all that is opened."""
        return self._opened_offsets[piece - self.manifest.pieces]

    def region_of(self, piece: int) -> Region | None:
        """The region that a piece, opened or not, belongs to."""
        if piece >= self.manifest.pieces:
            return self.regions[bisect_right(self._opened_firsts, piece) - 1]
        at = bisect_right(self._firsts, piece) - 1
        return self.regions[at] if at >= 0 and piece <= self.regions[at].last else None
