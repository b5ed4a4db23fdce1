"""The disk seam. Every call blocks, so bodies call it within `world.run_blocking`, a whole job per hop.

Paths are absolute strings. Errors are OSError with errno, as from the machine (ENOSPC, ENOENT, EIO).
Nothing is durable until `sync` (one file or directory) or `sync_all` returned.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class FileStat:
    """What a path is: `kind` is file, directory, symlink or other. `inode`: another is another file; 0: unknown."""

    kind: str
    size: int
    mode: int
    mtime_ns: int
    inode: int = 0


class Lock(Protocol):
    """Exclusive for this process until released or the process ends."""

    def release(self) -> None:
        """Give it back."""
        ...


class Disk(Protocol):
    """Files, as the daemon needs them."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`."""
        ...

    def read_cached(self, path: str, offset: int, length: int) -> bytes | bytearray | None:
        """All `length` bytes at `offset`, if they are to be had without waiting for any device; else None, whatever the
        reason."""
        ...

    def read_all(self, path: str, max_bytes: int) -> bytes:
        """The whole file; OSError(EFBIG) if it is larger than `max_bytes`."""
        ...

    def write(self, path: str, offset: int, data: bytes | memoryview) -> None:
        """Write all of it at `offset`; the file must exist."""
        ...

    def copy(self, source: str, source_offset: int, destination: str, offset: int, length: int) -> None:
        """Write `length` bytes of another existing file at `offset`, fewer where the source ends before; the file
        system shares them where it can."""
        ...

    def append(self, path: str, data: bytes) -> None:
        """Write all of it at the end, creating the file."""
        ...

    def replace(self, path: str, data: bytes) -> None:
        """Make `path` hold `data`, atomically and durably (temp file, fsync, rename, fsync of the directory)."""
        ...

    def create(self, path: str, size: int) -> None:
        """An empty file of this size (sparse until written), mode 0600; replaces nothing: OSError(EEXIST)."""
        ...

    def truncate(self, path: str, size: int) -> None:
        """Cut or extend a file."""
        ...

    def set_attributes(self, path: str, mode: int, mtime_ns: int) -> None:
        """Permission bits and modification time of a file or directory; a symlink's own mtime."""
        ...

    def sync(self, path: str) -> None:
        """fsync one file or directory."""
        ...

    def sync_all(self, path: str) -> None:
        """Everything written below the file system of `path` is durable (syncfs)."""
        ...

    def make_directories(self, path: str) -> None:
        """Like mkdir -p, mode 0755."""
        ...

    def symlink(self, target: str, path: str) -> None:
        """A new symlink at `path`."""
        ...

    def switch_symlink(self, target: str, path: str) -> None:
        """Make the symlink `path` point to `target`, atomically and durably, whether or not it was there."""
        ...

    def read_link(self, path: str) -> str | None:
        """Where a symlink points; None if there is none."""
        ...

    def rename(self, source: str, destination: str) -> None:
        """Durable rename within one file system (fsync of both parents)."""
        ...

    def remove_tree(self, path: str) -> None:
        """A file or a whole directory, gone; nothing if it was not there."""
        ...

    def list_directory(self, path: str) -> list[str]:
        """Names, sorted; empty if there is none."""
        ...

    def stat(self, path: str) -> FileStat | None:
        """What it is, symlinks not followed; None if nothing is there."""
        ...

    def free_bytes(self, path: str) -> int:
        """What an unprivileged user may still write on the file system of `path`."""
        ...

    def lock(self, path: str) -> Lock | None:
        """An exclusive lock on a lock file, or None when another process holds it."""
        ...

    def boot_id(self) -> str:
        """Changes when the machine boots: what was written but not synced before that may be lost."""
        ...
