"""A zstd frame that compresses nothing, which anybody can write: of one document there is one.

The manifest of an image is digests, which don't compress. Published in this frame it is a few bytes longer, once, and
each update by edits 32 shorter, for the device knows the frame, and so its digest, from the document.
Source: RFC 8878, 3.1.1; the shortest header, blocks as long as may be.
"""

from collections.abc import Iterator
from typing import Final

from .digest import ZSTD_MAGIC, hasher

BLOCK_BYTES: Final = 128 * 2**10
_ONE_SEGMENT: Final = 0x20
_TWO_BYTES_FROM: Final = 256
_SIZES: Final = ((256, 0x00, 1), (_TWO_BYTES_FROM + (1 << 16), 0x40, 2), (1 << 32, 0x80, 4))
"""Below which size, what the descriptor says, and how many bytes say the size."""


def plain_frame(document: bytes) -> bytes:
    """The frame of a document of less than 4 GiB, at least one byte."""
    return b"".join(_parts(document))


def plain_digest(document: bytes) -> bytes:
    """SHA-256 of that frame."""
    found = hasher("sha256")
    for part in _parts(document):
        found.update(part)
    return found.digest()


def _parts(document: bytes) -> Iterator[bytes]:
    size = len(document)
    descriptor, size_bytes = next((flag, count) for below, flag, count in _SIZES if size < below)
    shown = size - _TWO_BYTES_FROM if size_bytes == 2 else size
    yield ZSTD_MAGIC + bytes((descriptor | _ONE_SEGMENT,)) + shown.to_bytes(size_bytes, "little")
    for start in range(0, size, BLOCK_BYTES):
        block = document[start : start + BLOCK_BYTES]
        is_last = start + BLOCK_BYTES >= size
        yield (len(block) << 3 | is_last).to_bytes(3, "little")
        yield block
