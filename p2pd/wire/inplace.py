"""Frames read where they were received: bulk is not copied on its way through.

    space()           a place for the next bytes: at most what the frame that has begun still lacks, so that a block
                      ends where a receive ends, and nothing needs to be moved
    received(count)   so many bytes were put there: the frames that are whole now

Who knows where a block belongs says so when its head has come, and its bytes are received there. Else they are a view
of the buffer, void from the next `space` on. An idle connection keeps a small buffer; the one that a block needs is
given up after a while without any.
"""

from collections.abc import Callable, Iterator
from typing import Final

from .errors import RemoteProtocolError
from .framing import BLOCK_HEAD_BYTES, FRAME_BYTES_MAX, LENGTH, Block, block_begun, frame_in

IDLE_BYTES: Final = 16 * 1024
"""Room for what comes unannounced: a few hundred control messages, or the beginning of something larger."""
GROWTH: Final = 4
"""Who has sent so much gets room for so many times that: announcing a large frame alone costs us no memory."""
PLAIN_RECEIVES_MAX: Final = 64
"""So many receives without a block, and the large buffer goes."""
Place = Callable[[int, int, int, int], memoryview | None]
"""Where a block of this channel, piece, offset and length belongs: room for it, and perhaps for BLOCK_HEAD_BYTES more,
to be written to until the block is given out. None: nowhere that is known."""
_NO_ROOM: Final = memoryview(b"")


def _nowhere(channel: int, piece: int, offset: int, length: int) -> None:
    return None


class InPlaceReader:
    """One connection's. Holds at most one incomplete frame, and what came with its end."""

    def __init__(self, frame_bytes_max: int = FRAME_BYTES_MAX, place: Place = _nowhere) -> None:
        self.frame_bytes_max = frame_bytes_max
        self._place = place
        self._begun: Block | None = None
        """Of a block that has begun and has a place: all but its last bytes."""
        self._room, self._filled = _NO_ROOM, 0
        self._buffer = bytearray(IDLE_BYTES)
        self._start = self._end = 0
        self._lacks = 0
        self._plain_receives = 0

    def __repr__(self) -> str:
        return f"<InPlaceReader {self._end - self._start} bytes waiting, room for {len(self._buffer)}>"

    def space(self) -> memoryview:
        """Where the next bytes belong, at least one."""
        if self._begun is not None:
            return self._room[self._filled :]
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
        self._plain_receives += 1
        if self._begun is None:
            self._end += count
        elif self._fill(self._begun, count):
            yield self._end_block(self._begun)
        else:
            return
        self._lacks = 0
        while self._end - self._start >= LENGTH.size:
            end = self._start + LENGTH.size + self._length()
            if self._end < end:
                self._lacks = end - self._end
                self._begin_block(end)
                break
            frame = frame_in(memoryview(self._buffer), self._start, end)
            self._start = end
            if isinstance(frame, Block):
                self._plain_receives = 0
            yield frame

    def _begin_block(self, end: int) -> None:
        """If what has begun is a block that has a place, the rest of it goes there."""
        head_end = self._start + BLOCK_HEAD_BYTES
        block = block_begun(self._buffer, self._start, end) if self._end >= head_end else None
        if block is None:
            return
        channel, piece, offset, length = block
        room = self._place(channel, piece, offset, length)
        if room is None:
            return
        filled = self._end - head_end
        room[:filled] = memoryview(self._buffer)[head_end : self._end]
        self._begun = Block(channel, piece, offset, room[:length])
        self._room, self._filled = room[: length + BLOCK_HEAD_BYTES], filled
        self._start = self._end = 0

    def _fill(self, block: Block, count: int) -> bool:
        """So many bytes were put into its place, or behind it: True if it is whole."""
        self._filled += count
        self._lacks = max(0, len(block.data) - self._filled)
        return not self._lacks

    def _end_block(self, block: Block) -> Block:
        """It is whole; what came behind it is mostly the head of the next."""
        behind = self._room[len(block.data) : self._filled]
        self._start, self._end = 0, len(behind)
        self._buffer[: self._end] = behind
        self._begun, self._room, self._plain_receives = None, _NO_ROOM, 0
        return block

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
