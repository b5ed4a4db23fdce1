"""What happened in a run, as a digest: two runs that are the same to the byte have the same one."""

import hashlib
import zlib
from collections.abc import Callable
from typing import Any, Final

from sim.clock import SimClock

DELIVERY: Final = "%r %s > %s %d %08x\n"
"""When, from whom, to whom, how many bytes, and their checksum."""
FIELDS: Final = 5
BATCH_LINES: Final = 512


class Trace:
    """Lines with their time. `private`: a text that differs between processes and stands for the same thing.

    `keep` is told of each line at once. Else deliveries, of which there are millions, are written down many at a time,
    which takes a third of the time.
    """

    def __init__(self, clock: SimClock, private: str = "", keep: Callable[[str], object] | None = None) -> None:
        self.lines = 0
        self._clock = clock
        self._private = private.encode()
        self._hash = hashlib.sha256()
        self._heard: list[Any] = []
        """Deliveries that are not written down yet: FIELDS of each, the last two still to be made from its bytes."""
        self._keep = keep
        self._fields_max = FIELDS * (1 if keep is not None else BATCH_LINES)

    def __repr__(self) -> str:
        return f"<Trace {self.lines} lines, {self.digest()[:16]}>"

    def tell(self, text: str) -> None:
        """One thing that happened."""
        self._write_deliveries()
        self.lines += 1
        self._write(f"{self._clock.now!r} {text}\n")

    def heard(self, source: str, destination: str, data: bytes) -> None:
        """Bytes were delivered."""
        self.lines += 1
        heard = self._heard
        heard.append(self._clock.now)
        heard.append(source)
        heard.append(destination)
        heard.append(data)
        heard.append(data)
        if len(heard) >= self._fields_max:
            self._write_deliveries()

    def digest(self) -> str:
        """Of everything so far, in hex."""
        self._write_deliveries()
        return self._hash.copy().hexdigest()

    def _write_deliveries(self) -> None:
        fields = self._heard
        if fields:
            said = fields[3::FIELDS]
            if self._private:
                said = [data.replace(self._private, b"") for data in said]
            fields[3::FIELDS] = map(len, said)
            fields[4::FIELDS] = map(zlib.crc32, said)
            self._write(DELIVERY * (len(fields) // FIELDS) % tuple(fields))
            fields.clear()

    def _write(self, text: str) -> None:
        self._hash.update(text.encode())
        if self._keep is not None:
            self._keep(text)
