"""From a manifest and a blob store to the artifact on disk: each chunk verified, all there at once or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .blobs import BlobStore, chunk_path
from .contents import PieceFiles, place
from .digest import verify
from .entries import DIRECTORY, SYMLINK
from .errors import MalformedManifestError
from .manifest import Manifest
from .paths import check_entries

_PRIVATE_FILE: Final = 0o600
_PRIVATE_DIRECTORY: Final = 0o700


def unpack(
    manifest: Manifest, store: BlobStore, output: Path, *, advance: Callable[[int], None] = lambda count: None
) -> None:
    """Make `output` the manifest's artifact. It must not be there yet: FileExistsError.

    Raises DigestMismatchError for a chunk that is not what was published, StoreError; then nothing is left behind.
    """
    check_entries(manifest.entries, tree=manifest.tree)
    if os.path.lexists(output):
        raise FileExistsError(f"{output} exists; unpack to a new place")
    output.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    root = staging / "artifact"
    try:
        _lay_out(root, manifest)
        _fill(root, manifest, store, advance)
        _finish(root, manifest)
        os.rename(root, output)
        _fsync(output.parent)
    finally:
        _make_removable(root, manifest)
        shutil.rmtree(staging)


def _lay_out(root: Path, manifest: Manifest) -> None:
    if manifest.tree:
        root.mkdir(_PRIVATE_DIRECTORY)
    for entry in manifest.entries:
        path = place(root, manifest, entry)
        if entry.kind == DIRECTORY:
            path.mkdir(_PRIVATE_DIRECTORY)
        elif entry.kind == SYMLINK:
            path.symlink_to(entry.target)
        else:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _PRIVATE_FILE))


def _fill(root: Path, manifest: Manifest, store: BlobStore, advance: Callable[[int], None]) -> None:
    with PieceFiles(root, manifest, os.O_WRONLY) as files:
        for piece in range(manifest.pieces):
            digest, length = manifest.digest(piece), manifest.lengths[piece]
            data = store.get(chunk_path(digest), max_bytes=manifest.profile.max_bytes)
            verify(manifest.algorithm, data, digest)
            if len(data) != length:  # the digest is right, so the manifest contradicts itself
                raise MalformedManifestError(f"piece {piece} has {len(data)} bytes, the manifest says {length}")
            files.write(piece, data)
            advance(length)


def _finish(root: Path, manifest: Manifest) -> None:
    """Modes and times, children before their directories; everything durable."""
    for entry in reversed(manifest.entries):
        path = place(root, manifest, entry)
        if entry.kind == SYMLINK:
            os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)
            continue
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, entry.mode)
            os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if manifest.tree:
        root.chmod(0o755)
        _fsync(root)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_removable(root: Path, manifest: Manifest) -> None:
    """What was laid out before a failure may have directories that even their owner can't change."""
    for entry in manifest.entries:
        if entry.kind == DIRECTORY and (path := root / entry.path).is_dir():
            path.chmod(_PRIVATE_DIRECTORY)
