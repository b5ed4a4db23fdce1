"""At a publisher: compressed streams that a file system inside a release keeps in two places.

What a stream holds can be told only from both; what can be opened is its first part, for a region is made in order. The
second, less than a block, stays as it is.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from manifests.entries import FILE
from manifests.nested.erofs import SplitFile, split_files
from manifests.nested.finding import Member, measure, stream_kind

from .matching import Source

IMAGE_BYTES_MIN: Final = 2**20
"""Smaller files are not asked whether they are images."""
STREAM_BYTES_MAX: Final = 128 * 2**20
"""Looked into at once, in memory; larger ones are left closed."""
_PIECES_KEPT: Final = 32
"""Inodes are asked for in the order of directories, which is not quite that of pieces."""
_MAGIC_BYTES: Final = 8

Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Split:
    """`data`: a file's bytes, of which the first `head_bytes` lie at `offset` of the release's stream, and `member`
    is the stream that it begins with, which is longer than that.
    """

    offset: int
    head_bytes: int
    member: Member
    data: bytes


def split_streams(source: Source, lacking: set[int], window_bytes_max: int) -> Iterator[Split]:
    """Those whose first parts touch these pieces, by offset. Raises what reading them raises."""
    read, start = by_offset(source), 0
    for entry in source.manifest.entries:
        if entry.kind == FILE:
            if entry.size >= IMAGE_BYTES_MIN:
                yield from _of_image(source, _within(read, start, entry.size), start, lacking, window_bytes_max)
            start += entry.size


def _of_image(source: Source, read: Read, start: int, lacking: set[int], window_bytes_max: int) -> Iterator[Split]:
    offsets = source.manifest.offsets
    for file in sorted(split_files(read), key=lambda file: file.head):
        first, last = start + file.head, start + file.head + file.head_bytes - 1
        pieces = range(bisect_right(offsets, first) - 1, bisect_right(offsets, last))
        if not lacking.isdisjoint(pieces) and (found := _stream_of(read, file, window_bytes_max)):
            yield Split(first, file.head_bytes, *found)


def _stream_of(read: Read, file: SplitFile, window_bytes_max: int) -> tuple[Member, bytes] | None:
    kind = stream_kind(read(file.head, _MAGIC_BYTES))
    if kind is None or file.head_bytes > STREAM_BYTES_MAX:
        return None
    data = read(file.head, file.head_bytes) + read(file.tail, file.tail_bytes)
    with memoryview(data) as view:
        member = measure(kind, view, 0, window_bytes_max=window_bytes_max)
    return (member, data) if member and member.length > file.head_bytes else None


def _within(read: Read, start: int, size: int) -> Read:
    """Of one file."""
    return lambda offset, length: read(start + offset, max(0, min(length, size - offset)))


def by_offset(source: Source) -> Read:
    """Of its stream: so many bytes at an offset. Raises what reading it raises."""
    offsets, piece_of = source.manifest.offsets, lru_cache(_PIECES_KEPT)(source.read)

    def read(offset: int, length: int) -> bytes:
        parts, end = list[bytes](), offset + length
        while offset < end:
            piece = bisect_right(offsets, offset) - 1
            within = offset - offsets[piece]
            parts.append(piece_of(piece)[within : within + end - offset])
            offset += len(parts[-1])
        return b"".join(parts)

    return read
