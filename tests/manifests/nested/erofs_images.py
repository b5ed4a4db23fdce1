"""EROFS images of our own making: a root directory with files, as mkfs.erofs lays them out without compression."""

import struct
from collections.abc import Iterator

BLOCK = 4096
_ROOT = 36
"""The number of the root's inode, as mkfs.erofs has it: right behind the superblock."""
_FLAT_INLINE = 2
_FILE_MODE, _DIRECTORY_MODE = 0o100644, 0o040755
_NAMES_A_BLOCK = 100


def erofs(files: dict[str, bytes], *, layout: int = _FLAT_INLINE, blocks: int = 0) -> bytes:
    """An image of files with names of equal length; with free blocks behind them, up to `blocks`."""
    image = bytearray(BLOCK)
    names = [(b".", _ROOT, 2), (b"..", _ROOT, 2)]
    for name, data in files.items():
        names.append((name.encode(), len(image) // 32, 1))
        head, tail = _cut(data, len(data) % BLOCK if layout == _FLAT_INLINE else 0)
        inode = _inode(_FILE_MODE, len(data), len(image) // BLOCK + 1, layout) + tail
        image += inode.ljust(BLOCK, b"\0") + head + bytes(-len(head) % BLOCK)
    directory = b"".join(_directory(names))
    head, tail = _cut(directory, len(directory) % BLOCK)
    root = _inode(_DIRECTORY_MODE, len(directory), len(image) // BLOCK, _FLAT_INLINE) + tail
    assert _ROOT * 32 + len(root) <= BLOCK, "the end of the directory does not fit"
    image[_ROOT * 32 : _ROOT * 32 + len(root)] = root
    image[1024:1072] = struct.pack("<I8xBxHQ16xII", 0xE0F5E1E2, 12, _ROOT, len(files) + 1, 0, 0)
    return bytes(image + head).ljust(blocks * BLOCK, b"\0")


def _cut(data: bytes, tail_bytes: int) -> tuple[bytes, bytes]:
    return data[: len(data) - tail_bytes], data[len(data) - tail_bytes :]


def _directory(names: list[tuple[bytes, int, int]]) -> Iterator[bytes]:
    for start in range(0, len(names), _NAMES_A_BLOCK):
        part = names[start : start + _NAMES_A_BLOCK]
        offset, entries = 12 * len(part), b""
        for name, number, kind in part:
            entries += struct.pack("<QHBx", number, offset, kind)
            offset += len(name)
        block = entries + b"".join(name for name, _, _ in part)
        yield block.ljust(BLOCK, b"\0") if start + _NAMES_A_BLOCK < len(names) else block


def _inode(mode: int, size: int, block: int, layout: int) -> bytes:
    return struct.pack("<HHHHIIIIHHI", layout << 1, 0, mode, 1, size, 0, block, 0, 0, 0, 0)
