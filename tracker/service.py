"""The tracker as a service: the nursery tree. The same one runs on a machine and in the simulator."""

import logging
from typing import Final

import trio

from p2pd.world import World
from p2pd.world.network import Listener

from .config import TrackerConfig
from .director import load_director
from .goals.follower import Follower
from .goals.goals import Goals
from .sessions import Sessions
from .store import Store
from .tracker import Tracker

TICK_S: Final = 1.0
"""How often ended leases and stuck connections are looked for."""
log = logging.getLogger(__name__)


async def run(
    config: TrackerConfig,
    world: World,
    store: Store,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; starts with the address that it listens at.

    OSError (address, key), StoreError or SigningError if it can't start.
    """
    try:
        stored = await world.run_blocking(store.open)
        director = await world.run_blocking(load_director, config)
        now = trio.current_time()
        tracker = Tracker(
            config,
            Goals(stored.goals, config.revision_floor),
            world.rng,
            now - (world.utc_now() - stored.upstream_seen_at),
        )
        sessions = Sessions(tracker, world, store, director)
        listener = await world.network.listen(config.listen)
        log.info("tracker of %s at %s, revision %d", config.region, listener.address, tracker.goals.revision)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_accept, listener, sessions)
                nursery.start_soon(_keep_time, tracker, sessions)
                if director:
                    nursery.start_soon(sessions.keep_signed)
                if config.upstream:
                    nursery.start_soon(Follower(tracker, world, store, sessions.perform).run)
                task_status.started(listener.address)
        finally:
            await listener.aclose()
    finally:
        with trio.CancelScope(shield=True):
            await world.run_blocking(store.close)


async def _accept(listener: Listener, sessions: Sessions) -> None:
    async with trio.open_nursery() as nursery:
        while True:
            nursery.start_soon(sessions.serve, await listener.accept())


async def _keep_time(tracker: Tracker, sessions: Sessions) -> None:
    while True:
        await trio.sleep(TICK_S)
        sessions.perform(tracker.handle_timer(trio.current_time()))
        sessions.drop_stuck()
