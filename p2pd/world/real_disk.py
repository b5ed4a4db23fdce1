"""The machine's disk behind the seam. Linux; symlinks are never followed at the end of a path."""

import errno
import fcntl
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from .disk import FileStat
from .flushing import BEHIND_BYTES, Flusher, sync_file_system
from .open_files import OpenFiles

BOOT_ID_PATH: Final = "/proc/sys/kernel/random/boot_id"
TEMPORARY_SUFFIX: Final = ".new"
"""Ends the name of what `replace` and `switch_symlink` leave behind when the machine stops in the middle."""
BLOCK_BYTES: Final = 4096
"""File systems share whole blocks only."""
COPY_BYTES: Final = 2**20
_COPY_REFUSED: Final = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ETXTBSY, errno.EBADF)
_NOWAIT: Final[int] = getattr(os, "RWF_NOWAIT", 0)
_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # not to wait on a planted FIFO


class RealLock:
    """A flock; the kernel releases it when the process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back; again is nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class RealDisk:
    """`p2pd.world.disk.Disk` on the machine. Safe from any thread."""

    def __init__(self, flusher: Flusher | None = None) -> None:
        self._open_files = OpenFiles()
        self._flusher = flusher or Flusher()
        self._naming = threading.Lock()
        self._unknown_boot_id = f"unknown-{secrets.token_hex(8)}"

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`."""
        with _descriptor(path, _READ_FLAGS) as descriptor:
            data = os.pread(descriptor, length, offset)
            while 0 < len(data) < length and (more := os.pread(descriptor, length - len(data), offset + len(data))):
                data += more
            return data

    def read_cached(self, path: str, offset: int, length: int) -> bytearray | None:
        """All `length` bytes at `offset` if they are in the page cache; not every system, nor every file system, can
        say."""
        if not _NOWAIT:
            return None
        data = bytearray(length)
        try:
            with _descriptor(path, _READ_FLAGS) as descriptor:
                count = os.preadv(descriptor, [data], offset, _NOWAIT)
        except OSError:
            return None  # whoever reads it then, waiting, learns what is wrong
        return data if count == length else None

    def read_all(self, path: str, max_bytes: int) -> bytes:
        """The whole file; OSError(EFBIG) if it is larger than `max_bytes`."""
        parts, left = list[bytes](), max_bytes + 1
        with _descriptor(path, _READ_FLAGS) as descriptor:
            # By parts: a buffer for all that there may be is refused where the machine has less memory than that.
            while left and (part := os.read(descriptor, min(left, COPY_BYTES))):
                parts.append(part)
                left -= len(part)
        if not left:
            raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", path)
        return b"".join(parts)

    def write(self, path: str, offset: int, data: bytes | memoryview) -> None:
        """Write all of it at `offset`; the file must exist."""
        with self._open_files.use(path) as file:
            written = os.pwrite(file.descriptor, data, offset)
            while written < len(data):
                written += os.pwrite(file.descriptor, memoryview(data)[written:], offset + written)
            file.unflushed_bytes += written
            if file.unflushed_bytes >= BEHIND_BYTES and self._flusher.begin(file.descriptor):
                file.unflushed_bytes = 0

    def copy(self, source: str, source_offset: int, destination: str, offset: int, length: int) -> None:
        """Write `length` bytes of another file at `offset`, fewer where the source ends before. What lies alike in
        both files' blocks is shared by file systems that can."""
        with _descriptor(source, _READ_FLAGS) as reading, self._open_files.use(destination) as writing:
            head = -offset % BLOCK_BYTES if (source_offset - offset) % BLOCK_BYTES == 0 else 0
            aligned = (length - head) // BLOCK_BYTES * BLOCK_BYTES if length > head else 0
            for part in (min(head, length), aligned, length - min(head, length) - aligned):
                _copy(reading, source_offset, writing.descriptor, offset, part)
                source_offset, offset = source_offset + part, offset + part

    def append(self, path: str, data: bytes) -> None:
        """Write all of it at the end, creating the file."""
        with _descriptor(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as descriptor:
            _write_all(descriptor, data)

    def replace(self, path: str, data: bytes) -> None:
        """Make `path` hold `data`, atomically and durably."""
        temporary = path + TEMPORARY_SUFFIX
        with self._naming:
            with _descriptor(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            self._open_files.forget(path)
            os.replace(temporary, path)
            self.sync(os.path.dirname(path))

    def create(self, path: str, size: int) -> None:
        """An empty file of this size (sparse until written), mode 0600; OSError(EEXIST)."""
        with _descriptor(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            if size:
                os.ftruncate(descriptor, size)

    def truncate(self, path: str, size: int) -> None:
        """Cut or extend a file."""
        with self._open_files.use(path) as file:
            os.ftruncate(file.descriptor, size)

    def set_attributes(self, path: str, mode: int, mtime_ns: int) -> None:
        """Permission bits and modification time of a file or directory; a symlink's own mtime."""
        if not stat.S_ISLNK(os.lstat(path).st_mode):
            os.chmod(path, mode)
        os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)

    def sync(self, path: str) -> None:
        """fsync one file or directory."""
        with _descriptor(path, _READ_FLAGS) as descriptor:
            os.fsync(descriptor)

    def sync_all(self, path: str) -> None:
        """Everything written below the file system of `path` is durable (syncfs)."""
        with _descriptor(path, _READ_FLAGS) as descriptor:
            sync_file_system(descriptor, path)

    def make_directories(self, path: str) -> None:
        """Like mkdir -p, mode 0755."""
        os.makedirs(path, mode=0o755, exist_ok=True)

    def symlink(self, target: str, path: str) -> None:
        """A new symlink at `path`."""
        os.symlink(target, path)

    def switch_symlink(self, target: str, path: str) -> None:
        """Make the symlink `path` point to `target`, atomically and durably, whether or not it was there."""
        temporary = path + TEMPORARY_SUFFIX
        with self._naming:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            os.symlink(target, temporary)
            os.replace(temporary, path)
            self.sync(os.path.dirname(path))

    def read_link(self, path: str) -> str | None:
        """Where a symlink points; None if there is none."""
        try:
            return os.readlink(path)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINVAL, errno.ENOTDIR):
                return None
            raise

    def rename(self, source: str, destination: str) -> None:
        """Durable rename within one file system (fsync of both parents)."""
        self._open_files.forget(source)
        self._open_files.forget(destination)
        os.rename(source, destination)
        for parent in sorted({os.path.dirname(source), os.path.dirname(destination)}):
            self.sync(parent)

    def remove_tree(self, path: str) -> None:
        """A file or a whole directory, gone; nothing if it was not there."""
        self._open_files.forget(path)
        found = self.stat(path)
        if found is None:
            return
        if found.kind != "directory":
            os.unlink(path)
            return
        directories = [path]
        for directory in directories:
            os.chmod(directory, 0o700)  # a release may hold directories that nobody may write to
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        directories.append(entry.path)
                    else:
                        os.unlink(entry.path)
        for directory in reversed(directories):
            os.rmdir(directory)

    def list_directory(self, path: str) -> list[str]:
        """Names, sorted; empty if there is none."""
        try:
            return sorted(os.listdir(path))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def stat(self, path: str) -> FileStat | None:
        """What it is, symlinks not followed; None if nothing is there."""
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileStat(
            _kind(found.st_mode), found.st_size, stat.S_IMODE(found.st_mode), found.st_mtime_ns, found.st_ino
        )

    def free_bytes(self, path: str) -> int:
        """What an unprivileged user may still write on the file system of `path`, or where `path` will be."""
        while not os.path.exists(path) and path != os.path.dirname(path):
            path = os.path.dirname(path)
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize

    def lock(self, path: str) -> RealLock | None:
        """An exclusive lock on a lock file, or None when somebody holds it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return RealLock(descriptor)

    def boot_id(self) -> str:
        """The kernel's; where there is none, one that no later process shares, so that nothing unsynced is trusted."""
        try:
            with open(BOOT_ID_PATH, encoding="utf-8") as file:  # ASCII, whose codec would be loaded for this alone
                return file.read().strip()
        except OSError:
            return self._unknown_boot_id


@contextmanager
def _descriptor(path: str, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _copy(source: int, source_offset: int, destination: int, offset: int, length: int) -> None:
    """By the kernel; by hand where it refuses (another file system, a device, an old kernel)."""
    by_kernel = True
    while length:
        if by_kernel:
            try:
                count = os.copy_file_range(source, destination, length, source_offset, offset)
            except OSError as error:
                if error.errno not in _COPY_REFUSED:
                    raise
                by_kernel = False
                continue
        else:
            count = os.pwrite(destination, os.pread(source, min(length, COPY_BYTES), source_offset), offset)
        if not count:
            return
        source_offset, offset, length = source_offset + count, offset + count, length - count


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "symlink" if stat.S_ISLNK(mode) else "other"
