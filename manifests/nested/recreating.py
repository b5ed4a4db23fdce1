"""Can a stream be made again byte for byte from what it holds? By trying; wrong settings show within a block.

It depends on the very version of the compressor: zstd 1.5.4 and 1.5.7 differ at every level, liblzma has kept its
output for years, GNU gzip its own for decades, which is not always zlib's.
"""

import lzma
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import zstandard

from . import gnugzip, libzstd
from .recipes import AT_ONCE, Recipe
from .streams import DEFLATE, GZIP, XZ, ZLIB, ZSTD, DamagedStreamError, expander

SEARCHES_IN_VAIN_MAX: Final = 16
"""So many streams of a kind, one after the other, that nothing here makes: the others are by the same hand."""
KNOWN_MAX: Final = 8

_MEMORY_LEVELS: Final = (8, 9)
"""zlib's default, and the one that gives what gzip gives most often."""
_BLOCK_BYTES: Final = 128 * 2**10
"""Wrong settings show after about so much."""
_GNU_LEVELS: Final = (9, 6)
_DEFLATE_LEVELS: Final = (9, 6, 1, 8, 7, 5, 4, 3, 2)
_ZSTD_BLOCK_HEAD: Final = 3
_AT_ONCE_SINCE: Final = 10507
_ZSTD_JOB_BYTES_MIN: Final = 512 * 2**10
"""Below that libzstd leaves its threads alone (ZSTDMT_JOBSIZE_MIN)."""
_ZSTD_LEVELS: Final = (9, 19, 3, 15, *(level for level in range(1, 23) if level not in (9, 19, 3, 15)))
"""As initramfs-tools, kernels, the command itself and mksquashfs do, then all others."""
_GZIP_HEAD, _GZIP_TAIL = 10, 8
_ZLIB_HEAD, _ZLIB_TAIL = 2, 4
_XZ_HEAD: Final = 12
_XZ_LZMA2: Final = 0x21
_XZ_BCJ: Final = (4, 5, 6, 7, 8, 9)
"""Filters for code of x86, powerpc, ia64, arm, armthumb, sparc."""


class Recipes:
    """Finds recipes, in so much memory, and remembers them: what one stream was made by, its neighbours were."""

    def __init__(self, memory_bytes_max: int) -> None:
        self._memory_bytes_max = memory_bytes_max
        self._known: list[Recipe] = []
        """What was found last stands first, what takes a process last."""
        self._in_vain = Counter[str]()

    def find(self, kind: str, data: memoryview, size: int, *, tried_bytes: int = sys.maxsize) -> Recipe | None:
        """The recipe that makes just these bytes from the `size` bytes that they hold; None if none of ours does.

        `tried_bytes`: of those, what it is tried with at most; whether the rest comes out, too, is not known then.
        """
        kind, start, end = bare(kind, data)
        data = data[start:end]
        recipe = self._first([one for one in self._known if one.kind == kind], data, size, tried_bytes)
        if recipe is None and self._in_vain[kind] < SEARCHES_IN_VAIN_MAX:
            recipe = self._first({DEFLATE: _deflate, XZ: _xz, ZSTD: _zstd}[kind](data), data, size, tried_bytes)
            self._in_vain[kind] = 0 if recipe else self._in_vain[kind] + 1
        if recipe:
            known = [recipe, *(one for one in self._known if one != recipe)][:KNOWN_MAX]
            self._known = sorted(known, key=lambda one: one.is_gnu_gzips)
        return recipe

    def _first(self, attempts: Iterable[Recipe], data: memoryview, size: int, tried_bytes: int) -> Recipe | None:
        begins = dict[tuple[int, ...], bool]()
        for recipe in attempts:
            if recipe.memory_bytes(size) > self._memory_bytes_max:
                continue
            if recipe.kind == ZSTD and size > _BLOCK_BYTES:
                version_and_level = recipe.settings[:2]
                if version_and_level not in begins:
                    begins[version_and_level] = _begins(recipe, data)
                if not begins[version_and_level]:
                    continue
            if _makes(recipe, data, tried_bytes):
                return recipe
        return None


def _makes(recipe: Recipe, data: memoryview, tried_bytes: int) -> bool:
    size = _declared_bytes(data) if recipe.kind == ZSTD else 0
    at = 0
    try:
        compressor = recipe.compressor(size or 0)
        for block in expander(recipe.kind, data, _BLOCK_BYTES):
            part = compressor.compress(block)
            if data[at : at + len(part)] != part:
                return False
            at += len(part)
            tried_bytes -= len(block)
            if tried_bytes <= 0:
                return True
    except (DamagedStreamError, ValueError):
        return False
    return bool(data[at:] == compressor.flush())


