"""What the disk in memory is made of: files and directories that know how they were when last synced."""

from random import Random
from typing import Final

BLOCK_BYTES: Final = 4096
"""Room is taken in blocks, as on most file systems; a hole takes none."""


class Inode:
    """A file, directory or symlink. Every change is remembered with its opposite, until `sync` or `crash`."""

    def __init__(self, kind: str, mode: int, mtime_ns: int = 0, target: str = "") -> None:
        self.kind = kind
        self.mode = mode
        self.mtime_ns = mtime_ns
        self.target = target
        self.data = bytearray()
        self.entries: dict[str, Inode] = {}
        self._blocks = bytearray()
        self._synced_size = 0
        self._synced_attributes = (mode, mtime_ns)
        self._writes: list[tuple[int, bytearray, bytes]] = []
        self._entry_changes: list[tuple[str, Inode | None, Inode | None]] = []

    @property
    def used_blocks(self) -> int:
        """Blocks that hold something."""
        return self._blocks.count(1)

    def fitting_bytes(self, offset: int, length: int, free_blocks: int) -> int:
        """How many of `length` bytes can be written at `offset` with so many new blocks."""
        for block in range(offset // BLOCK_BYTES, -(-(offset + length) // BLOCK_BYTES)):
            if block >= len(self._blocks) or not self._blocks[block]:
                if free_blocks <= 0:
                    return max(0, block * BLOCK_BYTES - offset)
                free_blocks -= 1
        return length

    def write(self, offset: int, data: bytes, mtime_ns: int) -> int:
        """Put `data` at `offset`; how many more blocks hold something now."""
        self._writes.append((offset, self.data[offset : offset + len(data)], data))
        self.mtime_ns = mtime_ns
        return self._put(offset, data)

    def resize(self, size: int) -> None:
        """Cut, or extend by a hole."""
        if size < len(self.data):
            self._writes.append((size, self.data[size:], b""))
        self._set_size(size)

    def set_attributes(self, mode: int, mtime_ns: int) -> None:
        """Permission bits and modification time."""
        self.mode, self.mtime_ns = mode, mtime_ns

    def set_entry(self, name: str, inode: "Inode | None", mtime_ns: int) -> None:
        """A name in this directory now means `inode`, or nothing."""
        self.mtime_ns = mtime_ns
        self._entry_changes.append((name, self.entries.get(name), inode))
        self._enter(name, inode)

    def sync(self) -> None:
        """All of this is durable now."""
        self._writes.clear()
        self._entry_changes.clear()
        self._synced_size = len(self.data)
        self._synced_attributes = (self.mode, self.mtime_ns)

    def crash(self, rng: Random | None) -> None:
        """Back to what was durable, plus whatever `rng` lets survive."""
        surviving = [write for write in self._writes if rng is not None and rng.random() < 0.5]
        for offset, before, _ in reversed(self._writes):
            self._put(offset, before)
        self._set_size(self._synced_size)
        for offset, _, after in surviving:
            self._put(offset, after)
        kept = rng.randint(0, len(self._entry_changes)) if rng is not None else 0
        for name, before_inode, _ in reversed(self._entry_changes[kept:]):
            self._enter(name, before_inode)
        self.mode, self.mtime_ns = self._synced_attributes
        self.sync()

    def _put(self, offset: int, data: bytes | bytearray) -> int:
        if not data:
            return 0
        size, end = len(self.data), offset + len(data)
        if offset == size:
            self.data += data
            self._fit_blocks(end)
        else:
            if end > size:
                self._set_size(end)
            self.data[offset:end] = data
        first, last = offset // BLOCK_BYTES, -(-end // BLOCK_BYTES)
        blocks = self._blocks
        if last - first == 1 and blocks[first]:
            return 0
        new = last - first - blocks.count(1, first, last)
        if new:
            blocks[first:last] = b"\1" * (last - first)
        return new

    def _set_size(self, size: int) -> None:
        if size < len(self.data):
            del self.data[size:]
        else:
            self.data.extend(bytes(size - len(self.data)))
        self._fit_blocks(size)

    def _fit_blocks(self, size: int) -> None:
        more = -(-size // BLOCK_BYTES) - len(self._blocks)
        if more > 0:
            self._blocks.extend(bytes(more))
        elif more < 0:
            del self._blocks[more:]

    def _enter(self, name: str, inode: "Inode | None") -> None:
        if inode is None:
            self.entries.pop(name, None)
        else:
            self.entries[name] = inode
