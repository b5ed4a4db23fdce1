"""A World for services that need no disk and start no processes: memory network, trio's clock, seeded dice."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final, cast

import httpx
import trio

from p2pd.world import Args, T, World
from p2pd.world.disk import Disk
from p2pd.world.network import Network
from p2pd.world.processes import Processes

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


def memory_world(network: Network, rng_seed: int = 1) -> World:
    """A world of nothing but this network and trio's clock."""
    return World(
        network=network,
        disk=cast(Disk, Absent()),
        processes=cast(Processes, Absent()),
        http=cast(Callable[[], httpx.AsyncClient], Absent()),
        utc_now=lambda: EPOCH + trio.current_time(),
        rng=Random(rng_seed),
        run_blocking=run_inline,
    )