def _begins(recipe: Recipe, data: memoryview) -> bool:
    """Does zstd's first block come out? It is the same with threads and at once, which show nothing before the end."""
    size = _declared_bytes(data)
    one_by_one = Recipe(ZSTD, (*recipe.settings[:2], 0, recipe.settings[3], int(size is not None)))
    try:
        compressor = one_by_one.compressor(size or 0)
        start = b"".join(map(compressor.compress, islice(expander(ZSTD, data, _BLOCK_BYTES), 2)))
    except (DamagedStreamError, ValueError):
        return False
    if not start:
        return True
    head = zstandard.frame_header_size(start)
    block = head + _ZSTD_BLOCK_HEAD + (int.from_bytes(start[head : head + _ZSTD_BLOCK_HEAD], "little") >> 3)
    return bool(data[:block] == start[:block])


def _deflate(data: memoryview) -> Iterator[Recipe]:
    for level in _DEFLATE_LEVELS:
        for memory in _MEMORY_LEVELS:
            yield Recipe(DEFLATE, (level, memory))
        if level in _GNU_LEVELS and gnugzip.is_here():
            yield Recipe(DEFLATE, (level,))


def bare(kind: str, data: memoryview) -> tuple[str, int, int]:
    """Of a whole stream what is compressed: its kind, start, end. Heads and tails of gzip and zlib stay as they are."""
    if kind == GZIP:
        return DEFLATE, _gzip_head_bytes(data), len(data) - _GZIP_TAIL
    if kind == ZLIB:
        return DEFLATE, _ZLIB_HEAD, len(data) - _ZLIB_TAIL
    return kind, 0, len(data)


def _gzip_head_bytes(data: memoryview) -> int:
    """Where the deflate stream of a gzip member begins (RFC 1952)."""
    flags, at = data[3], _GZIP_HEAD
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            at += bytes(data[at:]).index(0) + 1
    return at + (2 if flags & 2 else 0)


def _xz(data: memoryview) -> Iterator[Recipe]:
    """Settings that the header allows: its check and filters, and any of liblzma's presets."""
    check, (before, dictionary) = data[7] & 15, _xz_filters(bytes(data[_XZ_HEAD : _XZ_HEAD + 1024]))
    if dictionary:
        for preset in (6, 9, 0, 1, 2, 3, 4, 5, 7, 8):
            for extreme in (0, lzma.PRESET_EXTREME):
                yield Recipe(XZ, (preset | extreme, check, dictionary, *before))


def _xz_filters(block: bytes) -> tuple[list[int], int]:
    """Of a block's header (xz-file-format 3.1): ids of the filters before LZMA2, and its dictionary; 0: not known."""
    at, before = 2, list[int]()
    for flag in (0x40, 0x80):  # sizes, which are there when several threads compressed
        if block[1] & flag:
            while block[at] & 0x80:
                at += 1
            at += 1
    for _ in range((block[1] & 3) + 1):
        code, size = block[at], block[at + 1]
        if code == _XZ_LZMA2:
            bits = block[at + 2] & 63
            return before, min((2 | bits & 1) << (bits // 2 + 11), 2**32 - 1)
        if code not in _XZ_BCJ or size:
            break
        before.append(code)
        at += 2
    return before, 0


def _zstd(data: memoryview) -> Iterator[Recipe]:
    """Settings that the header allows: its checksum, its declared size, any level with its window."""
    said = zstandard.get_frame_parameters(bytes(data[:18]))
    declared = _declared_bytes(data)
    for level in _ZSTD_LEVELS:
        if declared is None:
            window = 1 << zstandard.ZstdCompressionParameters.from_level(level).window_log
            if window != said.window_size:
                continue
        for version in dict.fromkeys((libzstd.version() or libzstd.BUNDLED, libzstd.BUNDLED)):
            checksum, sized = int(said.has_checksum), int(declared is not None)
            yield Recipe(ZSTD, (version, level, 0, checksum, sized))
            if declared is None or declared > _ZSTD_JOB_BYTES_MIN:
                yield Recipe(ZSTD, (version, level, 1, checksum, sized))
            if version >= _AT_ONCE_SINCE and (declared or 0) > _BLOCK_BYTES:
                yield Recipe(ZSTD, (version, level, 0, checksum, AT_ONCE))


def _declared_bytes(data: memoryview) -> int | None:
    said = zstandard.get_frame_parameters(bytes(data[:18]))
    known = said.content_size not in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR)
    return int(said.content_size) if known else None
