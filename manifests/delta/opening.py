"""At a publisher: which compressed streams of two releases are opened, and what they hold as pieces to be patched.

Opened is what a device can make again: a stream that changed, that one of our recipes makes byte for byte in the memory
that devices have, and only where the old release has something to open, too.
"""

import heapq
import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, Final

from manifests import chunker
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest
from manifests.nested import recipes
from manifests.nested.finding import streams_in
from manifests.nested.recreating import Recipes, bare
from manifests.nested.streams import expander_of, first, held_by_start

from .affording import affordable, left_s
from .limits import REGION_BYTES_MAX
from .matching import Source, missing
from .opened import NOTHING, Opened, Stream, regions
from .splitting import split_streams

NEAR_BYTES: Final = 4 * 2**20
"""Looked into before and behind what changed: the head of an initrd stays the same for megabytes."""
RUN_BYTES_MAX: Final = 128 * 2**20
"""Looked into at once, in memory; a stream that reaches beyond is left closed."""


@dataclass(frozen=True)
class Side:
    """A release with its opened pieces behind the others, for the maker."""

    source: Source
    opened: Opened = NOTHING


@dataclass(frozen=True, slots=True)
class _Found:
    """A stream, or the first part of one; the rest of it, which lies elsewhere; the digest of both."""

    stream: Stream
    rest: bytes
    digest: bytes


@contextmanager
def open_both(
    release: Source, base: Source, memory_bytes_max: int, speed_min: float = 0.0
) -> Iterator[tuple[Side, Side]]:
    """The release and its base, opened as far as it pays, while in the context. Raises what reading them raises.

    `speed_min`: bytes of the release that a device shall apply in a processor second; 0: as it comes.
    """
    new, old = _worth_opening(release, base, memory_bytes_max, speed_min) if memory_bytes_max else ([], [])
    if not new or not old:
        yield Side(release), Side(base)
        return
    with tempfile.TemporaryFile() as made, tempfile.TemporaryFile() as held:
        yield (
            _opened(release, _bounded(release.manifest, new), made),
            _opened(base, _bounded(base.manifest, old), held),
        )


def _worth_opening(
    release: Source, base: Source, memory_bytes_max: int, speed_min: float
) -> tuple[list[_Found], list[_Found]]:
    """Streams of the one that can be made again, and streams of the other that are alike; none that is in both."""
    old, held = list[_Found](), set[bytes]()
    for one, data in _streams(base, missing(base.manifest, release.manifest), memory_bytes_max):
        held.add(one.digest)
        old += _held(one, data)
    new, unchanged, finder = list[_Found](), set[bytes](), Recipes(memory_bytes_max)
    seconds = left_s(release.manifest, base.manifest, sum(one.stream.expanded_bytes for one in old), speed_min)
    if not old or seconds <= 0:
        return [], []
    for one, data in _streams(release, missing(release.manifest, base.manifest), memory_bytes_max):
        if one.digest in held:
            unchanged.add(one.digest)
        elif recipe := finder.find(one.stream.way, data, one.stream.expanded_bytes):
            new.append(replace(one, stream=replace(one.stream, way=str(recipe))))
    new = _affordable(new, seconds)
    kinds = {one.stream.way.partition(" ")[0] for one in new}
    return new, [one for one in old if one.digest not in unchanged and one.stream.way in kinds]


def _affordable(found: list[_Found], seconds: float) -> list[_Found]:
    """What is saved by opening a stream is about its length."""
    streams = [one.stream for one in found]
    costs = [(one.length, recipes.parse(one.way).seconds(one.expanded_bytes)) for one in streams]
    chosen = affordable(costs, seconds)
    return [one for place, one in enumerate(found) if place in chosen]


def _held(found: _Found, data: memoryview) -> list[_Found]:
    """Of a base a device reads the first part only, of which perhaps nothing comes: zstd's blocks are large."""
    if not found.rest:
        return [found]
    stream = found.stream
    with data[: stream.length] as start:
        expanded_bytes = held_by_start(stream.way, start)
    return [replace(found, rest=b"", stream=replace(stream, expanded_bytes=expanded_bytes))] if expanded_bytes else []


def _streams(source: Source, pieces: list[int], memory_bytes_max: int) -> Iterator[tuple[_Found, memoryview]]:
    """Those in pieces that the other release lacks, each with its bytes, which are gone when the next one comes."""
    end, lacking = 0, set(pieces)
    whole, split = _whole(source, pieces, lacking, memory_bytes_max), _split(source, lacking, memory_bytes_max)
    for found, data in heapq.merge(whole, split, key=lambda pair: pair[0].stream.offset):
        if found.stream.offset >= end:  # two runs can share a piece
            end = found.stream.end
            yield found, data


