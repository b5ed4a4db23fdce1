"""The one seam around hdiffpatch, zstandard and lzma. Whatever is decoded is bounded before it is allocated.

Two traps, both met: `ZstdDecompressor.decompress` ignores `max_output_size` when a frame declares its own size, so what
is declared is compared first; one zstd object used by two threads crashes the process, so each call makes its own. And
hdiffpatch allocates what a patch's header declares and picks any of a dozen decompressors by name: the header is read
first (`patches`), and only patches that are not compressed by hdiffpatch itself are let through.
"""

import io
import lzma
from typing import Any, Final, Protocol

import hdiffpatch
import zstandard

from manifests.digest import Buffer
from manifests.errors import MalformedPackError

from . import patches
from .limits import WINDOW_BYTES_MAX
from .pack import RAW, XZ, ZSTD

_WINDOW_LOG_MAX: Final = WINDOW_BYTES_MAX.bit_length() - 1
_SEARCH_LOG_MAX: Final = 4
_STRATEGY_MAX: Final = zstandard.STRATEGY_BTOPT
"""Of what is compressed without bases. Level 18 says 6 and the next strategy, which take a quarter to four fifths
longer for 4 to 8 thousandths less.
"""


class Reader(Protocol):
    """What a frame holds, as a stream."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        ...


# ------------------------------------------------------------------------------------------------------------- patches


def diff(base: bytes, piece: bytes) -> bytes:
    """A patch from `base` to `piece`: bsdiff's kind, not compressed in itself. Lets other threads run."""
    patch: bytes = hdiffpatch.diff(base, piece, "none", validate=False, big_cache_match=True)
    return patch


def apply(base: bytes, patch: bytes, size: int) -> bytes:
    """The piece of `size` bytes that a patch makes from `base`; MalformedPackError if it is none for these."""
    patches.check(patch, size, len(base))
    try:
        piece: bytes = hdiffpatch.apply(base, patch)
    except (hdiffpatch.HDiffPatchError, MemoryError) as error:
        raise MalformedPackError(f"a patch can't be applied: {error}") from None
    return piece


# -------------------------------------------------------------------------------------------------------------- frames


def compress(codec: int, data: bytes, level: int) -> bytes:
    """A frame's content, compressed. `level`: zstd's; xz has one."""
    if codec == RAW:
        return data
    if codec == XZ:
        return lzma.compress(data, format=lzma.FORMAT_RAW, filters=[_xz_filter()])
    return _zstd(data, level, None)


def reader(codec: int, data: Buffer) -> Reader:
    """A frame's content as a stream that holds no more than a window in memory."""
    if codec == RAW:
        return io.BytesIO(data)
    if codec == XZ:
        return _XzReader(data)
    assert codec == ZSTD
    return _ZstdReader(data)


def read_exactly(stream: Reader, size: int) -> bytes:
    """The next `size` bytes; MalformedPackError when there are fewer."""
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            raise MalformedPackError("a frame ends too early")
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _ZstdReader:
    def __init__(self, data: Buffer) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
        self._stream = decompressor.stream_reader(data)

    def read(self, size: int, /) -> bytes:
        try:
            part: bytes = self._stream.read(size)
        except (zstandard.ZstdError, MemoryError) as error:
            raise MalformedPackError(f"a frame is damaged: {error}") from None
        return part


class _XzReader:
    def __init__(self, data: Buffer) -> None:
        self._decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[_xz_filter()])
        self._fresh = data

    def read(self, size: int, /) -> bytes:
        if self._decompressor.eof:
            return b""
        fresh, self._fresh = self._fresh, b""
        try:
            return self._decompressor.decompress(fresh, size)
        except (lzma.LZMAError, MemoryError) as error:
            raise MalformedPackError(f"a frame is damaged: {error}") from None


def _xz_filter() -> dict[str, Any]:
    """pb=0: patches and code have no alignment to speak of. Presets above 6 made nothing smaller."""
    return {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": WINDOW_BYTES_MAX, "pb": 0}


# ------------------------------------------------------------------------------------------------ bases as a dictionary


def compress_with(bases: bytes, piece: bytes, level: int) -> bytes:
    """A frame from which `expand_with` makes the piece again."""
    return _zstd(piece, level, bases)


def expand_with(bases: bytes, data: Buffer, size: int) -> bytes:
    """The piece of `size` bytes; MalformedPackError if the frame is damaged or declares another size."""
    try:
        parameters = zstandard.get_frame_parameters(data)
        if parameters.content_size != size or parameters.window_size > WINDOW_BYTES_MAX:
            raise MalformedPackError("a frame declares another size than its piece has")
        dictionary = zstandard.ZstdCompressionDict(bases, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        piece: bytes = zstandard.ZstdDecompressor(dict_data=dictionary).decompress(data)
    except (zstandard.ZstdError, MemoryError) as error:
        raise MalformedPackError(f"a frame is damaged: {error}") from None
    return piece


def _zstd(data: bytes, level: int, bases: bytes | None) -> bytes:
    sizes = {"source_size": len(data), "dict_size": len(bases or b"")}
    usual = zstandard.ZstdCompressionParameters.from_level(level, **sizes)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level,
        **({"window_log": _WINDOW_LOG_MAX} if usual.window_log > _WINDOW_LOG_MAX else sizes),
        search_log=min(usual.search_log, _SEARCH_LOG_MAX),
        strategy=usual.strategy if bases else min(usual.strategy, _STRATEGY_MAX),
        write_checksum=False,
        write_dict_id=False,
    )
    dictionary = zstandard.ZstdCompressionDict(bases, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if bases else None
    frame: bytes = zstandard.ZstdCompressor(compression_params=parameters, dict_data=dictionary).compress(data)
    return frame
