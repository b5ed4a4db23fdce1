"""What compressed streams hold, a block at a time: gzip, zlib, raw deflate, xz and zstd behind one face."""

import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final, cast

import zstandard

GZIP: Final = "gzip"
ZLIB: Final = "zlib"
DEFLATE: Final = "deflate"
XZ: Final = "xz"
ZSTD: Final = "zstd"

BLOCK_BYTES: Final = 2**20
"""What is in memory at once, beside a stream's window."""
_READ_BYTES: Final = 2**16
"""Given to zlib and liblzma at once: what they do not take up is copied each time."""
WINDOW_BYTES_MAX: Final = 128 * 2**20
"""What zstd --ultra needs; xz -9 needs half. Streams that need more are not looked into."""

_XZ_BYTES: Final = 2**20
"""What liblzma needs beside the window."""
_ZSTD_CHECKSUM: Final = 4
_ZLIB_BITS: Final = {GZIP: zlib.MAX_WBITS | 16, ZLIB: zlib.MAX_WBITS, DEFLATE: -zlib.MAX_WBITS}

Read = Callable[[int], bytes]
"""Up to so many of the next bytes; b"" at the end."""


class DamagedStreamError(Exception):
    """The bytes are no stream of this kind, or one that is damaged or needs too much memory."""


class Expander:
    """Iterates over what a stream holds, whose bytes `read` gives; after that `length` is how long the stream is.

    Of zstd, `read` gives one frame and no more. Blocks have at most `block_bytes`. Raises DamagedStreamError.
    """

    def __init__(
        self, kind: str, read: Read, block_bytes: int = BLOCK_BYTES, window_bytes_max: int = WINDOW_BYTES_MAX
    ) -> None:
        self.length = 0
        self._kind = kind
        self._read = read
        self._block_bytes = block_bytes
        self._window_bytes_max = window_bytes_max

    def __iter__(self) -> Iterator[bytes]:
        blocks = self._zstd() if self._kind == ZSTD else self._other()
        try:
            yield from blocks
        except (zlib.error, lzma.LZMAError, zstandard.ZstdError, MemoryError, EOFError) as error:
            raise DamagedStreamError(f"no {self._kind}: {error}") from None

    def _other(self) -> Iterator[bytes]:
        decompressor = self._decompressor()
        while waiting := self._read(_READ_BYTES):
            self.length += len(waiting)
            while not decompressor.eof:
                part = decompressor.decompress(waiting, self._block_bytes)
                waiting = getattr(decompressor, "unconsumed_tail", b"")
                if part:
                    yield part
                elif not waiting:
                    break
            if decompressor.eof:
                self.length -= len(decompressor.unused_data)
                return
        raise EOFError("it ends too early")

    def _decompressor(self) -> Any:
        if self._kind == XZ:
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=self._window_bytes_max + _XZ_BYTES)
        return zlib.decompressobj(_ZLIB_BITS[self._kind])

    def _zstd(self) -> Iterator[bytes]:
        decompressor = zstandard.ZstdDecompressor(max_window_size=self._window_bytes_max)
        stream = decompressor.stream_reader(cast("IO[bytes]", self))
        while part := stream.read(self._block_bytes):
            yield part

    def read(self, size: int) -> bytes:
        """For the reader of zstd."""
        part = self._read(min(size, self._block_bytes))
        self.length += len(part)
        return part


def first(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The first `size` bytes of these blocks, or all there are. Nothing behind them is asked for."""
    for block in blocks:
        if block:
            yield block[:size]
        size -= len(block)
        if size <= 0:
            return


def expander_of(kind: str, data: memoryview) -> Expander:
    """For a stream that is all of `data`, or begins there and does not end."""
    return Expander(kind, _reader(data))


def held_by_start(kind: str, data: memoryview) -> int:
    """How many bytes come out of the start of a stream."""
    count = 0
    try:
        for block in expander_of(kind, data):
            count += len(block)
    except DamagedStreamError:
        pass
    return count


def expander(
    kind: str, data: memoryview, block_bytes: int = BLOCK_BYTES, window_bytes_max: int = WINDOW_BYTES_MAX
) -> Expander:
    """For the stream at the start of `data`, whatever follows it. DamagedStreamError."""
    if kind == ZSTD:
        data = data[: zstd_length(data)]
    return Expander(kind, _reader(data), block_bytes, window_bytes_max)


def _reader(data: memoryview) -> Read:
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        at += size
        return bytes(data[at - size : at])

    return read


def zstd_length(data: memoryview) -> int:
    """Of the frame at the start of `data` (RFC 8878, 3.1.1): zstandard does not say where one ends.

    DamagedStreamError when there is no whole frame.
    """
    head = bytes(data[:18])
    try:
        parameters = zstandard.get_frame_parameters(head)
        at = zstandard.frame_header_size(head)
        last = 0
        while not last:
            header = data[at] | data[at + 1] << 8 | data[at + 2] << 16
            last, kind, size = header & 1, header >> 1 & 3, header >> 3
            at += 3 + (1 if kind == 1 else size)
    except (zstandard.ZstdError, IndexError):
        raise DamagedStreamError("no zstd") from None
    at += _ZSTD_CHECKSUM * parameters.has_checksum
    if at > len(data):
        raise DamagedStreamError("no zstd: it ends too early")
    return at
