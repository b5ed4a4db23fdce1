"""The one seam around hdiffpatch, zstandard and lzma. Whatever is decoded is bounded before it is allocated.

Two traps, both met: `ZstdDecompressor.decompress` ignores `max_output_size` when a frame declares its own size, so what
is declared is compared first; one zstd object used by two threads crashes the process, so each call makes its own. And
hdiffpatch allocates what a patch's header declares and picks any of a dozen decompressors by name: the header is read
here first, and only patches that are not compressed by hdiffpatch itself are let through.
"""

import io
import lzma
from typing import Any, Final, Protocol

import hdiffpatch
import zstandard

from manifests.errors import MalformedPackError

from .limits import WINDOW_BYTES_MAX
from .pack import RAW, XZ, ZSTD

_WINDOW_LOG_MAX: Final = WINDOW_BYTES_MAX.bit_length() - 1
_HDIFF: Final = b"HDIFF13&\0"
_IDENTITY_MIN: Final = 64
_HDIFF_FIELDS: Final = 11
"""Sizes in a patch's header: new, old, number of covers, then four streams, each with its compressed size."""


class Reader(Protocol):
    """What a frame holds, as a stream."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        ...


# ------------------------------------------------------------------------------------------------------------- patches


def diff(base: bytes, piece: bytes) -> bytes:
    """A patch from `base` to `piece`, to be compressed with others: bsdiff's kind, not compressed in itself."""
    patch: bytes = hdiffpatch.diff(base, piece, "none", validate=False)
    return patch


def identity(size: int) -> bytes:
    """The patch from bytes to themselves, which needs no search; b"" where `diff` is as quick."""
    if size <= _IDENTITY_MIN:
        return b""
    cover, control = b"\0\0" + _number(size), b"\x20" + _number(size - 1)
    fields = (size, size, 1, len(cover), 0, len(control), 0, 0, 0, 0, 0)
    return _HDIFF + b"".join(map(_number, fields)) + cover + control


def _number(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def apply(base: bytes, patch: bytes, size: int) -> bytes:
    """The piece of `size` bytes that a patch makes from `base`; MalformedPackError if it is none for these."""
    _check_header(patch, size, len(base))
    try:
        piece: bytes = hdiffpatch.apply(base, patch)
    except (hdiffpatch.HDiffPatchError, MemoryError) as error:
        raise MalformedPackError(f"a patch can't be applied: {error}") from None
    return piece


def _check_header(patch: bytes, size: int, base_size: int) -> None:
    """https://github.com/sisong/HDiffPatch, `read_diffz_head`: after the name, numbers of 7 bits a byte, high first."""
    if not patch.startswith(_HDIFF):
        raise MalformedPackError("not a patch, or one that hdiffpatch compressed")
    at, fields = len(_HDIFF), []
    for _ in range(_HDIFF_FIELDS):
        number = 0
        while True:
            if at >= len(patch) or number >> 56:
                raise MalformedPackError("a patch's header is damaged")
            byte, at = patch[at], at + 1
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                break
        fields.append(number)
    new, old, _, covers, packed1, control, packed2, codes, packed3, literals, packed4 = fields
    if (new, old) != (size, base_size) or any((packed1, packed2, packed3, packed4)):
        raise MalformedPackError("a patch is for other sizes, or compressed in itself")
    if at + covers + control + codes + literals != len(patch):
        raise MalformedPackError("a patch has another length than its header says")


# -------------------------------------------------------------------------------------------------------------- frames


def compress(codec: int, data: bytes, level: int) -> bytes:
    """A frame's content, compressed. `level`: zstd's; xz has one."""
    if codec == RAW:
        return data
    if codec == XZ:
        return lzma.compress(data, format=lzma.FORMAT_RAW, filters=[_xz_filter()])
    return _zstd(data, level, None)


def reader(codec: int, data: bytes) -> Reader:
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
    def __init__(self, data: bytes) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
        self._stream = decompressor.stream_reader(data)

    def read(self, size: int, /) -> bytes:
        try:
            part: bytes = self._stream.read(size)
        except (zstandard.ZstdError, MemoryError) as error:
            raise MalformedPackError(f"a frame is damaged: {error}") from None
        return part


class _XzReader:
    def __init__(self, data: bytes) -> None:
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


def expand_with(bases: bytes, data: bytes, size: int) -> bytes:
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
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=len(data), dict_size=len(bases or b""), write_checksum=False, write_dict_id=False
    )
    if parameters.window_log > _WINDOW_LOG_MAX:
        parameters = zstandard.ZstdCompressionParameters.from_level(
            level, window_log=_WINDOW_LOG_MAX, write_checksum=False, write_dict_id=False
        )
    dictionary = zstandard.ZstdCompressionDict(bases, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if bases else None
    frame: bytes = zstandard.ZstdCompressor(compression_params=parameters, dict_data=dictionary).compress(data)
    return frame
