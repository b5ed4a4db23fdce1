"""A disk in memory, with the manners of a real one: what was not synced may be gone after a power cut.

Each file and directory remembers the changes since it was last synced. `crash()` undoes them all; `crash(rng)` lets
a random part survive, as write-back would: any subset of a file's writes, any prefix of a directory's changes.
A rename, a `replace` and a `switch_symlink` either happened durably or not at all, as on a journaling file system;
the temporary file of a `replace` may be left over.

`power_cut_after(n)` makes the n-th next step that changes anything, and every call after it, raise PowerCut until
`crash()`: a test that counts n up visits every point in between.
"""

import errno
import os
import threading
from collections.abc import Iterator
from random import Random
from typing import Final

from p2pd.world.disk import FileStat

from .holding import MemoryLock
from .inodes import BLOCK_BYTES, Inode

LINKS_MAX: Final = 40
"""Symlinks followed in one path, as on Linux."""
TEMPORARY_SUFFIX: Final = ".new"
NEVER: Final = 1 << 62
"""A number of steps that no disk comes to."""


class PowerCut(Exception):
    """The machine is off. Nothing works until `crash()`."""


class MemoryDisk:
    """`p2pd.world.disk.Disk` in memory. `capacity_bytes`: how much data it can hold (None: no limit); may be changed.

    Public for tests: `fsyncs`, `writes`, `written_bytes`, `read_bytes` count; `corrupt`, `remove_tree`, `kill`,
    `crash` and `power_cut_after` are what may happen to a disk behind its user's back.
    """

    def __init__(self, capacity_bytes: int | None = None) -> None:
        self.capacity_bytes = capacity_bytes
        self.fsyncs = 0
        self.writes = 0
        self.written_bytes = 0
        self.read_bytes = 0
        self.boots = 1
        self.steps = 0
        self._root = Inode("directory", 0o755)
        self._dirty: dict[Inode, None] = {}
        self._folders: dict[str, Inode] = {}
        self._files: dict[str, Inode] = {}
        """Both by path, as found since a name last changed its meaning."""
        self._locks: set[str] = set()
        self._lock = threading.RLock()
        self._cut_at = NEVER
        self._used_blocks = 0
        self._mtime_ns = 0

    # What may happen behind the user's back

    def power_cut_after(self, steps: int) -> None:
        """The power goes just before the step after the next `steps` ones that change something."""
        self._cut_at = self.steps + steps

    def crash(self, rng: Random | None = None) -> None:
        """Power is cut and comes back: what was not synced is gone, or a random part of it; locks are free."""
        with self._lock:
            self._forget_names()
            for inode in self._dirty:
                inode.crash(rng)
            self._dirty.clear()
            self._cut_at = NEVER
            self._locks = set()
            self.boots += 1
            self._used_blocks = sum(inode.used_blocks for inode in self._walk(self._root))

    def restore_power(self) -> None:
        """It was only the process that stopped: nothing is lost."""
        self._cut_at = NEVER

    def kill(self) -> None:
        """The process that used the disk was killed: locks are free, nothing is lost."""
        self._locks = set()

    def corrupt(self, path: str, offset: int) -> None:
        """Bit rot: one byte changes."""
        self._file(path).data[offset] ^= 0x40

    def peek(self, path: str, offset: int = 0, length: int = 1 << 62) -> bytes | None:
        """What a file (or a part of it) holds, whether or not the power is on; None if there is no such file."""
        inode = self._find(path)
        return bytes(inode.data[offset : offset + length]) if inode is not None and inode.kind == "file" else None

    @property
    def used_bytes(self) -> int:
        """Room that is taken."""
        return self._used_blocks * BLOCK_BYTES

    # The seam

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`."""
        with self._lock:
            return self._read(path, offset, length)

    def read_cached(self, path: str, offset: int, length: int) -> bytes | None:
        """Nothing is: every read takes its time."""
        return None

    def read_all(self, path: str, max_bytes: int) -> bytes:
        """The whole file; OSError(EFBIG) if it is larger than `max_bytes`."""
        data = self.read(path, 0, max_bytes + 1)
        if len(data) > max_bytes:
            raise _error(errno.EFBIG, path)
        return data

    def write(self, path: str, offset: int, data: bytes | memoryview) -> None:
        """Write all of it at `offset`; the file must exist. OSError(ENOSPC) leaves what fitted."""
        with self._lock:
            self._begin()
            self._write(self._file(path), path, offset, bytes(data))

    def copy(self, source: str, source_offset: int, destination: str, offset: int, length: int) -> None:
        """Write `length` bytes of another file at `offset`, fewer where the source ends before."""
        self.write(destination, offset, self.read(source, source_offset, length))

    def append(self, path: str, data: bytes) -> None:
        """Write all of it at the end, creating the file."""
        with self._lock:
            self._begin()
            if self._find(path) is None:
                self._link(path, Inode("file", 0o600))
            inode = self._file(path)
            self._write(inode, path, len(inode.data), data)

    def replace(self, path: str, data: bytes) -> None:
        """Make `path` hold `data`, atomically and durably."""
        temporary = path + TEMPORARY_SUFFIX
        self.remove_tree(temporary)
        self.create(temporary, 0)
        self.write(temporary, 0, data)
        self.sync(temporary)
        self.rename(temporary, path)

    def create(self, path: str, size: int) -> None:
        """An empty file of this size (sparse until written), mode 0600; OSError(EEXIST)."""
        with self._lock:
            self._begin()
            inode = Inode("file", 0o600, self._now())
            self._link(path, inode)
            self._resize(inode, size)

    def truncate(self, path: str, size: int) -> None:
        """Cut or extend a file."""
        with self._lock:
            self._begin()
            self._resize(self._file(path), size)

    def set_attributes(self, path: str, mode: int, mtime_ns: int) -> None:
        """Permission bits and modification time of a file or directory; a symlink's own mtime."""
        with self._lock:
            self._begin()
            inode = self._existing(path)
            self._touch(inode).set_attributes(inode.mode if inode.kind == "symlink" else mode, mtime_ns)

    def sync(self, path: str) -> None:
        """fsync one file or directory."""
        with self._lock:
            self._begin()
            self._sync(self._existing(path))

    def sync_all(self, path: str) -> None:
        """Everything is durable."""
        with self._lock:
            self._begin()
            self._existing(path)
            for inode in list(self._dirty):
                self._sync(inode)

    def make_directories(self, path: str) -> None:
        """Like mkdir -p, mode 0755."""
        missing: list[str] = []
        while self.stat(path) is None:
            missing.append(path)
            path = os.path.dirname(path)
        if self._resolve(path).kind != "directory":
            raise _error(errno.EEXIST, path)
        for directory in reversed(missing):
            with self._lock:
                self._begin()
                self._link(directory, Inode("directory", 0o755, self._now()))

    def symlink(self, target: str, path: str) -> None:
        """A new symlink at `path`."""
        with self._lock:
            self._begin()
            self._link(path, Inode("symlink", 0o777, self._now(), target))

    def switch_symlink(self, target: str, path: str) -> None:
        """Make the symlink `path` point to `target`, atomically and durably, whether or not it was there."""
        temporary = path + TEMPORARY_SUFFIX
        self.remove_tree(temporary)
        self.symlink(target, temporary)
        self.rename(temporary, path)

    def read_link(self, path: str) -> str | None:
        """Where a symlink points; None if there is none."""
        with self._lock:
            self._check_power()
            inode = self._find(path)
            return inode.target if inode is not None and inode.kind == "symlink" else None

    def rename(self, source: str, destination: str) -> None:
        """Durable rename (fsync of both parents)."""
        with self._lock:
            self._begin()
            inode, there = self._existing(source), self._find(destination)
            if there is not None and there.kind == "directory" and there.entries:
                raise _error(errno.ENOTEMPTY, destination)
            if there is not None and (there.kind == "directory") != (inode.kind == "directory"):
                raise _error(errno.ENOTDIR if inode.kind == "directory" else errno.EISDIR, destination)
            old, new = self._parent(source), self._parent(destination)
            self._forget_names()
            self._touch(old).set_entry(os.path.basename(source), None, self._now())
            self._touch(new).set_entry(os.path.basename(destination), inode, self._now())
            self._sync(old)
            self._sync(new)
            if there is not None and there is not inode:
                self._forget_blocks(there)

    def remove_tree(self, path: str) -> None:
        """A file or a whole directory, gone; nothing if it was not there."""
        found = self.stat(path)
        if found is None:
            return
        if found.kind == "directory":
            for name in self.list_directory(path):
                self.remove_tree(os.path.join(path, name))
        with self._lock:
            self._begin()
            self._forget_names()
            self._forget_blocks(self._existing(path))
            self._touch(self._parent(path)).set_entry(os.path.basename(path), None, self._now())

    def list_directory(self, path: str) -> list[str]:
        """Names, sorted; empty if there is none."""
        with self._lock:
            self._check_power()
            inode = self._find(path, follow=True)
            return sorted(inode.entries) if inode is not None and inode.kind == "directory" else []

    def stat(self, path: str) -> FileStat | None:
        """What it is, symlinks not followed; None if nothing is there."""
        with self._lock:
            self._check_power()
            inode = self._find(path)
            return None if inode is None else FileStat(inode.kind, len(inode.data), inode.mode, inode.mtime_ns)

    def free_bytes(self, path: str) -> int:
        """What may still be written."""
        self._check_power()
        return 1 << 50 if self.capacity_bytes is None else self.capacity_bytes - self._used_blocks * BLOCK_BYTES

    def lock(self, path: str) -> MemoryLock | None:
        """An exclusive lock, or None when it is held."""
        with self._lock:
            self._check_power()
            self._parent(path)
            if path in self._locks:
                return None
            self._locks.add(path)
            return MemoryLock(self._locks, path)

    def boot_id(self) -> str:
        """Changes with every crash."""
        return f"boot-{self.boots}"

    # Within

    def _check_power(self) -> None:
        if self.steps >= self._cut_at:
            raise PowerCut

    def _begin(self) -> None:
        """Something is about to change."""
        self._check_power()
        self.steps += 1

    def _now(self) -> int:
        self._mtime_ns += 1_000_000
        return self._mtime_ns

    def _touch(self, inode: Inode) -> Inode:
        self._dirty[inode] = None
        return inode

    def _sync(self, inode: Inode) -> None:
        self.fsyncs += 1
        inode.sync()
        self._dirty.pop(inode, None)

    def _resize(self, inode: Inode, size: int) -> None:
        before = inode.used_blocks
        self._touch(inode).resize(size)
        self._used_blocks += inode.used_blocks - before

    def _read(self, path: str, offset: int, length: int) -> bytes:
        self._check_power()
        data = bytes(memoryview(self._file(path).data)[offset : offset + length])
        self.read_bytes += len(data)
        return data

    def _write(self, inode: Inode, path: str, offset: int, data: bytes) -> None:
        """What fits; OSError(ENOSPC) when that is not all."""
        fitting = len(data)
        if self.capacity_bytes is not None:
            fitting = inode.fitting_bytes(offset, fitting, self.capacity_bytes // BLOCK_BYTES - self._used_blocks)
        self._used_blocks += self._touch(inode).write(offset, data[:fitting], self._now())
        self.writes += 1
        self.written_bytes += fitting
        if fitting < len(data):
            raise _error(errno.ENOSPC, path)

    def _forget_blocks(self, inode: Inode) -> None:
        self._used_blocks -= inode.used_blocks

    def _walk(self, inode: Inode) -> Iterator[Inode]:
        yield inode
        for child in inode.entries.values():
            yield from self._walk(child)

    def _link(self, path: str, inode: Inode) -> None:
        parent = self._parent(path)
        if os.path.basename(path) in parent.entries:
            raise _error(errno.EEXIST, path)
        self._touch(parent).set_entry(os.path.basename(path), inode, self._now())
        self._touch(inode)

    def _find(self, path: str, *, follow: bool = False) -> Inode | None:
        try:
            if follow or path == "/":
                return self._resolve(path)
            return self._parent(path).entries.get(os.path.basename(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _existing(self, path: str) -> Inode:
        inode = self._find(path)
        if inode is None:
            raise _error(errno.ENOENT, path)
        return inode

    def _file(self, path: str) -> Inode:
        inode = self._files.get(path)
        if inode is None:
            inode = self._parent(path).entries.get(os.path.basename(path))
            if inode is None:
                raise _error(errno.ENOENT, path)
            if inode.kind != "file":
                raise _error(errno.ELOOP if inode.kind == "symlink" else errno.EISDIR, path)
            self._files[path] = inode
        return inode

    def _forget_names(self) -> None:
        self._folders.clear()
        self._files.clear()

    def _parent(self, path: str) -> Inode:
        """The directory that holds the last name of a path, other names' symlinks followed."""
        folder = path[: path.rindex("/")] or "/"
        inode = self._folders.get(folder)
        if inode is None:
            inode = self._resolve(folder)
            if inode.kind != "directory":
                raise _error(errno.ENOTDIR, path)
            self._folders[folder] = inode
        return inode

    def _resolve(self, path: str, links: int = 0) -> Inode:
        assert path.startswith("/"), path
        inode, at = self._root, "/"
        for name in path.strip("/").split("/") if path.strip("/") else ():
            if inode.kind != "directory":
                raise _error(errno.ENOTDIR, path)
            if name not in inode.entries:
                raise _error(errno.ENOENT, path)
            inode = inode.entries[name]
            if inode.kind == "symlink":
                if links >= LINKS_MAX:
                    raise _error(errno.ELOOP, path)
                inode = self._resolve(os.path.normpath(os.path.join(at, inode.target)), links + 1)
            at = os.path.join(at, name)
        return inode


def _error(code: int, path: str) -> OSError:
    return OSError(code, os.strerror(code), path)
