"""Reads of pieces, always against their digest; and of parts of those that were seen to have it."""

import errno
from collections.abc import Sequence
from typing import Final, TypeVar

from manifests.digest import digest_function, hasher
from manifests.manifest import Manifest
from p2pd.world.disk import Disk

from .artifact import Artifact
from .spans import Span, part_of, spans_of

LOSS_ERRNOS: Final = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO, errno.ENODEV,
    errno.EIO, errno.ESTALE, errno.EINVAL, errno.EAGAIN,
)  # fmt: skip
"""The file went, became something else, or can't be read any more. Others (EMFILE, ENOMEM) say nothing about it."""
READ_BYTES: Final = 2**20
"""Of a piece that is not wanted as a whole, in memory at once."""
Data = TypeVar("Data", bytes, bytes | bytearray)


def read_cached(disk: Disk, artifact: Artifact, piece: int) -> bytes | bytearray | None:
    """The same without waiting for any device: None, too, when a part of it is not in memory."""
    parts: list[bytes | bytearray] = []
    for extent in artifact.manifest.extents(piece):
        part = disk.read_cached(artifact.file_path(extent.entry), extent.offset, extent.length)
        if part is None:
            return None
        parts.append(part)
    return _verified(artifact, piece, parts[0] if len(parts) == 1 else b"".join(parts))


def read_verified(disk: Disk, artifact: Artifact, piece: int) -> bytes | None:
    """The piece's bytes from the artifact's files, present or not; None unless they have its digest."""
    parts: list[bytes] = []
    try:
        for extent in artifact.manifest.extents(piece):
            parts.append(disk.read(artifact.file_path(extent.entry), extent.offset, extent.length))
    except OSError as error:
        if error.errno not in LOSS_ERRNOS:
            raise
        return None
    return _verified(artifact, piece, parts[0] if len(parts) == 1 else b"".join(parts))


def read_together(disk: Disk, artifact: Artifact, pieces: range, sound: set[int]) -> bytes | None:
    """Neighbours' bytes, joined, by one read; None unless all have their digests, and lie in a single file.

    `sound`: those that were seen to have theirs, which is not asked again; the others come to it.
    """
    manifest = artifact.manifest
    extents = [extent for piece in pieces for extent in manifest.extents(piece)]
    if len({extent.entry for extent in extents}) != 1:
        return None
    length = sum(extent.length for extent in extents)
    data = read_part(disk, [Span(artifact.file_path(extents[0].entry), extents[0].offset, length)], 0, length)
    if data is None:
        return None
    digest_of, first = digest_function(manifest.algorithm), manifest.offsets[pieces[0]]
    with memoryview(data) as view:
        for piece in pieces:
            part = view[manifest.offsets[piece] - first : manifest.offsets[piece + 1] - first]
            if piece not in sound and digest_of(part) != manifest.digest(piece):
                return None
            sound.add(piece)
    return data


def located(disk: Disk, artifact: Artifact, piece: int) -> Sequence[Span] | None:
    """Where the piece lies in the artifact's files, present or not; None unless what lies there has its digest."""
    spans = spans_of(artifact, piece)
    return spans if is_sound(disk, spans, artifact.manifest, piece) else None


def is_sound(disk: Disk, spans: Sequence[Span], manifest: Manifest, piece: int) -> bool:
    """Have these bytes the piece's digest? READ_BYTES of them are in memory at once."""
    found = hasher(manifest.algorithm)
    for at in range(0, manifest.lengths[piece], READ_BYTES):
        part = read_part(disk, spans, at, READ_BYTES)
        if part is None:
            return False
        found.update(part)
    return found.digest() == manifest.digest(piece)


def read_part(disk: Disk, spans: Sequence[Span], offset: int, length: int) -> bytes | None:
    """Up to `length` bytes of those that lie there, as they are now; None if there are fewer, or the files are gone."""
    wanted = part_of(spans, offset, length)
    try:
        parts = [disk.read(one.path, one.offset, one.length) for one in wanted]
    except OSError as error:
        if error.errno not in LOSS_ERRNOS:
            raise
        return None
    if any(len(part) < one.length for part, one in zip(parts, wanted, strict=True)):
        return None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _verified(artifact: Artifact, piece: int, data: Data) -> Data | None:
    manifest = artifact.manifest
    return data if digest_function(manifest.algorithm)(data) == manifest.digest(piece) else None
