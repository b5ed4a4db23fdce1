"""What compressed streams hold, a block at a time: gzip, raw deflate, xz and zstd behind one face."""

import io
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Final

import zstandard

GZIP: Final = "gzip"
DEFLATE: Final = "deflate"
XZ: Final = "xz"
ZSTD: Final = "zstd"

MAGIC: Final = {GZIP: b"\x1f\x8b\x08", XZ: b"\xfd7zXZ\0", ZSTD: b"\x28\xb5\x2f\xfd"}
BLOCK_BYTES: Final = 2**20
"""What is in memory at once, beside a stream's window."""
WINDOW_BYTES_MAX: Final = 128 * 2**20
"""What zstd --ultra needs; xz -9 needs half. Streams that need more are not looked into."""

_ZSTD_CHECKSUM: Final = 4


class DamagedStreamError(Exception):
    """The bytes are no stream of this kind, or one that is damaged or needs too much memory."""


class Expander:
    """Iterates over what the stream at the start of `data` holds; after that `length` is how long the stream is.

    Blocks have at most `block_bytes`. Raises DamagedStreamError.
    """

    def __init__(self, kind: str, data: memoryview, block_bytes: int = BLOCK_BYTES) -> None:
        self.length = 0
        self._block_bytes = block_bytes
        self._kind = kind
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        blocks = self._zstd() if self._kind == ZSTD else self._other()
        try:
            yield from blocks
        except (zlib.error, lzma.LZMAError, zstandard.ZstdError, MemoryError, EOFError, IndexError) as error:
            raise DamagedStreamError(f"no {self._kind}: {error}") from None

    def _other(self) -> Iterator[bytes]:
        decompressor = _decompressor(self._kind)
        waiting = b""
        for start in range(0, len(self._data), self._block_bytes):
            waiting = bytes(self._data[start : start + self._block_bytes])
            end = start + len(waiting)
            while not decompressor.eof:
                part = decompressor.decompress(waiting, self._block_bytes)
                waiting = getattr(decompressor, "unconsumed_tail", b"")
                if part:
                    yield part
                elif not waiting:
                    break
            if decompressor.eof:
                self.length = end - len(decompressor.unused_data)
                return
        raise EOFError("it ends too early")

    def _zstd(self) -> Iterator[bytes]:
        self.length = zstd_length(self._data)
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
        stream = decompressor.stream_reader(io.BytesIO(self._data[: self.length]))
        while part := stream.read(self._block_bytes):
            yield part


def _decompressor(kind: str) -> Any:
    if kind == XZ:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * WINDOW_BYTES_MAX)
    return zlib.decompressobj(zlib.MAX_WBITS | 16 if kind == GZIP else -zlib.MAX_WBITS)


def zstd_length(data: memoryview) -> int:
    """Of the frame at the start of `data` (RFC 8878, 3.1.1): zstandard does not say where one ends.

    zstandard.ZstdError or IndexError when there is no whole frame.
    """
    head = bytes(data[:18])
    parameters = zstandard.get_frame_parameters(head)
    at = zstandard.frame_header_size(head)
    last = 0
    while not last:
        header = data[at] | data[at + 1] << 8 | data[at + 2] << 16
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        at += 3 + (1 if kind == 1 else size)
    at += _ZSTD_CHECKSUM * parameters.has_checksum
    if at > len(data):
        raise IndexError("it ends too early")
    return at
