"""A release's files on disk: laid out empty, filled elsewhere, sealed with their attributes at the end."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from manifests.entries import DIRECTORY, FILE, SYMLINK
from manifests.manifest import Manifest
from p2pd.world.disk import Disk

if TYPE_CHECKING:
    from .artifact import Artifact

OWNER_MAY_WRITE: Final = 0o200
STAGED_FILE_MODE: Final = 0o600
STAGED_DIRECTORY_MODE: Final = 0o755
SYNCED_FILES_MAX: Final = 32
"""So many are synced one by one: 0.3 ms each on an idle disk."""


def lay_out(disk: Disk, root: str, manifest: Manifest) -> list[int]:
    """Make what is missing of the directories and (sparse) files; the entries that were made or had another size.

    Symlinks wait for `seal`, so that nothing is ever written through one.
    """
    made = []
    disk.make_directories(root)
    for number, entry in enumerate(manifest.entries):
        path = f"{root}/{entry.path}"
        if entry.kind == DIRECTORY:
            _make_directory(disk, path)
        elif entry.kind == FILE and _make_file(disk, path, entry.size):
            made.append(number)
    return made


def _make_directory(disk: Disk, path: str) -> None:
    found = disk.stat(path)
    if found is None:
        disk.make_directories(path)
    elif not found.mode & OWNER_MAY_WRITE:  # sealed before a power cut took what was in it
        disk.set_attributes(path, STAGED_DIRECTORY_MODE, found.mtime_ns)


def _make_file(disk: Disk, path: str, size: int) -> bool:
    try:
        disk.create(path, size)
        return True
    except FileExistsError:
        found = disk.stat(path)
    if found is None or (found.kind, found.size) != ("file", size):
        disk.remove_tree(path)
        disk.create(path, size)
        return True
    if not found.mode & OWNER_MAY_WRITE:
        disk.set_attributes(path, STAGED_FILE_MODE, found.mtime_ns)
    return False


def seal(disk: Disk, root: str, manifest: Manifest) -> None:
    """Symlinks, modes and times; directories last and the deepest first, for each change below touches its parent.

    May be repeated. OSError(ENOENT) if a file has gone.
    """
    for entry in manifest.entries:
        path = f"{root}/{entry.path}"
        if entry.kind == SYMLINK and disk.read_link(path) != entry.target:
            disk.remove_tree(path)
            disk.symlink(entry.target, path)
        if entry.kind != DIRECTORY:
            disk.set_attributes(path, entry.mode, entry.mtime_ns)
    for entry in reversed(manifest.entries):
        if entry.kind == DIRECTORY:
            disk.set_attributes(f"{root}/{entry.path}", entry.mode, entry.mtime_ns)


def sync_files(disk: Disk, artifact: "Artifact") -> None:
    """All that was written of it is durable, and its place is.

    Where the files are few each is synced by itself: to sync a file system is to wait for what others wrote to it, too,
    on a busy machine for half a second and more. A device is synced alone in any case: its file system is another's.
    """
    root, manifest = artifact.root, artifact.manifest
    if artifact.in_place:
        disk.sync(root)
    elif artifact.finished or not _are_few(manifest) or not _sync_each(disk, root, manifest):
        disk.sync_all(root)


def _are_few(manifest: Manifest) -> bool:
    # A symlink can't be synced: that its directory is says nothing of it on some file systems.
    return len(manifest.entries) <= SYNCED_FILES_MAX and all(entry.kind != SYMLINK for entry in manifest.entries)


def _sync_each(disk: Disk, root: str, manifest: Manifest) -> bool:
    """False where something may not be opened: sealed, or above what is ours."""
    try:
        for entry in reversed(manifest.entries):  # what is in a directory before the directory
            disk.sync(f"{root}/{entry.path}")
        for directory in _with_those_above(root):  # new, too, made by us or by who was killed before they were synced
            disk.sync(directory)
    except PermissionError:
        return False
    return True


def _with_those_above(directory: str) -> Iterator[str]:
    while True:
        yield directory
        above = os.path.dirname(directory)
        if above == directory:
            return
        directory = above


def looks_like(disk: Disk, root: str, manifest: Manifest) -> bool:
    """Every entry is there with its kind, size and target; contents are not read, strangers not minded."""
    for entry in manifest.entries:
        path = f"{root}/{entry.path}" if manifest.tree else root
        found = disk.stat(path)
        if found is None or found.kind != entry.kind or (entry.kind == FILE and found.size != entry.size):
            return False
        if entry.kind == SYMLINK and disk.read_link(path) != entry.target:
            return False
    return True


def pieces_within(manifest: Manifest, entries: list[int]) -> Iterator[int]:
    """The pieces that have a part in one of these entries, ascending."""
    if not entries:
        return
    wanted = set(entries)
    for piece in range(manifest.pieces):
        if any(extent.entry in wanted for extent in manifest.extents(piece)):
            yield piece
