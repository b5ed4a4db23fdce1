"""A regional tracker's tie to the global one: goals down, at once when pushed, by a poll in any case; reports up.

What arrives is kept on disk and served to the region's hosts, also while the global tracker is gone.
"""

import logging
from collections.abc import Callable, Iterable
from math import inf
from typing import Final, NoReturn

import trio

from p2pd.policy.backoff import jittered
from p2pd.tracker_link import Conversation, TrackerLink
from p2pd.wire.announce import Goal, Goals, Register, Report, Revoked, Watch
from p2pd.wire.messages import PROTOCOL_VERSION
from p2pd.world import World
from p2pd.world.demanding import TRACKERS, Demanding
from tracker.deeds import Deed
from tracker.errors import StoreError
from tracker.store import Store
from tracker.tracker import Tracker

from .pauses import Pauses

REPORTS_PER_MESSAGE: Final = 60
"""With every text of full length this still fits a control frame."""
REPORTS_EVERY_S: Final = 0.5
"""Reports are gathered for so long."""
ALL_EVERY_S: Final = 6 * 3_600.0
"""How often all goals are asked for, not only newer ones: a fraction of the life of their signatures."""
SEEN_EVERY_S: Final = 60.0
"""How often the time of the last contact is written down, when no goal is."""
log = logging.getLogger(__name__)


class Follower:
    """Follows `config.upstream`. `perform` carries out the brain's deeds, `revoked` is told of revocation lists."""

    def __init__(
        self,
        tracker: Tracker,
        world: World,
        store: Store,
        perform: Callable[[list[Deed]], None],
        revoked: Callable[[Iterable[bytes]], None],
    ) -> None:
        self._tracker = tracker
        self._revoked = revoked
        self._world = world
        self._store = store
        self._perform = perform
        self._unstored: list[Goal] = []
        self._unstored_pauses: Pauses | None = None
        self._seen_stored_at = trio.current_time()
        self._all_asked_at = -inf
        config = tracker.config
        register = Register(PROTOCOL_VERSION, config.fleet, config.name, config.region, "tracker", "")
        network = Demanding(world.network, TRACKERS)
        self.link = TrackerLink(network, (config.upstream,), register, world.rng, self._talk)

    def __repr__(self) -> str:
        return f"<Follower {self.link!r}>"

    async def run(self) -> NoReturn:
        """Follow until cancelled."""
        await self.link.run()

    async def _talk(self, conversation: Conversation) -> None:
        self._tracker.repeat_reports()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, conversation)
            nursery.start_soon(self._speak, conversation)

    async def _listen(self, conversation: Conversation) -> None:
        while True:
            message = await conversation.hear()
            if isinstance(message, Revoked):
                self._revoked([message.list])
            elif isinstance(message, Goals):
                self._tracker.upstream_seen(trio.current_time())
                if message.revision < self._tracker.goals.revision and not message.goals:
                    log.warning("the global tracker is at revision %d, this copy at %d: was it restored from a backup?",
                                message.revision, self._tracker.goals.revision)  # fmt: skip
                with trio.CancelScope(shield=True):
                    await self._adopt(message)

    async def _adopt(self, message: Goals) -> None:
        """Keep and serve. Where the disk fails the goals are served all the same, and kept with the next ones."""
        now = trio.current_time()
        self._unstored += message.goals
        if message.paused != self._tracker.goals.pauses.paused:
            self._unstored_pauses = Pauses(message.revision, message.paused)
        pauses = self._unstored_pauses
        if self._unstored or pauses or now >= self._seen_stored_at + SEEN_EVERY_S:
            try:
                await self._world.run_blocking(self._store.adopt, tuple(self._unstored), self._world.utc_now(), pauses)
                self._unstored.clear()
                self._unstored_pauses = None
                self._seen_stored_at = now
            except StoreError as error:
                log.error("goals are served but not stored: %s", error)
        for goal in message.goals:
            self._perform(self._tracker.committed(goal, trio.current_time()))
        if pauses is not None:
            self._perform(self._tracker.paused(pauses, trio.current_time()))

    def _poll_from(self) -> int:
        """From the newest revision on; now and then all, for goals that were signed anew while we were away."""
        if trio.current_time() < self._all_asked_at + ALL_EVERY_S:
            return self._tracker.goals.revision
        self._all_asked_at = trio.current_time()
        return 0

    async def _speak(self, conversation: Conversation) -> None:
        poll_at = trio.current_time()
        while True:
            if trio.current_time() >= poll_at:
                await conversation.ask(Watch((), self._poll_from()))
                poll_at = trio.current_time() + jittered(self._tracker.config.poll_s, self._world.rng)
            if reports := self._tracker.unsent.take(REPORTS_PER_MESSAGE):
                await conversation.tell(Report(reports))
            if not len(self._tracker.unsent):
                await trio.sleep(REPORTS_EVERY_S)
