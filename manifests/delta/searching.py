"""At a publisher: the compressed streams that lie in some pieces of a release, or begin or end there."""

import heapq
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from manifests.digest import digest_function
from manifests.manifest import Manifest
from manifests.nested.finding import streams_in
from manifests.nested.recreating import bare
from manifests.nested.streams import held_by_start

from .matching import Source
from .opened import Stream
from .splitting import split_streams

NEAR_BYTES: Final = 4 * 2**20
"""Looked into before and behind what changed: the head of an initrd stays the same for megabytes."""
RUN_BYTES_MAX: Final = 128 * 2**20
"""Looked into at once, in memory; a stream that reaches beyond is left closed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stream, or the first part of one; the rest of it, which lies elsewhere; the digest of both."""

    stream: Stream
    rest: bytes
    digest: bytes

    @property
    def kind(self) -> str:
        """Of the stream."""
        return self.stream.way.partition(" ")[0]

    def start(self, data: memoryview) -> "Found | None":
        """Of a base's, whose bytes are `data`, what a device reads: the first part only, of which perhaps nothing
        comes, for zstd's blocks are large.
        """
        if not self.rest:
            return self
        with data[: self.stream.length] as start:
            expanded_bytes = held_by_start(self.kind, start)
        return (
            replace(self, rest=b"", stream=replace(self.stream, expanded_bytes=expanded_bytes))
            if expanded_bytes
            else None
        )


def streams(source: Source, pieces: list[int], memory_bytes_max: int) -> Iterator[tuple[Found, memoryview]]:
    """Those in pieces that the other release lacks, each with its bytes, which are gone when the next one comes."""
    end, lacking = 0, set(pieces)
    whole, split = _whole(source, pieces, lacking, memory_bytes_max), _split(source, lacking, memory_bytes_max)
    for found, data in heapq.merge(whole, split, key=lambda pair: pair[0].stream.offset):
        if found.stream.offset >= end:  # two runs can share a piece
            end = found.stream.end
            yield found, data


def _whole(
    source: Source, pieces: list[int], lacking: set[int], memory_bytes_max: int
) -> Iterator[tuple[Found, memoryview]]:
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
                            yield Found(stream, b"", digest_of(bytes(part))), part


def _split(source: Source, lacking: set[int], memory_bytes_max: int) -> Iterator[tuple[Found, memoryview]]:
    digest_of = digest_function(source.manifest.algorithm)
    for one in split_streams(source, lacking, memory_bytes_max):
        with memoryview(one.data)[: one.member.length] as whole:
            kind, at, end = bare(one.member.kind, whole)
            here = min(end, one.head_bytes)
            if here <= at:
                continue
            stream = Stream(one.offset + at, here - at, one.member.expanded_bytes, kind)
            with whole[at:end] as part:
                yield Found(stream, bytes(whole[here:end]), digest_of(bytes(part))), part


def _runs(manifest: Manifest, pieces: list[int]) -> Iterator[range]:
    """Pieces near each other, and what is about them: a stream may begin as it did before, or end so."""
    offsets, first, last = manifest.offsets, -1, -1
    for piece in pieces:
        begin = piece_at(manifest, max(offsets[piece] - NEAR_BYTES, 0))
        end = piece_at(manifest, min(offsets[piece + 1] + NEAR_BYTES, manifest.size) - 1)
        if first < 0 or begin > last + 1 or offsets[end + 1] - offsets[first] > RUN_BYTES_MAX:
            if first >= 0:
                yield range(first, last + 1)
            first = begin
        last = end
    if first >= 0:
        yield range(first, last + 1)


def _pieces_of(manifest: Manifest, stream: Stream) -> range:
    return range(piece_at(manifest, stream.offset), piece_at(manifest, stream.end - 1) + 1)


def piece_at(manifest: Manifest, offset: int) -> int:
    """The piece that a byte is in."""
    return bisect_right(manifest.offsets, offset) - 1
