"""Releases to be compared that nobody published: files and trees as they lie there, or a release cut in another way."""

import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from manifests import chunker
from manifests.contents import PieceFiles
from manifests.digest import digest_function
from manifests.entries import FILE
from manifests.errors import PublishError
from manifests.manifest import Manifest, Profile
from manifests.names import ReleaseName
from manifests.publish import chunks
from manifests.scan import survey

from .matching import Source


def from_path(
    path: Path,
    release: ReleaseName,
    profile: Profile,
    *,
    algorithm: str = "blake3",
    advance: Callable[[int], None] = lambda count: None,
) -> Source:
    """What is at `path`, cut; of paths that can't be released what can be compared. Reading a piece raises PublishError
    when it has changed since.
    """
    seen = survey(path)
    files = [one for one in seen.found if one.entry.kind == FILE]
    digests, lengths = _digested(chunks(files, profile, advance), algorithm)
    entries = tuple(one.entry for one in seen.found)
    manifest = Manifest(
        release.product, release.version, 0, algorithm, profile, digests, lengths, entries, seen.tree, None
    )
    digest_of = digest_function(algorithm)

    def read(piece: int) -> bytes:
        with PieceFiles(path, manifest, os.O_RDONLY) as opened:
            data = opened.read(piece)
        if digest_of(data) != manifest.digest(piece):
            raise PublishError(f"{path} changed while it was read; compare something that keeps still")
        return data

    return Source(manifest, read)


def recut(source: Source, profile: Profile) -> Source:
    """The same release as another profile would cut it."""
    old = source.manifest
    stream = _Stream(source)
    files = [entry.size for entry in old.entries if entry.kind == FILE]

    def cuts() -> Iterable[memoryview]:
        at = 0
        for run in chunker.runs(files, profile.average_bytes):
            size = sum(files[run.start : run.stop])
            yield from chunker.cut(stream.part(at, size), profile)
            at += size

    digests, lengths = _digested(cuts(), old.algorithm)
    manifest = replace(old, profile=profile, digests=digests, lengths=lengths, packs=())
    return Source(manifest, lambda piece: stream.read(manifest.offsets[piece], manifest.lengths[piece]))


def _digested(chunks: Iterable[memoryview], algorithm: str) -> "tuple[bytes, array[int]]":
    digest_of = digest_function(algorithm)
    digests, lengths = bytearray(), array("I")
    for chunk in chunks:
        digests += digest_of(chunk)
        lengths.append(len(chunk))
    return bytes(digests), lengths


class _Stream:
    """A release's stream at any place, from its pieces; the last one is kept."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept = (-1, b"")

    def read(self, offset: int, length: int) -> bytes:
        parts = []
        offsets = self._source.manifest.offsets
        while length:
            piece = bisect_right(offsets, offset) - 1
            start = offset - offsets[piece]
            part = self._piece(piece)[start : start + length]
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)

    def part(self, offset: int, length: int) -> "_Part":
        return _Part(self, offset, offset + length)

    def _piece(self, piece: int) -> bytes:
        if self._kept[0] != piece:
            self._kept = (piece, self._source.read(piece))
        return self._kept[1]


class _Part:
    """A part of a stream, for the chunker."""

    def __init__(self, stream: _Stream, start: int, end: int) -> None:
        self._stream = stream
        self._at = start
        self._end = end

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to `len(buffer)` bytes."""
        data = self._stream.read(self._at, min(len(buffer), self._end - self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
