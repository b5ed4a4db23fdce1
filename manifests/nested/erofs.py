"""Files of an EROFS image that lie in two places: whole blocks here, the rest of the last one behind their inode.

So a compressed file's stream is cut, and nobody sees it whole who does not ask the file system. Layout: the kernel's
fs/erofs/erofs_fs.h. Of what the image compresses itself, or keeps in chunks, nothing is said.
"""

import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_SUPERBLOCK_OFFSET: Final = 1024
_SUPERBLOCK: Final = struct.Struct("<I8xBxH24xI")
"""Magic, bits of a block's size, number of the root's inode, block where inodes begin."""
_MAGIC: Final = 0xE0F5E1E2
_BLOCK_BITS: Final = range(9, 17)
_NUMBER_BYTES: Final = 32
"""An inode's number is its place in units of so many bytes."""
_INODE: Final = struct.Struct("<HHH2xI4xI")
"""Format, attributes, mode, size (its lower half), first block."""
_INODE_BYTES: Final = (32, 64)
_FLAT_INLINE: Final = 2
_ATTRIBUTES: Final = (12, 4)
"""Bytes of the head of an inode's attributes, and of each unit more."""
_ENTRY: Final = struct.Struct("<QHBx")
"""Of a directory: number of an inode, where its name begins in the block, kind."""
_KINDS: Final = (1, 2)
"""Files and directories."""

Read = Callable[[int, int], bytes]
"""Bytes at an offset, of a length; fewer at the end."""


@dataclass(frozen=True, slots=True)
class SplitFile:
    """`head_bytes` at `head`, then `tail_bytes` at `tail`."""

    head: int
    head_bytes: int
    tail: int
    tail_bytes: int


def split_files(read: Read) -> Iterator[SplitFile]:
    """The files in two places; none where the bytes are no EROFS image, those before the damage where it is damaged."""
    try:
        magic, bits, root, first = _SUPERBLOCK.unpack(read(_SUPERBLOCK_OFFSET, _SUPERBLOCK.size))
        if magic == _MAGIC and bits in _BLOCK_BITS:
            yield from _walk(read, 1 << bits, first << bits, root)
    except (struct.error, IndexError):
        return


def _walk(read: Read, block_bytes: int, start: int, root: int) -> Iterator[SplitFile]:
    seen, left = {root}, [root]
    while left:
        mode, place = _inode(read, start + _NUMBER_BYTES * left.pop(), block_bytes)
        if place is None:
            continue
        if stat.S_ISDIR(mode):
            fresh = [number for number in _entries(read, place, block_bytes) if number not in seen]
            seen.update(fresh)
            left += sorted(set(fresh), reverse=True)  # as they lie
        elif stat.S_ISREG(mode) and place.head_bytes and place.tail_bytes:
            yield place


def _inode(read: Read, at: int, block_bytes: int) -> tuple[int, SplitFile | None]:
    """Its mode, and where the content is, if that is neither compressed nor in chunks."""
    form, attributes, mode, size, block = _INODE.unpack(read(at, _INODE.size))
    layout = form >> 1 & 7
    if layout not in (0, _FLAT_INLINE):
        return mode, None
    tail = at + _INODE_BYTES[form & 1] + (_ATTRIBUTES[0] + _ATTRIBUTES[1] * (attributes - 1) if attributes else 0)
    inline = size % block_bytes if layout == _FLAT_INLINE else 0
    return mode, SplitFile(block * block_bytes, size - inline, tail, inline)


def _entries(read: Read, place: SplitFile, block_bytes: int) -> Iterator[int]:
    """Numbers of the inodes of files and directories."""
    for offset in range(0, place.head_bytes, block_bytes):
        yield from _entries_of(read(place.head + offset, min(block_bytes, place.head_bytes - offset)))
    if place.tail_bytes:
        yield from _entries_of(read(place.tail, place.tail_bytes))


def _entries_of(block: bytes) -> Iterator[int]:
    _, names, _ = _ENTRY.unpack_from(block)
    for at in range(0, names, _ENTRY.size):
        number, _, kind = _ENTRY.unpack_from(block, at)
        if kind in _KINDS:
            yield number
