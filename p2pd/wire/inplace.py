"""Frames read where they were received: bulk is not copied on its way through.

    space()           a place for the next bytes: at most what the frame that has begun still lacks, so that a block
                      ends where a receive ends, and nothing needs to be moved
    received(count)   so many bytes were put there: the frames that are whole now

A block's bytes are a view of the buffer, void from the next `space` on. An idle connection keeps a small buffer; the
one that a block needs is given up after a while without any.
"""

from collections.abc import Iterator
from typing import Final

from .errors import RemoteProtocolError
from .framing import BLOCK_HEAD_BYTES, FRAME_BYTES_MAX, LENGTH, Block, frame_in

IDLE_BYTES: Final = 16 * 1024
"""Room for what comes unannounced: a few hundred control messages, or the beginning of something larger."""
GROWTH: Final = 4
"""Who has sent so much gets room for so many times that: announcing a large frame alone costs us no memory."""
PLAIN_RECEIVES_MAX: Final = 64
"""So many receives without a block, and the large buffer goes."""


class InPlaceReader:
    """One connection's. Holds at most one incomplete frame, and what came with its end."""

    def __init__(self, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.frame_bytes_max = frame_bytes_max
        self._buffer = bytearray(IDLE_BYTES)
        self._start = self._end = 0
        self._lacks = 0
        self._plain_receives = 0

    def __repr__(self) -> str:
        return f"<InPlaceReader {self._end - self._start} bytes waiting, room for {len(self._buffer)}>"

    def space(self) -> memoryview:
        """Where the next bytes belong, at least one."""
        waiting = self._end - self._start
        if not waiting:
            self._start = self._end = 0
            if self._plain_receives > PLAIN_RECEIVES_MAX and len(self._buffer) > IDLE_BYTES:
                self._buffer = bytearray(IDLE_BYTES)
            return memoryview(self._buffer)[:IDLE_BYTES]
        room = max(IDLE_BYTES, GROWTH * waiting, len(self._buffer) - waiting)
        # And the head of another frame after the one that has begun: mostly the next block's.
        wanted = min(room, max(self._lacks + BLOCK_HEAD_BYTES, IDLE_BYTES))
        if len(self._buffer) - self._end < wanted:
            self._make_room(waiting, wanted)
        return memoryview(self._buffer)[self._end : self._end + wanted]

    @property
    def lacking(self) -> int:
        """Bytes until the frame that has begun is whole; 1 when none has."""
        return self._lacks or 1

    def received(self, count: int) -> Iterator[bytes | Block]:
        """The frames that are whole now, to be taken before the next `space`; RemoteProtocolError for an impossible
        one."""
        self._end += count
        self._plain_receives += 1
        self._lacks = 0
        while self._end - self._start >= LENGTH.size:
            end = self._start + LENGTH.size + self._length()
            if self._end < end:
                self._lacks = end - self._end
                break
            frame = frame_in(memoryview(self._buffer), self._start, end)
            self._start = end
            if isinstance(frame, Block):
                self._plain_receives = 0
            yield frame

    def _length(self) -> int:
        length: int = LENGTH.unpack_from(self._buffer, self._start)[0]
        if not 1 <= length <= self.frame_bytes_max:
            raise RemoteProtocolError(f"frame of {length} bytes, 1 to {self.frame_bytes_max} allowed")
        return length

    def _make_room(self, waiting: int, wanted: int) -> None:
        """Move what waits to the front, of a larger buffer if need be (one can't be resized while views are about)."""
        rest = memoryview(self._buffer)[self._start : self._end]
        if waiting + wanted > len(self._buffer):
            self._buffer = bytearray(waiting + wanted + IDLE_BYTES)
        memoryview(self._buffer)[:waiting] = rest
        self._start, self._end = 0, waiting
