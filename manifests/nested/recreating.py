"""Can a stream be made again byte for byte from what it holds? By trying; wrong settings show within a block.

What can, could travel as patches of what it holds. It depends on the very version of the compressor: zstd 1.5.4 and
1.5.7 differ at every level, liblzma has kept its output for years, gzip's own deflate is not always zlib's.
"""

import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import zstandard

from .streams import DEFLATE, GZIP, XZ, DamagedStreamError, Expander

_MEMORY_LEVELS: Final = (8, 9)
"""zlib's default, and the one that gives what gzip gives most often."""
_BLOCK_BYTES: Final = 128 * 2**10
"""Wrong settings show after about so much."""
_LEVELS: Final = (9, 6, 1, 8, 7, 5, 4, 3, 2)
_GZIP_HEAD, _GZIP_TAIL = 10, 8
_XZ_HEAD: Final = 12
_XZ_LZMA2: Final = 0x21
_XZ_BCJ: Final = {4: "x86", 5: "powerpc", 6: "ia64", 7: "arm", 8: "armthumb", 9: "sparc"}


def recreated_by(kind: str, data: memoryview) -> str:
    """Words for the settings that make just these bytes; "" if none of ours do."""
    if kind == GZIP:
        start = _gzip_head(data)
        return recreated_by(DEFLATE, data[start:-_GZIP_TAIL]) if start else ""
    attempts = {DEFLATE: _deflate, XZ: _xz}.get(kind, _zstd)
    return next((words for words, make in attempts(data) if _makes(make, kind, data)), "")


def _makes(make: Callable[[], Any], kind: str, data: memoryview) -> bool:
    try:
        compressor = make()
    except (ValueError, lzma.LZMAError, zstandard.ZstdError):
        return False
    at = 0
    try:
        for block in Expander(kind, data, _BLOCK_BYTES):
            part = compressor.compress(block)
            if data[at : at + len(part)] != part:
                return False
            at += len(part)
    except DamagedStreamError:
        return False
    return bool(data[at:] == compressor.flush())


Attempt = tuple[str, Callable[[], Any]]


def _deflate(data: memoryview) -> Iterator[Attempt]:
    for level in _LEVELS:
        for memory in _MEMORY_LEVELS:
            make = partial(zlib.compressobj, level, zlib.DEFLATED, -zlib.MAX_WBITS, memory)
            yield f"zlib -{level}, memory {memory}", make


def _gzip_head(data: memoryview) -> int:
    """Where the deflate stream begins (RFC 1952); 0 if the header is cut off."""
    flags, at = data[3], _GZIP_HEAD
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            end = bytes(data[at : at + 4096]).find(0)
            if end < 0:
                return 0
            at += end + 1
    return at + (2 if flags & 2 else 0)


def _xz(data: memoryview) -> Iterator[Attempt]:
    """Settings that the header allows: its check and filters, and any of liblzma's presets."""
    check, filters = data[7] & 15, _xz_filters(bytes(data[_XZ_HEAD : _XZ_HEAD + 1024]))
    for preset in (6, 9, *range(9)):
        for extreme in (0, lzma.PRESET_EXTREME):
            chain = [*filters[:-1], filters[-1] | {"preset": preset | extreme}]
            names = "+".join(_XZ_BCJ[one["id"]] for one in filters[:-1])
            words = f"xz -{preset}{'e' if extreme else ''} {names}".rstrip()
            yield words, partial(lzma.LZMACompressor, check=check, filters=chain)


def _xz_filters(block: bytes) -> list[dict[str, int]]:
    """Of a block's header (xz-file-format 3.1): ids, and LZMA2's dictionary."""
    at, filters = 2, list[dict[str, int]]()
    for flag in (0x40, 0x80):  # sizes, which are there when several threads compressed
        if block[1] & flag:
            at = _after_number(block, at)
    for _ in range((block[1] & 3) + 1):
        code, size = block[at], block[at + 1]
        if code == _XZ_LZMA2:
            bits = block[at + 2] & 63
            filters.append({"id": lzma.FILTER_LZMA2, "dict_size": min((2 | bits & 1) << (bits // 2 + 11), 2**32 - 1)})
        else:
            filters.append({"id": code})
        at += 2 + size
    known = all(one["id"] in _XZ_BCJ for one in filters[:-1])
    return filters if known and "dict_size" in filters[-1] else [{"id": lzma.FILTER_LZMA2}]


def _after_number(block: bytes, at: int) -> int:
    while block[at] & 0x80:
        at += 1
    return at + 1


def _zstd(data: memoryview) -> Iterator[Attempt]:
    """Settings that the header allows: its checksum, its declared size, and any level."""
    said = zstandard.get_frame_parameters(bytes(data[:18]))
    declared = said.content_size not in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR)
    size = said.content_size if declared else 0
    for threads in (0, 1):
        for level in range(1, 23):
            words = f"zstd -{level}{' -T' if threads else ''}"
            yield words, partial(_zstd_compressor, level, threads, size, checksum=said.has_checksum, declared=declared)


def _zstd_compressor(level: int, threads: int, size: int, *, checksum: bool, declared: bool) -> Any:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=size, threads=threads, write_checksum=checksum, write_content_size=declared
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    return compressor.compressobj(size=size) if declared else compressor.compressobj()
