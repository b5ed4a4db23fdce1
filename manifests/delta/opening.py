"""At a publisher: which compressed streams of two releases are opened, and what they hold as pieces to be patched.

Opened is what a device can make again: a stream that changed, that one of our recipes makes byte for byte in the memory
that devices have, and only where the old release has something to open, too.
"""

import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, Final

from manifests import chunker
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest
from manifests.nested.finding import Member, streams_in
from manifests.nested.recreating import GZIP_TAIL_BYTES, gzip_head_bytes, recipe_of
from manifests.nested.streams import DEFLATE, GZIP, expander

from .limits import REGION_BYTES_MAX
from .matching import Source, missing
from .opened import NOTHING, Opened, Stream, regions

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
    """A stream, and the digest of its bytes."""

    stream: Stream
    digest: bytes


@contextmanager
def open_both(release: Source, base: Source, memory_bytes_max: int) -> Iterator[tuple[Side, Side]]:
    """The release and its base, opened as far as it pays, while in the context. Raises what reading them raises."""
    new, old = _worth_opening(release, base, memory_bytes_max) if memory_bytes_max else ([], [])
    if not new or not old:
        yield Side(release), Side(base)
        return
    with tempfile.TemporaryFile() as made, tempfile.TemporaryFile() as held:
        yield (
            _opened(release, _bounded(release.manifest, new), made),
            _opened(base, _bounded(base.manifest, old), held),
        )


def _worth_opening(release: Source, base: Source, memory_bytes_max: int) -> tuple[list[Stream], list[Stream]]:
    """Streams of the one that can be made again, and streams of the other that are alike; none that is in both."""
    old = [one for one, _ in _streams(base, missing(base.manifest, release.manifest), memory_bytes_max)]
    held = {one.digest for one in old}
    new, unchanged = list[Stream](), set[bytes]()
    if not old:
        return [], []
    for one, data in _streams(release, missing(release.manifest, base.manifest), memory_bytes_max):
        if one.digest in held:
            unchanged.add(one.digest)
        elif recipe := recipe_of(one.stream.way, data, memory_bytes_max):
            new.append(replace(one.stream, way=str(recipe)))
    kinds = {stream.way.partition(" ")[0] for stream in new}
    return new, [one.stream for one in old if one.digest not in unchanged and one.stream.way in kinds]


def _streams(source: Source, pieces: list[int], memory_bytes_max: int) -> Iterator[tuple[_Found, memoryview]]:
    """Those in pieces that the other release lacks, each with its bytes, which are gone when the next one comes."""
    digest_of = digest_function(source.manifest.algorithm)
    end, lacking = 0, set(pieces)
    for run in _runs(source.manifest, pieces):
        data = b"".join(source.read(piece) for piece in run)
        start = source.manifest.offsets[run.start]
        with memoryview(data) as view:
            for member in streams_in(data, memory_bytes_max):
                kind, at, length = _bare(member, view)
                stream = Stream(start + at, length, member.expanded_bytes, kind)
                if stream.offset < end:
                    continue  # two runs share a piece
                end = stream.end
                if lacking.isdisjoint(_pieces_of(source.manifest, stream)):
                    continue
                with view[at : at + length] as part:
                    yield _Found(stream, digest_of(bytes(part))), part


def _bare(member: Member, view: memoryview) -> tuple[str, int, int]:
    """Of gzip only what is compressed: its head and tail stay as they are."""
    if member.kind != GZIP:
        return member.kind, member.offset, member.length
    head = gzip_head_bytes(view[member.offset : member.offset + member.length])
    return DEFLATE, member.offset + head, member.length - head - GZIP_TAIL_BYTES


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


def _bounded(manifest: Manifest, streams: list[Stream]) -> tuple[Stream, ...]:
    """Without those that would make a region too large."""
    kept, size, last = list[Stream](), 0, -1
    for stream in streams:
        if _piece_at(manifest, stream.offset) > last:
            size = 2 * manifest.profile.max_bytes
        else:
            size += stream.offset - kept[-1].end
        if size + stream.expanded_bytes <= REGION_BYTES_MAX:
            kept.append(stream)
            size += stream.expanded_bytes
            last = _piece_at(manifest, stream.end - 1)
        elif last >= 0:
            size -= stream.offset - kept[-1].end
    return tuple(kept)


def _pieces_of(manifest: Manifest, stream: Stream) -> range:
    return range(_piece_at(manifest, stream.offset), _piece_at(manifest, stream.end - 1) + 1)


def _piece_at(manifest: Manifest, offset: int) -> int:
    return bisect_right(manifest.offsets, offset) - 1


def _opened(source: Source, streams: tuple[Stream, ...], spool: IO[bytes]) -> Side:
    """With what these streams hold as further pieces, which lie in `spool`."""
    manifest = source.manifest
    digest_of = digest_function(manifest.algorithm)
    digests, lengths = bytearray(), array("I")
    for first, last, inside in regions(manifest, streams):
        for chunk in chunker.cut_joined(_expanded(source, first, last, inside), manifest.profile):
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


def _expanded(source: Source, first: int, last: int, streams: tuple[Stream, ...]) -> Iterator[bytes]:
    """A region, opened."""
    data = b"".join(source.read(piece) for piece in range(first, last + 1))
    start = at = source.manifest.offsets[first]
    with memoryview(data) as view:
        for stream in streams:
            yield data[at - start : stream.offset - start]
            with view[stream.offset - start : stream.end - start] as part:
                yield from expander(stream.way.partition(" ")[0], part)
            at = stream.end
    yield data[at - start :]
