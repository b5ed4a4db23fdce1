"""Frames: how messages lie in a stream of bytes.

    u32 length (big endian, of all that follows) | u8 kind | body

A control frame's body is one MessagePack message; a block frame's body is a 12-byte header and raw bytes of a
piece, so that bulk data is never copied through a codec.

    kind 1, block:   u32 channel | u32 piece | u32 offset | bytes
"""

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

from .errors import LocalProtocolError, RemoteProtocolError

BLOCK_BYTES_MAX: Final = 256 * 1024
"""One block: large enough that a frame costs nothing, small enough that control messages wait < 25 ms at 100 Mbit/s."""
CONTROL_BYTES_MAX: Final = 1024 * 1024
"""One control message: a bitfield of 4 million pieces takes 512 KiB."""
LENGTH: Final = struct.Struct(">I")
_HEAD = struct.Struct(">IB")
_BLOCK = struct.Struct(">IBIII")
_BLOCK_HEAD_BYTES: Final = 12
BLOCK_HEAD_BYTES: Final = _BLOCK.size
"""Of a block's frame: all that precedes its raw bytes."""
_CONTROL, _BLOCK_KIND = 0, 1
FRAME_BYTES_MAX: Final = 1 + max(CONTROL_BYTES_MAX, BLOCK_BYTES_MAX + _BLOCK_HEAD_BYTES)


class Block(msgspec.Struct, frozen=True, gc=False):
    """Bytes of one piece, as they travel. `channel` is the sender's short number for the swarm."""

    channel: int
    piece: int
    offset: int
    data: bytes | bytearray | memoryview


def control_frame(body: bytes) -> bytes:
    """Wrap an encoded message."""
    if len(body) > CONTROL_BYTES_MAX:
        raise LocalProtocolError(f"control message of {len(body)} bytes, {CONTROL_BYTES_MAX} allowed")
    return _HEAD.pack(len(body) + 1, _CONTROL) + body


def block_head(channel: int, piece: int, offset: int, length: int) -> bytes:
    """What precedes `length` raw bytes in the stream."""
    if not 0 < length <= BLOCK_BYTES_MAX:
        raise LocalProtocolError(f"block of {length} bytes, 1 to {BLOCK_BYTES_MAX} allowed")
    return _BLOCK.pack(length + 1 + _BLOCK_HEAD_BYTES, _BLOCK_KIND, channel, piece, offset)


class FrameReader:
    """Cuts a stream into frames: `feed` bytes as they arrive, iterate what is whole.

    Yields `bytes` for a control message, `Block` for a block. Holds at most one incomplete frame.
    """

    def __init__(self, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()

    def __repr__(self) -> str:
        return f"<FrameReader {len(self._buffer)} bytes waiting>"

    def feed(self, data: bytes) -> Iterator[bytes | Block]:
        """Add what arrived and yield the frames that are whole now; RemoteProtocolError on an impossible length."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= LENGTH.size:
                (length,) = LENGTH.unpack_from(buffer, start)
                if not 1 <= length <= self.frame_bytes_max:
                    raise RemoteProtocolError(f"frame of {length} bytes, 1 to {self.frame_bytes_max} allowed")
                end = start + LENGTH.size + length
                if len(buffer) < end:
                    break
                frame = frame_in(buffer, start, end)
                yield frame if isinstance(frame, bytes) else msgspec.structs.replace(frame, data=bytes(frame.data))
                start = end
        finally:
            del buffer[:start]


def block_begun(buffer: bytearray, start: int, end: int) -> tuple[int, int, int, int] | None:
    """Channel, piece, offset and length of the block of which at least the head is there; None if it is none."""
    length = end - start - _BLOCK.size
    if buffer[start + LENGTH.size] != _BLOCK_KIND or not 0 < length <= BLOCK_BYTES_MAX:
        return None
    _, _, channel, piece, offset = _BLOCK.unpack_from(buffer, start)
    return channel, piece, offset, length


def frame_in(buffer: bytearray | memoryview, start: int, end: int) -> bytes | Block:
    """The whole frame there; a block's bytes are a part of the buffer. RemoteProtocolError."""
    kind = buffer[start + LENGTH.size]
    if kind == _CONTROL:
        return bytes(buffer[start + _HEAD.size : end])
    if kind != _BLOCK_KIND:
        raise RemoteProtocolError(f"frame of unknown kind {kind}")
    head_end = start + _BLOCK.size
    if end <= head_end or end - head_end > BLOCK_BYTES_MAX:
        raise RemoteProtocolError(f"block frame of {end - start} bytes")
    _, _, channel, piece, offset = _BLOCK.unpack_from(buffer, start)
    return Block(channel, piece, offset, buffer[head_end:end])
