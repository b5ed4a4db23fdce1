"""A World for one simulated host: a port, a disk, a clock that may be wrong, dice, and jobs that cost virtual time."""

from collections.abc import Callable
from heapq import heapreplace
from random import Random
from typing import TYPE_CHECKING, Final

import trio

from p2pd.world import Args, T, World
from p2pd.world.http import client
from p2pd.world.processes import Exit

from .clock import SimClock
from .disk import DiskSpeed, PowerCut, SimDisk
from .net import Port
from .net.waiter import is_cancelled, sleep_soundly_until
from .processes import SimProcesses

if TYPE_CHECKING:
    import httpx

STORAGE_THREADS: Final = 2
"""As on the machine (`p2pd.world.real`): what more jobs than these there are wait."""


class Jobs:
    """`RunBlocking` without threads: a job is done at once, and its caller sleeps as long as the disk was busy.

    A job that has begun is never abandoned, as with a thread; but a job on a machine that is off never begins. Who
    would wake up within the clock's grain does not sleep for it: the thread's time is charged to the next job.
    """

    def __init__(self, disk: SimDisk, clock: SimClock) -> None:
        self._disk, self._clock = disk, clock
        self._free_at = [0.0] * STORAGE_THREADS
        """When each thread is free; the first of them first (a heap)."""

    async def __call__(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """The function's result, or its exception."""
        if is_cancelled():
            await trio.lowlevel.checkpoint_if_cancelled()
        disk, clock = self._disk, self._clock
        if disk.off:
            raise PowerCut
        disk.reset_meter()
        try:
            return function(*args)
        finally:
            done_at = max(clock.now, self._free_at[0]) + disk.meter_s()
            heapreplace(self._free_at, done_at)
            if done_at - clock.now > clock.grain_s:
                await sleep_soundly_until(clock, done_at)


class SimHost:
    """What outlives a daemon's crash: the host's name, card and disk. `world()` is what the next run is given."""

    def __init__(
        self, name: str, port: Port, clock: SimClock, *, rng_seed: str, epoch: float, speed: DiskSpeed
    ) -> None:
        self.name, self.port = name, port
        self._clock = clock
        self.boots = 0
        self.clock_off_s = 0.0
        """How wrong this host's civil time is."""
        self.disk = SimDisk(speed)
        self.answer: Callable[[tuple[str, ...], dict[str, str]], Exit] = lambda argv, environment: Exit(0, "")
        self._rng_seed, self._epoch = rng_seed, epoch

    def __repr__(self) -> str:
        return f"<SimHost {self.name}>"

    def utc_now(self) -> float:
        """Civil time as this host believes."""
        return self._epoch + self._clock.now + self.clock_off_s

    def world(self) -> World:
        """For one more run of its process, with dice of its own."""
        self.boots += 1
        rng, processes_rng = host_dice(self._rng_seed, self.name, self.boots)

        def http() -> "httpx.AsyncClient":
            return client(self.port)

        def answer(argv: tuple[str, ...], environment: dict[str, str]) -> Exit:
            return self.answer(argv, environment)

        processes = SimProcesses(processes_rng, answer)
        return World(self.port, self.disk, processes, http, self.utc_now, rng, Jobs(self.disk, self._clock))


def host_dice(rng_seed: str, name: str, boot: int) -> tuple[Random, Random]:
    """Of one run of a host's process: its own, and those of the processes that it starts."""
    rng = Random(f"{rng_seed}/{name}/{boot}")
    processes_rng = Random(rng.random())
    return rng, processes_rng
