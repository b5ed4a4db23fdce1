"""Reads of pieces, always against their digest."""

import errno
from typing import Final, TypeVar

from manifests.digest import digest_function
from p2pd.world.disk import Disk

from .artifact import Artifact

LOSS_ERRNOS: Final = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO, errno.ENODEV,
    errno.EIO, errno.ESTALE, errno.EINVAL, errno.EAGAIN,
)  # fmt: skip
"""The file went, became something else, or can't be read any more. Others (EMFILE, ENOMEM) say nothing about it."""
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


def _verified(artifact: Artifact, piece: int, data: Data) -> Data | None:
    manifest = artifact.manifest
    return data if digest_function(manifest.algorithm)(data) == manifest.digest(piece) else None
