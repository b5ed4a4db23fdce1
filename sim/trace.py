"""What happened in a run, as a digest: two runs that are the same to the byte have the same one."""

import hashlib
import zlib
from collections.abc import Callable

from sim.clock import SimClock

BATCH_LINES = 512


class Trace:
    """Lines with their time. `private`: a text that differs between processes and stands for the same thing."""

    def __init__(self, clock: SimClock, private: str = "", keep: Callable[[str], object] | None = None) -> None:
        self.lines = 0
        self._clock = clock
        self._private = private.encode()
        self._hash = hashlib.sha256()
        self._batch: list[str] = []
        self._keep = keep

    def __repr__(self) -> str:
        return f"<Trace {self.lines} lines, {self.digest()[:16]}>"

    def tell(self, text: str) -> None:
        """One thing that happened."""
        line = f"{self._clock.now!r} {text}\n"
        self.lines += 1
        self._batch.append(line)
        if self._keep is not None:
            self._keep(line)
        if len(self._batch) >= BATCH_LINES:
            self._flush()

    def heard(self, source: str, destination: str, data: bytes) -> None:
        """Bytes were delivered."""
        if self._private and self._private in data:
            data = data.replace(self._private, b"")
        self.tell(f"{source} > {destination} {len(data)} {zlib.crc32(data):08x}")

    def digest(self) -> str:
        """Of everything so far, in hex."""
        self._flush()
        return self._hash.copy().hexdigest()

    def _flush(self) -> None:
        self._hash.update("".join(self._batch).encode())
        self._batch.clear()
