"""What still has to be sent on one connection, bounded: whoever does not read is dropped, not waited for. Pure."""

from typing import Final

OUTBOX_BYTES_MAX: Final = 4 * 1024 * 1024
"""Four frames of the largest kind: what one announce of many swarms is answered with, twice."""
BATCH_BYTES: Final = 64 * 1024
"""Sent in one go, at least one frame: a push to many is one system call each."""


class Outbox:
    """Encoded frames in order. `waiting_bytes`: of those that were not taken. `ended`: closed, and all was taken."""

    __slots__ = ("_bytes_max", "_closed", "_frames", "waiting_bytes")

    def __init__(self, bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        self.waiting_bytes = 0
        self._bytes_max = bytes_max
        self._frames: list[bytes] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"<Outbox {len(self._frames)} frames, {self.waiting_bytes} bytes>"

    @property
    def ended(self) -> bool:
        """Nothing is left to be sent, and nothing will come."""
        return self._closed and not self._frames

    def put(self, frame: bytes) -> bool:
        """False if that is too much: the other end reads too slowly. Nothing is taken after `close`."""
        if self._closed:
            return True
        if self.waiting_bytes + len(frame) > self._bytes_max:
            return False
        self._frames.append(frame)
        self.waiting_bytes += len(frame)
        return True

    def close(self, last: bytes) -> None:
        """One last frame, whatever waits; nothing after it."""
        if not self._closed:
            self._frames.append(last)
            self.waiting_bytes += len(last)
            self._closed = True

    def take(self) -> bytes:
        """The next frames, joined; empty when there are none."""
        count = size = 0
        for frame in self._frames:
            if count and size + len(frame) > BATCH_BYTES:
                break
            count, size = count + 1, size + len(frame)
        batch = b"".join(self._frames[:count])
        del self._frames[:count]
        self.waiting_bytes -= size
        return batch
