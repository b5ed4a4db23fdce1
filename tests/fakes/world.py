"""A World on a network in memory: trio's clock, seeded dice, and no thread. Disk and processes where they are given."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final, cast

import trio

from p2pd.world import Args, T, World
from p2pd.world.disk import Disk
from p2pd.world.http import client
from p2pd.world.lan import Lan
from p2pd.world.network import Network
from p2pd.world.processes import Processes
from p2pd.world.rtc import Rtc

EPOCH: Final = 1_700_000_000.0
"""Civil time when trio's clock stands at 0."""


class Absent:
    """Stands where a service must not reach: any use of it is an error that says so."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"this service should not need {name}()")


def run_inline(function: Callable[[*Args], T], *args: *Args) -> Awaitable[T]:
    """`RunBlocking` without a thread, so that a virtual clock can't run away."""

    async def run() -> T:
        await trio.lowlevel.checkpoint()
        return function(*args)

    return run()


def memory_world(
    network: Network,
    rng_seed: int = 1,
    *,
    disk: Disk | None = None,
    processes: Processes | None = None,
    skew_s: Callable[[], float] = lambda: 0.0,
    lan: Lan | None = None,
    rtc: Rtc | None = None,
) -> World:
    """A world of this network (HTTP goes over it too) and trio's clock. `skew_s`: how wrong civil time is."""
    return World(
        network=network,
        disk=disk or cast(Disk, Absent()),
        processes=processes or cast(Processes, Absent()),
        http=lambda: client(network),
        utc_now=lambda: EPOCH + trio.current_time() + skew_s(),
        rng=Random(rng_seed),
        run_blocking=run_inline,
        lan=None if lan is None else lambda: lan,
        rtc=None if rtc is None else lambda stun: rtc,
    )
