"""Where compressed streams lie in a file: by what its format says, else where one may begin and really is."""

import mmap
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .streams import DEFLATE, GZIP, MAGIC, XZ, ZSTD, DamagedStreamError, Expander

SQUASHFS: Final = "squashfs"
STEP_BYTES: Final = 512
"""Tar, cpio and file systems begin files at multiples of this."""
STREAM_BYTES_MIN: Final = 512
EXPANDED_BYTES_MAX: Final = 4 * 2**30
"""Of one stream; a larger one is left alone."""

_MAGICS: Final = re.compile(b"|".join(re.escape(MAGIC[kind]) for kind in (GZIP, XZ, ZSTD)))
_ZIP: Final = b"PK\3\4"
_LOCAL_HEADER: Final = struct.Struct("<26xHH")
_SQUASHFS_HEAD: Final = struct.Struct("<4sIIIIHHHHHHQQ")
_SQUASHFS_CODECS: Final = ("?", "gzip", "lzma", "lzo", "xz", "lz4", "zstd")
_LINUX_SECTORS, _LINUX_MAGIC, _LINUX_VERSION, _LINUX_PAYLOAD = 0x1F1, 0x202, 0x206, 0x248


@dataclass(frozen=True, slots=True)
class Member:
    """A compressed stream in a file: `length` bytes at `offset` hold `expanded_bytes`. `name`: within an archive.

    `kind` is one of the streams', or SQUASHFS, whose `expanded_bytes` are unknown (0) and whose codec is `name`.
    """

    kind: str
    offset: int
    length: int
    expanded_bytes: int
    name: str = ""


def members(path: Path) -> list[Member]:
    """The streams in a file that is not empty, by offset."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with memoryview(mapped) as view:
            if bytes(view[:4]) == b"hsqs":
                return [_squashfs(view)]
            if bytes(view[:4]) == _ZIP and zipfile.is_zipfile(path):
                return list(_zip(path, view))
            places = [_linux_payload(view)] if _is_linux(view) else _places(mapped)
            return list(_streams(view, places))


def _streams(view: memoryview, places: "Iterator[int] | list[int]") -> Iterator[Member]:
    """Those of the places where a stream begins, none within another."""
    end = 0
    for offset in places:
        if offset < end:
            continue
        kind = next((kind for kind, magic in MAGIC.items() if view[offset : offset + len(magic)] == magic), None)
        member = kind and measure(kind, view, offset)
        if member and member.length >= STREAM_BYTES_MIN:
            end = offset + member.length
            yield member


def measure(kind: str, view: memoryview, offset: int, name: str = "") -> Member | None:
    """The stream of a kind at `offset`; None if there is no whole one."""
    expander, total = Expander(kind, view[offset:]), 0
    try:
        for block in expander:
            total += len(block)
            if total > EXPANDED_BYTES_MAX:
                return None
    except DamagedStreamError:
        return None
    return Member(kind, offset, expander.length, total, name)


def _places(mapped: mmap.mmap) -> Iterator[int]:
    return (found.start() for found in _MAGICS.finditer(mapped) if found.start() % STEP_BYTES == 0)


def _zip(path: Path, view: memoryview) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            if info.compress_type == zipfile.ZIP_DEFLATED and info.compress_size >= STREAM_BYTES_MIN:
                name, extra = _LOCAL_HEADER.unpack_from(view, info.header_offset)
                offset = info.header_offset + _LOCAL_HEADER.size + name + extra
                if member := measure(DEFLATE, view[: offset + info.compress_size], offset, info.filename):
                    yield member


def _is_linux(view: memoryview) -> bool:
    """A bzImage that says where its payload is (Documentation/arch/x86/boot.rst, protocol 2.08)."""
    head = bytes(view[_LINUX_MAGIC : _LINUX_MAGIC + 4])
    return head == b"HdrS" and int.from_bytes(view[_LINUX_VERSION : _LINUX_VERSION + 2], "little") >= 0x0208


def _linux_payload(view: memoryview) -> int:
    sectors = view[_LINUX_SECTORS] or 4
    return (sectors + 1) * 512 + int.from_bytes(view[_LINUX_PAYLOAD : _LINUX_PAYLOAD + 4], "little")


def _squashfs(view: memoryview) -> Member:
    """Its whole image; the superblock says by what it is compressed, and how long it is."""
    fields = _SQUASHFS_HEAD.unpack_from(view)
    codec, size = fields[5], fields[12]
    return Member(SQUASHFS, 0, min(size, len(view)), 0, _SQUASHFS_CODECS[codec if codec < len(_SQUASHFS_CODECS) else 0])
