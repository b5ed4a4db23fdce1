"""Where compressed streams lie in bytes of any kind: where one may begin, and really is.

No archive, file system or kernel image is parsed: a stream's own first bytes are looked for, and what they begin is
expanded, whole, to see. That finds a kernel in a bzImage, members of a zip, and files of an ext4 image alike.
"""

import heapq
import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .streams import DEFLATE, GZIP, WINDOW_BYTES_MAX, XZ, ZLIB, ZSTD, DamagedStreamError, expander

STREAM_BYTES_MIN: Final = 512
EXPANDED_BYTES_MAX: Final = 4 * 2**30
"""Of one stream; a larger one is left alone."""

_MAGICS: Final = {
    b"\x1f\x8b\x08": GZIP, b"\xfd7zXZ\0": XZ, b"\x28\xb5\x2f\xfd": ZSTD, b"PK\3\4": DEFLATE,
    b"x\xda": ZLIB, b"x\x9c": ZLIB,
}  # fmt: skip
"""zlib's: of its levels 9, as of a squashfs, and 6. By chance there is one of them in each 32 KiB."""
_TRIED_BYTES: Final = 256
_LOCAL_HEADER: Final = struct.Struct("<8xH16xHH")
"""Of a member of a zip file (APPNOTE 4.3.7): method, bytes of its name and of what stands behind that."""
_DEFLATED: Final = 8
_SQUASHFS_MAGIC: Final = b"hsqs"
_SQUASHFS_HEAD: Final = struct.Struct("<20xH")
_SQUASHFS_CODECS: Final = ("?", "gzip", "lzma", "lzo", "xz", "lz4", "zstd")


@dataclass(frozen=True, slots=True)
class Member:
    """A compressed stream: `length` bytes at `offset` hold `expanded_bytes`. `name`: within a zip file."""

    kind: str
    offset: int
    length: int
    expanded_bytes: int
    name: str = ""


def members(path: Path) -> list[Member]:
    """The streams in a file that is not empty, by offset."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return list(streams_in(mapped))


def squashfs_codec(path: Path) -> str:
    """By what a squashfs is compressed; "" for any other file."""
    with path.open("rb") as file:
        head = file.read(_SQUASHFS_HEAD.size)
    if len(head) < _SQUASHFS_HEAD.size or not head.startswith(_SQUASHFS_MAGIC):
        return ""
    (codec,) = _SQUASHFS_HEAD.unpack(head)
    return _SQUASHFS_CODECS[codec if codec < len(_SQUASHFS_CODECS) else 0]


def streams_in(data: bytes | mmap.mmap, window_bytes_max: int = WINDOW_BYTES_MAX) -> Iterator[Member]:
    """The streams in these bytes, by offset, none within another; those that can be expanded with such a window."""
    end = 0
    with memoryview(data) as view:
        for place, kind in heapq.merge(*(_places(data, magic, kind) for magic, kind in _MAGICS.items())):
            if place >= end and (kind != ZLIB or _may_be_zlib(view, place)):
                offset, name = _zip_member(view, place) if kind == DEFLATE else (place, "")
                member = None if offset is None else measure(kind, view, offset, name, window_bytes_max)
                if member and member.length >= STREAM_BYTES_MIN:
                    end = member.offset + member.length
                    yield member


def _may_be_zlib(view: memoryview, place: int) -> bool:
    """Does a little of it expand? What begins by chance mostly ends within a few bytes."""
    try:
        zlib.decompressobj().decompress(view[place : place + _TRIED_BYTES], _TRIED_BYTES)
    except zlib.error:
        return False
    return True


def stream_kind(start: bytes) -> str | None:
    """Of the stream that a file with this start may be; a zip file is none."""
    return next((kind for magic, kind in _MAGICS.items() if kind != DEFLATE and start.startswith(magic)), None)


def _places(data: bytes | mmap.mmap, magic: bytes, kind: str) -> Iterator[tuple[int, str]]:
    at = data.find(magic)
    while at >= 0:
        yield at, kind
        at = data.find(magic, at + 1)


def measure(
    kind: str, view: memoryview, offset: int, name: str = "", window_bytes_max: int = WINDOW_BYTES_MAX
) -> Member | None:
    """The stream of a kind at `offset`; None if there is no whole one."""
    total = 0
    try:
        with view[offset:] as data:
            stream = expander(kind, data, window_bytes_max=window_bytes_max)
            for block in stream:
                total += len(block)
                if total > EXPANDED_BYTES_MAX:
                    return None
    except DamagedStreamError:
        return None
    return Member(kind, offset, stream.length, total, name) if total else None


def _zip_member(view: memoryview, place: int) -> tuple[int | None, str]:
    """Where the stream of a member of a zip file begins, and the member's name; None where there is none."""
    start = place + _LOCAL_HEADER.size
    if start > len(view):
        return None, ""
    method, name, extra = _LOCAL_HEADER.unpack_from(view, place)
    return (start + name + extra if method == _DEFLATED else None), bytes(view[start : start + name]).decode("latin-1")
