"""What a publisher finds on disk: a file or a tree, links not followed, and whether it keeps still while it is read."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .entries import DIRECTORY, FILE, SYMLINK, Entry
from .errors import PublishError
from .paths import check_entries

_PERMISSION_BITS = 0o7777
_LINK_MODE = 0o777
_SPECIAL = {
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, where it is, and by what to recognise that it was touched."""

    entry: Entry
    place: str
    identity: tuple[int, ...]


def scan(path: Path) -> tuple[list[Found], bool]:
    """All that is at `path`, in the order of a manifest, and whether that is a tree. UnsafePathError, PublishError."""
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        raise PublishError(f"{path} is a symlink, which is never followed; name what it points to")
    tree = stat.S_ISDIR(status.st_mode)
    found = _walk(str(path)) if tree else [_found(path.absolute().name, str(path), status)]
    check_entries([one.entry for one in found], tree=tree)
    return found, tree


def _walk(root: str) -> list[Found]:
    found, left = [], [(root, "")]
    while left:
        directory, prefix = left.pop()
        with os.scandir(directory) as listing:
            for item in listing:
                one = _found(prefix + item.name, item.path, item.stat(follow_symlinks=False))
                found.append(one)
                if one.entry.kind == DIRECTORY:
                    left.append((item.path, f"{prefix}{item.name}/"))
    return sorted(found, key=lambda one: one.entry.path.split("/"))


def _found(name: str, place: str, status: os.stat_result) -> Found:
    kind = stat.S_IFMT(status.st_mode)
    mode, mtime_ns = status.st_mode & _PERMISSION_BITS, status.st_mtime_ns
    if kind == stat.S_IFREG:
        entry = Entry(name, FILE, mode, mtime_ns, status.st_size)
    elif kind == stat.S_IFDIR:
        entry = Entry(name, DIRECTORY, mode, mtime_ns)
    elif kind == stat.S_IFLNK:
        entry = Entry(name, SYMLINK, _LINK_MODE, mtime_ns, target=os.readlink(place))
    else:
        raise PublishError(f"{place} is {_SPECIAL.get(kind, 'of an unknown kind')}; only files are released")
    return Found(entry, place, identity(status))


def identity(status: os.stat_result) -> tuple[int, ...]:
    """Differs when the file was written, replaced or touched."""
    return (status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class FileRun:
    """Some files as one stream for the chunker. PublishError when one is not what was found before.

    What is written to a file after it was opened shows when all is scanned again; nothing is recorded before that.
    """

    def __init__(self, files: Sequence[Found], advance: Callable[[int], None] = lambda count: None) -> None:
        self._files = iter(files)
        self._advance = advance
        self._current: Found | None = None
        self._descriptor = -1
        self._left = 0

    def __enter__(self) -> "FileRun":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to `len(buffer)` bytes; 0 when all files are read."""
        while self._left == 0:
            self._close()
            self._current = next(self._files, None)
            if self._current is None:
                return 0
            self._open(self._current)
        count = os.readv(self._descriptor, [buffer[: self._left]])
        if count == 0:
            self._changed()
        self._left -= count
        self._advance(count)
        return count

    def _open(self, file: Found) -> None:
        try:
            self._descriptor = os.open(file.place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            self._changed()
        self._left = file.entry.size
        if identity(os.fstat(self._descriptor)) != file.identity:
            self._changed()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _changed(self) -> None:
        place = self._current.place if self._current else "a file"
        raise PublishError(f"{place} changed while it was read; publish something that keeps still")
