"""How a stream is made again, as a value that a pack carries: the compressor, and its settings.

A recipe is a proposal: what comes out is compared with the digest that was signed for. Who lacks the compressor, or
the memory, or has another version, fetches the pieces as they are.
"""

import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import zstandard

from . import gnugzip, libzstd
from .streams import DEFLATE, XZ, ZSTD

WORDS_MAX: Final = 80
"""Letters of a recipe, as words."""
MEMORY_BYTES_MAX: Final = 32 * 2**20
"""What making a stream again may take, unless somebody says otherwise: a phone has 64 MB for it and all else."""
_DEFLATE_BYTES: Final = 2**20
_ZSTD_JOB_WINDOWS: Final = 20
"""With a thread of its own libzstd holds five jobs of four windows each (measured: 108 MiB at a window of 4)."""
AT_ONCE: Final = 2
"""zstd from 1.5.7 on ends blocks elsewhere when it sees all that is to come."""
_XZ_DICTIONARIES: Final = 12
"""liblzma's manual: 10.5 for its best match finder, and some."""
_BASE_BYTES: Final = 2**22
_XZ_LEVEL: Final = 31
"""Of a preset; the rest are flags."""


_SPEEDS: Final = {
    DEFLATE: ((1, 100e6), (5, 45e6), (6, 31e6), (9, 11e6)),
    XZ: ((1, 25e6), (3, 8e6), (31, 3.2e6)),
    ZSTD: ((2, 430e6), (4, 300e6), (8, 110e6), (11, 60e6), (12, 17e6), (15, 9e6), (22, 2.5e6)),
}
"""Up to a level, so many bytes are compressed in a processor second, where BLAKE3 hashes 6 GB: of modules, Python
sources and programs the slow ones (zstd -15: 6.5, 11 and 22 MB, zlib -9: 2.8, 11 and 11, -6: 31, 47 and 47).
"""
_PROCESS_S: Final = 0.001


class Compressor(Protocol):
    """What comes out is the stream, in parts."""

    def compress(self, data: bytes, /) -> bytes:
        """What comes out now."""
        ...

    def flush(self) -> bytes:
        """The end."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """`kind`: DEFLATE, XZ or ZSTD. `settings`, by kind:

    DEFLATE  level, memLevel of zlib; or only a level, of GNU gzip
    XZ       preset, check, bytes of the dictionary, then the ids of filters before LZMA2
    ZSTD     version, level, workers, is there a checksum, was the size known (AT_ONCE: and compressed in one call)
    """

    kind: str
    settings: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join((self.kind, *map(str, self.settings)))

    def memory_bytes(self, size: int) -> int:
        """What making a stream of `size` bytes again takes, about and rather too much."""
        if self.kind == DEFLATE:
            return _DEFLATE_BYTES
        if self.kind == XZ:
            return _XZ_DICTIONARIES * self.settings[2] + _BASE_BYTES
        _, level, workers, _, sized = self.settings
        window, context = _zstd_memory(level, size if sized else 0)
        held = 3 * size if sized == AT_ONCE else _ZSTD_JOB_WINDOWS * window if workers else 2 * window
        return context + held + _BASE_BYTES

    def seconds(self, size: int) -> float:
        """Processor time that making a stream of `size` bytes again takes, about."""
        level = self.settings[1] if self.kind == ZSTD else self.settings[0] & _XZ_LEVEL
        speeds = _SPEEDS[self.kind]
        speed = next((speed for most, speed in speeds if level <= most), speeds[-1][1])
        return size / speed + _PROCESS_S * self.is_gnu_gzips

    @property
    def is_gnu_gzips(self) -> bool:
        """Is it a process that makes it?"""
        return self.kind == DEFLATE and len(self.settings) == 1

    @property
    def is_divisible(self) -> bool:
        """Does what begins alike begin alike when compressed? Not what is told at the start how long it will be."""
        return self.kind != ZSTD or not self.settings[4]

    @property
    def is_here(self) -> bool:
        """Has this machine the compressor?"""
        if self.is_gnu_gzips:
            return gnugzip.is_here()
        return self.kind != ZSTD or self.settings[0] in (libzstd.BUNDLED, libzstd.version())

    def compressor(self, size: int) -> Compressor:
        """Makes the stream again of which `size` bytes are given to it. ValueError if it can't be had here."""
        try:
            return _compressor(self, size)
        except (ValueError, OSError, lzma.LZMAError, zstandard.ZstdError, zlib.error, MemoryError) as error:
            raise ValueError(f"{self}: {error}") from None


def parse(words: str) -> Recipe:
    """ValueError for what is no recipe."""
    kind, *numbers = words[: WORDS_MAX + 1].split(" ")
    settings = tuple(map(int, numbers))
    counts = {DEFLATE: (1, 2), XZ: (3, 6), ZSTD: (5, 5)}.get(kind)
    recipe = Recipe(kind, settings)
    if counts is None or not counts[0] <= len(settings) <= counts[1] or str(recipe) != words or min(settings) < 0:
        raise ValueError(f"{words[:WORDS_MAX]!r} is no recipe")
    return recipe


def _compressor(recipe: Recipe, size: int) -> Compressor:
    if recipe.kind == DEFLATE:
        level, *memory = recipe.settings
        if not memory:
            return gnugzip.GnuGzip(level)
        return zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, memory[0])
    if recipe.kind == XZ:
        preset, check, dictionary, *before = recipe.settings
        chain: list[dict[str, int]] = [{"id": one} for one in before]
        chain.append({"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": dictionary})
        return lzma.LZMACompressor(lzma.FORMAT_XZ, check=check, filters=chain)
    return _zstd(recipe, size)


def _zstd(recipe: Recipe, size: int) -> Compressor:
    version, level, workers, checksum, sized = recipe.settings
    if version != libzstd.BUNDLED:
        if version != libzstd.version():
            raise ValueError(f"libzstd {version} is not here")
        system = libzstd.SystemCompressor(level, workers, checksum=bool(checksum), size=size if sized else None)
        return _AtOnce(system.compress_all) if sized == AT_ONCE else system
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level,
        source_size=size if sized else 0,
        threads=workers,
        write_checksum=bool(checksum),
        write_content_size=bool(sized),
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    if sized == AT_ONCE:
        return _AtOnce(compressor.compress)
    made: Compressor = compressor.compressobj(size=size) if sized else compressor.compressobj()
    return made


class _AtOnce:
    """Keeps what is to be compressed until it is all there."""

    def __init__(self, compress: Callable[[bytes], bytes]) -> None:
        self._compress = compress
        self._held = bytearray()

    def compress(self, data: bytes, /) -> bytes:
        """Nothing comes out now."""
        self._held += data
        return b""

    def flush(self) -> bytes:
        """All of it."""
        return self._compress(bytes(self._held))


@lru_cache(1000)
def _zstd_memory(level: int, size: int) -> tuple[int, int]:
    """Of a level: its window, and what its tables take; less for what is known to be small. 0: not known."""
    level = min(level, zstandard.MAX_COMPRESSION_LEVEL)
    parameters = zstandard.ZstdCompressionParameters.from_level(level, source_size=size)
    return 1 << parameters.window_log, parameters.estimated_compression_context_size()
