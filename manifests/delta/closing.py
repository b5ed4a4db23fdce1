"""On a device: the base's regions opened, for patches to start from; and the release's made, opened pieces to pieces.

What is opened lies in a scratch file and is bounded by what the index declares. Nothing of it is trusted: a piece
counts when it has the digest that was signed for.
"""

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from manifests.digest import digest_function
from manifests.nested import recipes
from manifests.nested.streams import BLOCK_BYTES, DamagedStreamError, Expander, first

from .applying import NO_BASE, Applied
from .opened import Pieces, Region, Stream

NOT_REMADE: Final = "compressed otherwise here"
"""What came out of a recipe is not the stream: another version of a library."""


class Scratch(Protocol):
    """A file that need not survive. Both raise OSError."""

    def read(self, offset: int, length: int) -> bytes:
        """What was written there."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Anywhere."""
        ...


class OpenedBase:
    """Gives a base's pieces, opened or not. `read`: its pieces that are not, verified, or None.

    A region is opened when the first of its opened pieces is asked for.
    """

    def __init__(
        self, pieces: Pieces, read: Callable[[int], bytes | None], scratch: Scratch, memory_bytes_max: int
    ) -> None:
        self._pieces, self._read, self._scratch = pieces, read, scratch
        self._memory_bytes_max = memory_bytes_max
        self._open: dict[Region, bool] = {}

    def piece(self, number: int) -> bytes | None:
        """A piece's bytes; None if they can't be had."""
        if number < self._pieces.manifest.pieces:
            return self._read(number)
        region = self._pieces.region_of(number)
        assert region is not None
        if region not in self._open:
            self._open[region] = self._expand(region)
        if not self._open[region]:
            return None
        return self._scratch.read(self._pieces.opened_offset(number), self._pieces.lengths[number])

    def _expand(self, region: Region) -> bool:
        source, at = _Run(region, self._read), region.opened_start
        try:
            for stream, count in region.parts():
                for block in source.take(count) if stream is None else self._held_by(stream, source):
                    self._scratch.write(at, block)
                    at += len(block)
        except (DamagedStreamError, LookupError):
            return False
        return at == region.opened_start + region.opened_bytes

    def _held_by(self, stream: Stream, source: "_Run") -> Iterator[bytes]:
        """Nothing but what was said: of a stream that is cut, more may come out here than at the publisher."""
        left = stream.length

        def read(size: int) -> bytes:
            nonlocal left
            part = source.read(min(size, left)) if left else b""
            left -= len(part)
            return part

        yield from first(Expander(stream.way, read, window_bytes_max=self._memory_bytes_max), stream.expanded_bytes)
        while left:
            read(left)


class _Run:
    """A region's bytes, one after the other. LookupError for a piece that can't be had."""

    def __init__(self, region: Region, read: Callable[[int], bytes | None]) -> None:
        self._pieces = iter(range(region.first, region.last + 1))
        self._read = read
        self._left = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Up to so many of the next."""
        if not self._left:
            piece = next(self._pieces, None)
            data = None if piece is None else self._read(piece)
            if data is None:
                raise LookupError
            self._left = memoryview(data)
        part, self._left = self._left[:size], self._left[size:]
        return bytes(part)

    def take(self, count: int) -> Iterator[bytes]:
        """Exactly so many."""
        while count:
            part = self.read(count)
            count -= len(part)
            yield part


class Closing:
    """Collects opened pieces; once a region has all of them, its pieces come out."""

    def __init__(self, pieces: Pieces, scratch: Scratch) -> None:
        self._pieces, self._scratch = pieces, scratch
        self._lacking = {region: set(region.opened) for region in pieces.regions}

    def take(self, number: int, data: bytes | None) -> Iterator[Applied]:
        """An opened piece; None if it can't be had: then nothing of its region can. OSError of the scratch file."""
        region = self._pieces.region_of(number)
        assert region is not None
        if (lacking := self._lacking.get(region)) is None:
            return
        if data is None:
            del self._lacking[region]
            yield from _refused(region, region.first, NO_BASE)
            return
        self._scratch.write(self._pieces.opened_offset(number), data)
        lacking.discard(number)
        if not lacking:
            yield from self._close(region)
            del self._lacking[region]

    def _close(self, region: Region) -> Iterator[Applied]:
        manifest = self._pieces.manifest
        digest_of = digest_function(manifest.algorithm)
        piece, waiting, lacking_bytes = region.first, list[memoryview](), manifest.lengths[region.first]
        for block in self._bytes_of(region):
            left = memoryview(block)
            while piece <= region.last and len(left) >= lacking_bytes:
                data = b"".join((*waiting, left[:lacking_bytes]))
                left, waiting = left[lacking_bytes:], []
                if digest_of(data) != manifest.digest(piece):
                    yield from _refused(region, piece, NOT_REMADE)
                    return
                yield Applied(piece, data)
                piece += 1
                lacking_bytes = manifest.lengths[piece] if piece <= region.last else 0
            waiting.append(left)
            lacking_bytes -= len(left)
        yield from _refused(region, piece, NOT_REMADE)

    def _bytes_of(self, region: Region) -> Iterator[bytes]:
        """The region as it shall be, if the recipes are worth their words."""
        at = region.opened_start
        for stream, count in region.parts():
            try:
                compressor = recipes.parse(stream.way).compressor(count) if stream else None
            except ValueError:
                return
            blocks = self._blocks(at, count)
            yield from first(_compressed(compressor, blocks), stream.length) if stream and compressor else blocks
            at += count

    def _blocks(self, at: int, count: int) -> Iterator[bytes]:
        for start in range(at, at + count, BLOCK_BYTES):
            yield self._scratch.read(start, min(BLOCK_BYTES, at + count - start))


def _compressed(compressor: recipes.Compressor, blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield compressor.compress(block)
    yield compressor.flush()


def _refused(region: Region, first: int, why: str) -> Iterator[Applied]:
    return (Applied(piece, None, why) for piece in range(first, region.last + 1))


def can_close(region: Region, memory_bytes_max: int) -> bool:
    """Has this machine the compressors, and may they take the memory that they need?"""
    largest = dict[str, int]()
    for stream in region.streams:
        largest[stream.way] = max(stream.expanded_bytes, largest.get(stream.way, 0))
    try:
        found = [(recipes.parse(way), size) for way, size in largest.items()]
    except ValueError:
        return False
    return all(recipe.is_here and recipe.memory_bytes(size) <= memory_bytes_max for recipe, size in found)
