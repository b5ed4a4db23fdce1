"""What still has to be sent on one connection, bounded: whoever does not read is dropped, not waited for."""

from collections import deque
from typing import Final

import trio

OUTBOX_BYTES_MAX: Final = 4 * 1024 * 1024
"""Four frames of the largest kind: what one announce of many swarms is answered with, twice."""
BATCH_BYTES: Final = 64 * 1024
"""Sent in one go, at least one frame: a push to many is one system call each."""


class Outbox:
    """Encoded frames in order. `put` never waits; `take` waits for something to send."""

    def __init__(self, bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        self.waiting_bytes = 0
        self._bytes_max = bytes_max
        self._frames: deque[bytes] = deque()
        self._changed = trio.Event()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Outbox {len(self._frames)} frames, {self.waiting_bytes} bytes>"

    def put(self, frame: bytes) -> bool:
        """False if that is too much: the other end reads too slowly. Nothing is taken after `close`."""
        if self._closed:
            return True
        if self.waiting_bytes + len(frame) > self._bytes_max:
            return False
        self._frames.append(frame)
        self.waiting_bytes += len(frame)
        self._changed.set()
        return True

    def close(self, last: bytes) -> None:
        """One last frame, whatever waits; nothing after it."""
        if not self._closed:
            self._frames.append(last)
            self.waiting_bytes += len(last)
            self._closed = True
            self._changed.set()

    async def take(self) -> bytes | None:
        """The next frames, joined; None when it is closed and all was taken."""
        while not self._frames:
            if self._closed:
                return None
            self._changed = trio.Event()
            await self._changed.wait()
        batch = [self._frames.popleft()]
        size = len(batch[0])
        while self._frames and size + len(self._frames[0]) <= BATCH_BYTES:
            batch.append(self._frames.popleft())
            size += len(batch[-1])
        self.waiting_bytes -= size
        return b"".join(batch)