def _whole(
    source: Source, pieces: list[int], lacking: set[int], memory_bytes_max: int
) -> Iterator[tuple[_Found, memoryview]]:
    digest_of = digest_function(source.manifest.algorithm)
    for run in _runs(source.manifest, pieces):
        data = b"".join(source.read(piece) for piece in run)
        start = source.manifest.offsets[run.start]
        with memoryview(data) as view:
            for member in streams_in(data, memory_bytes_max):
                with view[member.offset : member.offset + member.length] as whole:
                    kind, at, end = bare(member.kind, whole)
                    stream = Stream(start + member.offset + at, end - at, member.expanded_bytes, kind)
                    if not lacking.isdisjoint(_pieces_of(source.manifest, stream)):
                        with whole[at:end] as part:
                            yield _Found(stream, b"", digest_of(bytes(part))), part


def _split(source: Source, lacking: set[int], memory_bytes_max: int) -> Iterator[tuple[_Found, memoryview]]:
    digest_of = digest_function(source.manifest.algorithm)
    for one in split_streams(source, lacking, memory_bytes_max):
        with memoryview(one.data)[: one.member.length] as whole:
            kind, at, end = bare(one.member.kind, whole)
            here = min(end, one.head_bytes)
            if here <= at:
                continue
            stream = Stream(one.offset + at, here - at, one.member.expanded_bytes, kind)
            with whole[at:end] as part:
                yield _Found(stream, bytes(whole[here:end]), digest_of(bytes(part))), part


def _runs(manifest: Manifest, pieces: list[int]) -> Iterator[range]:
    """Pieces near each other, and what is about them: a stream may begin as it did before, or end so."""
    offsets, first, last = manifest.offsets, -1, -1
    for piece in pieces:
        begin = _piece_at(manifest, max(offsets[piece] - NEAR_BYTES, 0))
        end = _piece_at(manifest, min(offsets[piece + 1] + NEAR_BYTES, manifest.size) - 1)
        if first < 0 or begin > last + 1 or offsets[end + 1] - offsets[first] > RUN_BYTES_MAX:
            if first >= 0:
                yield range(first, last + 1)
            first = begin
        last = end
    if first >= 0:
        yield range(first, last + 1)


def _bounded(manifest: Manifest, found: list[_Found]) -> list[_Found]:
    """Without those that would make a region too large."""
    kept, size, last = list[_Found](), 0, -1
    for one in found:
        stream = one.stream
        if _piece_at(manifest, stream.offset) > last:
            size = 2 * manifest.profile.max_bytes
        else:
            size += stream.offset - kept[-1].stream.end
        if size + stream.expanded_bytes <= REGION_BYTES_MAX:
            kept.append(one)
            size += stream.expanded_bytes
            last = _piece_at(manifest, stream.end - 1)
        elif last >= 0:
            size -= stream.offset - kept[-1].stream.end
    return kept


def _pieces_of(manifest: Manifest, stream: Stream) -> range:
    return range(_piece_at(manifest, stream.offset), _piece_at(manifest, stream.end - 1) + 1)


def _piece_at(manifest: Manifest, offset: int) -> int:
    return bisect_right(manifest.offsets, offset) - 1


def _opened(source: Source, found: list[_Found], spool: IO[bytes]) -> Side:
    """With what these streams hold as further pieces, which lie in `spool`."""
    manifest = source.manifest
    digest_of = digest_function(manifest.algorithm)
    digests, lengths = bytearray(), array("I")
    streams, rests = tuple(one.stream for one in found), {one.stream: one.rest for one in found if one.rest}
    for first_piece, last, inside in regions(manifest, streams):
        for chunk in chunker.cut_joined(_expanded(source, first_piece, last, inside, rests), manifest.profile):
            digests += digest_of(chunk)
            lengths.append(len(chunk))
            spool.write(chunk)
    entries = (Entry("opened", FILE, size=sum(lengths)), Entry("release", FILE, size=manifest.size))
    whole = replace(
        manifest, digests=manifest.digests + bytes(digests), lengths=manifest.lengths + lengths, entries=entries,
        tree=True, health=None, packs=(),
    )  # fmt: skip
    return Side(Source(whole, _reader(source, whole, spool)), Opened(streams, tuple(lengths)))


def _reader(source: Source, whole: Manifest, spool: IO[bytes]) -> Callable[[int], bytes]:
    own = source.manifest

    def read(piece: int) -> bytes:
        if piece < own.pieces:
            return source.read(piece)
        spool.seek(whole.offsets[piece] - own.size)
        return spool.read(whole.lengths[piece])

    return read


def _expanded(
    source: Source, first_piece: int, last: int, streams: tuple[Stream, ...], rests: Mapping[Stream, bytes]
) -> Iterator[bytes]:
    """A region, opened."""
    data = b"".join(source.read(piece) for piece in range(first_piece, last + 1))
    start = at = source.manifest.offsets[first_piece]
    for stream in streams:
        yield data[at - start : stream.offset - start]
        kind, part = stream.way.partition(" ")[0], data[stream.offset - start : stream.end - start]
        with memoryview(part + rests.get(stream, b"")) as whole:
            yield from first(expander_of(kind, whole), stream.expanded_bytes)
        at = stream.end
    yield data[at - start :]
