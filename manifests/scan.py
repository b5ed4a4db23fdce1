"""What a publisher finds on disk: a file or a tree, links not followed, and whether it keeps still while it is read."""

import os
import posixpath
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from .entries import DIRECTORY, FILE, SYMLINK, Entry
from .errors import PublishError, UnreleasableError, UnsafePathError
from .paths import check_attributes, check_entries, check_path

REFUSED_SHOWN: Final = 3
"""Paths that a refusal names, beside saying how many there are."""

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


@dataclass(frozen=True, slots=True)
class Refused:
    """A path that no release may hold as it is, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What is at a path. `found`: in the order of a manifest. `refused`: what can't be released; it is among `found` as
    far as it can be compared (without special permission bits, links from the root on as seen from their directory).
    """

    found: list[Found]
    tree: bool
    refused: list[Refused] = field(default_factory=list)


def scan(path: Path) -> tuple[list[Found], bool]:
    """All that is at `path`, in the order of a manifest, and whether that is a tree. PublishError, of which
    UnreleasableError says what of a tree no release may hold.
    """
    seen = survey(path)
    if seen.refused:
        raise UnreleasableError(_in_words(path, seen))
    return seen.found, seen.tree


def survey(path: Path) -> Survey:
    """The same to be compared only. PublishError, if even that can't be done."""
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        raise PublishError(f"{path} is a symlink, which is never followed; name what it points to")
    seen = Survey([], tree=stat.S_ISDIR(status.st_mode))
    places = _walk(str(path)) if seen.tree else [(path.absolute().name, str(path), status)]
    for name, place, status in places:
        entry: Entry | None
        try:
            entry = _entry(name, place, status)
            check_path(name)
            check_attributes(entry)
        except UnsafePathError as error:
            seen.refused.append(Refused(name, str(error)))
            entry = _comparable(name, place, status)
        if entry is not None:
            seen.found.append(Found(entry, place, identity(status)))
    check_entries([one.entry for one in seen.found], tree=seen.tree)
    return seen


def hard_links(found: Sequence[Found]) -> int:
    """How many of these files are another one of these, too."""
    files = [one.identity[:2] for one in found if one.entry.kind == FILE]
    return len(files) - len(set(files))


def _comparable(name: str, place: str, status: os.stat_result) -> Entry | None:
    """What can be compared of an entry that can't be released."""
    try:
        entry = _entry(name, place, status)
        target = entry.target and posixpath.normpath(entry.target)
        if target.startswith("/"):
            target = posixpath.relpath(target, "/" + posixpath.dirname(name))
        entry = replace(entry, mode=entry.mode & _LINK_MODE, target=target)
        check_path(name)
        check_attributes(entry)
    except UnsafePathError:
        return None
    return entry


def _in_words(path: Path, seen: Survey) -> str:
    shown = "; ".join(one.why for one in seen.refused[:REFUSED_SHOWN])
    if len(seen.refused) == 1:
        return shown
    more = f"; and {len(seen.refused) - REFUSED_SHOWN} more" if len(seen.refused) > REFUSED_SHOWN else ""
    return (
        f"{path} has {len(seen.refused)} paths that no release may hold: {shown}{more}. A whole system is released as "
        "an image of it (tar, ext4, erofs), which keeps its links, devices and permissions"
    )


def _walk(root: str) -> list[tuple[str, str, os.stat_result]]:
    """Name, place and status of all that lies below, in the order of a manifest."""
    found, left = [], [(root, "")]
    while left:
        directory, prefix = left.pop()
        with os.scandir(directory) as listing:
            for item in listing:
                status = item.stat(follow_symlinks=False)
                found.append((prefix + item.name, item.path, status))
                if stat.S_ISDIR(status.st_mode):
                    left.append((item.path, f"{prefix}{item.name}/"))
    return sorted(found, key=lambda one: one[0].split("/"))


def _entry(name: str, place: str, status: os.stat_result) -> Entry:
    """UnsafePathError for what is no file, directory or link."""
    kind = stat.S_IFMT(status.st_mode)
    mode, mtime_ns = status.st_mode & _PERMISSION_BITS, status.st_mtime_ns
    if kind == stat.S_IFREG:
        return Entry(name, FILE, mode, mtime_ns, status.st_size)
    if kind == stat.S_IFDIR:
        return Entry(name, DIRECTORY, mode, mtime_ns)
    if kind == stat.S_IFLNK:
        return Entry(name, SYMLINK, _LINK_MODE, mtime_ns, target=os.readlink(place))
    raise UnsafePathError(f"{place} is {_SPECIAL.get(kind, 'of an unknown kind')}; only files are released")


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
