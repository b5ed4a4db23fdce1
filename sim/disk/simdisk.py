"""A host's disk: files in memory that take time, fall ill, fill up, and forget at a power cut what was not synced."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .memory import MemoryDisk, PowerCut


@dataclass(frozen=True)
class DiskSpeed:
    """What a job on the disk costs."""

    bytes_per_s: float = 500e6
    call_s: float = 50e-6
    """For each read or write, whatever its size."""
    fsync_s: float = 1e-3


class SimDisk(MemoryDisk):
    """`meter_s` adds up what was done since `reset_meter`. `sick`: the next this many writes fail with EIO.

    `on_write(path, offset, length)` is told of every write that succeeded, `on_failure(path)` of every one that did
    not, `on_create(path)` of every new file, and `on_show(path, source)` of every rename (a link that is switched is
    one), just before it. `on_cut` is called when a power cut that was booked by `power_cut_after` happens.

    Its jobs are done by one thread (`sim.world.Jobs`), so the most frequent calls take no lock.
    """

    def __init__(self, speed: DiskSpeed, capacity_bytes: int | None = None) -> None:
        super().__init__(capacity_bytes)
        self.speed = speed
        self.slowness = 1.0
        self.sick = 0
        self.off = False
        self.on_cut: Callable[[], None] = lambda: None
        self.on_write: Callable[[str, int, int], None] = lambda path, offset, length: None
        self.on_failure: Callable[[str], None] = lambda path: None
        self.on_create: Callable[[str], None] = lambda path: None
        self.on_show: Callable[[str, str], None] = lambda path, source: None
        self._metered = (0, 0, 0)

    def reset_meter(self) -> None:
        """A job begins."""
        self._metered = (self.steps, self.fsyncs, self.written_bytes + self.read_bytes)

    def meter_s(self) -> float:
        """Seconds that what was done since then takes."""
        steps, fsyncs, moved = self._metered
        speed = self.speed
        busy_s = (self.steps - steps) * speed.call_s + (self.fsyncs - fsyncs) * speed.fsync_s
        return self.slowness * (busy_s + (self.written_bytes + self.read_bytes - moved) / speed.bytes_per_s)

    def halt(self) -> None:
        """The machine or the process is gone: whoever still runs gets nowhere from here on."""
        self.off = True

    def start(self, *, power_lost: bool, rng: Random) -> None:
        """On again; after a power cut only what was synced is sure to be there, and a random part of the rest."""
        self.off = False
        if power_lost:
            self.crash(rng)
        else:
            self.restore_power()
            self.kill()

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`."""
        return self._read(path, offset, length)

    def write(self, path: str, offset: int, data: bytes | memoryview) -> None:
        """Write all of it at `offset`; the file must exist."""
        try:
            if self.sick:
                self._check_health(path)
            self._begin()
            self._write(self._file(path), path, offset, bytes(data))
        except OSError:
            self.on_failure(path)
            raise
        self.on_write(path, offset, len(data))

    def create(self, path: str, size: int) -> None:
        """An empty file of this size; OSError(EEXIST)."""
        super().create(path, size)
        self.on_create(path)

    def append(self, path: str, data: bytes) -> None:
        """Write all of it at the end, creating the file."""
        self._check_health(path)
        super().append(path, data)

    def rename(self, source: str, destination: str) -> None:
        """Durable rename."""
        self._check_health(source)
        self.on_show(destination, source)
        super().rename(source, destination)

    def _check_health(self, path: str) -> None:
        self._check_power()
        if self.sick > 0:
            self.sick -= 1
            raise OSError(errno.EIO, "simulated: the disk is ill", path)

    def _check_power(self) -> None:
        if self.off:
            raise PowerCut
        if self.steps >= self._cut_at:
            self.off = True
            self.on_cut()
            raise PowerCut
