"""The tracker as a service: the nursery tree. The same one runs on a machine and in the simulator."""

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import trio

from p2pd.joining import TrackerAuthority
from p2pd.world import World
from p2pd.world.network import Listener, Network

from .ca.local import LocalAuthority
from .config import TrackerConfig
from .director import load_director
from .goals.follower import Follower
from .goals.goals import Goals
from .sessions import Sessions
from .store import Store
from .tracker import Tracker

TICK_S: Final = 1.0
"""How often ended leases and stuck connections are looked for."""
_NONE: Final[Mapping[str, Network]] = MappingProxyType({})
log = logging.getLogger(__name__)


async def run(
    config: TrackerConfig,
    world: World,
    store: Store,
    *,
    authority: LocalAuthority | None = None,
    doors: Mapping[str, Network] = _NONE,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; starts with the address that it listens at. `authority`: the fleet's, if it is here (else
    the upstream tracker is asked). `doors`: addresses on other networks where it listens too.

    OSError (address, key), StoreError or SigningError if it can't start.
    """
    try:
        stored = await world.run_blocking(store.open)
        director = await world.run_blocking(load_director, config)
        now = trio.current_time()
        tracker = Tracker(
            config,
            Goals(stored.goals, config.revision_floor, stored.pauses),
            world.rng,
            now - (world.utc_now() - stored.upstream_seen_at),
        )
        relay = TrackerAuthority(world.network, [config.upstream]) if config.upstream else None
        sessions = Sessions(tracker, world, store, director, authority or relay)
        listener = await world.network.listen(config.listen, strangers=True)

        def revoked(lists: Iterable[bytes]) -> None:
            sessions.perform(tracker.revoked(world.network.revoke(lists)))

        revoked(())
        log.info("tracker of %s at %s, revision %d", config.region, listener.address, tracker.goals.revision)
        listeners = [listener]
        try:
            for address, network in doors.items():
                listeners.append(await network.listen(address))
            async with trio.open_nursery() as nursery:
                sessions.tasks = nursery
                for door in listeners:
                    nursery.start_soon(_accept, door, sessions)
                nursery.start_soon(_keep_time, tracker, sessions)
                if director:
                    nursery.start_soon(sessions.keep_signed)
                if authority:
                    nursery.start_soon(authority.watch, revoked)
                if config.upstream:
                    nursery.start_soon(Follower(tracker, world, store, sessions.perform, revoked).run)
                task_status.started(listener.address)
        finally:
            for door in listeners:
                await door.aclose()
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
