"""A manifest against the disk: pieces are read and written where their extents lie, a whole tree is compared."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .digest import digest_function
from .entries import DIRECTORY, FILE, SYMLINK, Entry
from .manifest import Manifest

MISSING = "missing"
_PERMISSION_BITS = 0o7777


@dataclass(frozen=True, slots=True)
class Problem:
    """How a path differs from the manifest."""

    path: str
    what: str


def place(root: Path, manifest: Manifest, entry: Entry) -> Path:
    """Where an entry is: below `root`, or `root` itself when the artifact is a single file."""
    return root / entry.path if manifest.tree else root


def verify(
    root: Path, manifest: Manifest, *, times: bool = True, advance: Callable[[int], None] = lambda count: None
) -> list[Problem]:
    """All differences between what is at `root` and the manifest, in its order; extra files last. Follows no link.

    `times`: modification times count. A small file that shares its piece with a damaged neighbour is reported with it.
    """
    problems: list[Problem] = []
    absent: set[str] = set()
    for entry in manifest.entries:
        if entry.path.rpartition("/")[0] in absent:
            found = [Problem(entry.path, MISSING)]
        else:
            found = list(_attributes(root, manifest, entry, times))
        if any(problem.what == MISSING or "instead of" in problem.what for problem in found):
            absent.add(entry.path)
        problems += found
    problems += _damage(root, manifest, absent, advance)
    if manifest.tree and root.is_dir():
        problems += _extra(root, manifest)
    return problems


def _attributes(root: Path, manifest: Manifest, entry: Entry, times: bool) -> Iterator[Problem]:
    path = place(root, manifest, entry)
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        yield Problem(entry.path, MISSING)
        return
    kind = _kind(status.st_mode)
    if kind != entry.kind:
        yield Problem(entry.path, f"a {kind} instead of a {entry.kind}")
        return
    if kind == SYMLINK:
        if (target := os.readlink(path)) != entry.target:
            yield Problem(entry.path, f"points to {target!r} instead of {entry.target!r}")
    elif (mode := status.st_mode & _PERMISSION_BITS) != entry.mode:
        yield Problem(entry.path, f"mode {mode:o}, not {entry.mode:o}")
    if kind == FILE and status.st_size != entry.size:
        yield Problem(entry.path, f"{status.st_size} bytes instead of {entry.size}")
    if times and status.st_mtime_ns != entry.mtime_ns:
        yield Problem(entry.path, "another modification time")


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISDIR(mode):
        return DIRECTORY
    return SYMLINK if stat.S_ISLNK(mode) else "special file"


def _damage(root: Path, manifest: Manifest, unreadable: set[str], advance: Callable[[int], None]) -> Iterator[Problem]:
    digest_of = digest_function(manifest.algorithm)
    reported = set(unreadable)
    with PieceFiles(root, manifest, os.O_RDONLY) as files:
        for piece in range(manifest.pieces):
            paths = [manifest.entries[extent.entry].path for extent in manifest.extents(piece)]
            advance(manifest.lengths[piece])
            if unreadable.isdisjoint(paths) and digest_of(files.read(piece)) == manifest.digest(piece):
                continue
            for path in paths:
                if path not in reported:
                    reported.add(path)
                    alone = len(paths) == 1
                    yield Problem(path, "other content" if alone else "other content, here or in a file beside it")


def _extra(root: Path, manifest: Manifest) -> Iterator[Problem]:
    known = {entry.path: entry.kind for entry in manifest.entries}
    left = [""]
    while left:
        directory = left.pop()
        with os.scandir(root / directory) as listing:
            names = sorted(f"{directory}{item.name}" for item in listing)
        for path in names:
            if path not in known:
                yield Problem(path, "not in the manifest")
            elif known[path] == DIRECTORY and stat.S_ISDIR(os.lstat(root / path).st_mode):
                left.append(f"{path}/")


class PieceFiles:
    """Reads and writes pieces across the files they lie in. Keeps one file open, so go through pieces in order."""

    def __init__(self, root: Path, manifest: Manifest, flags: int) -> None:
        self._root = root
        self._manifest = manifest
        self._flags = flags | os.O_NOFOLLOW | os.O_CLOEXEC
        self._entry = -1
        self._descriptor = -1

    def __enter__(self) -> "PieceFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def read(self, piece: int) -> bytes:
        """The piece's bytes; fewer where a file is too short."""
        parts = []
        for extent in self._manifest.extents(piece):
            self._open(extent.entry)
            parts.append(os.pread(self._descriptor, extent.length, extent.offset))
        return b"".join(parts)

    def write(self, piece: int, data: bytes) -> None:
        """Put verified bytes where the piece lies."""
        view = memoryview(data)
        for extent in self._manifest.extents(piece):
            self._open(extent.entry)
            part, view = view[: extent.length], view[extent.length :]
            offset = extent.offset
            while part:
                count = os.pwrite(self._descriptor, part, offset)
                part, offset = part[count:], offset + count

    def _open(self, entry: int) -> None:
        if entry != self._entry:
            self._close()
            path = place(self._root, self._manifest, self._manifest.entries[entry])
            self._descriptor, self._entry = os.open(path, self._flags), entry

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = self._entry = -1
