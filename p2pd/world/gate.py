"""A gate for handshakes: each costs processor time, so only so many begin at once, and no one source takes all places.

A hundred hosts that come at once are served in turn; if all began together, all would end together, too late for the
patience of most. Who came last is next: who came first may have given up already, and will be back. So a tracker to
which ten thousand hosts come back at once has each of its handshakes with somebody who is still there.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Final

import trio

from p2pd.policy.receiving import Doorstep

PLACES: Final = 1024
PLACES_PER_SOURCE: Final = 128
"""Enough for a core's whole speed (a handshake takes 1 ms of it) behind one address translator."""
WAITING_MAX: Final = 16_384
"""For a place; one more, and who waited longest is turned away."""
PLACE_S: Final = 2.0
"""Whoever has begun and lets us wait for so long makes room: places that say nothing are free again this soon."""
BEGINS_PER_S: Final = 300.0
"""Handshakes in the long run: with what follows them a third to a half of a core, so that who is connected is heard."""
BEGINS_SAVED_MAX: Final = 12_000.0
"""All hosts of a tracker that was away come back at once, and are let in at once."""


class Places:
    """So many; who waits for one gets it before those who came earlier."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.waiting: dict[trio.Event, None] = {}
        self._turned_away: set[trio.Event] = set()

    async def __aenter__(self) -> None:
        """trio.TooSlowError for who waited longest of too many."""
        if self.free:
            self.free -= 1
            return
        if len(self.waiting) >= WAITING_MAX:
            oldest = next(iter(self.waiting))
            del self.waiting[oldest]
            self._turned_away.add(oldest)
            oldest.set()
        turn = trio.Event()
        self.waiting[turn] = None
        try:
            await turn.wait()
        except trio.Cancelled:
            if turn in self.waiting:
                del self.waiting[turn]
            elif turn not in self._turned_away:
                self._pass_on()  # it was given to us after we were cancelled, before we ran
            self._turned_away.discard(turn)
            raise
        if turn in self._turned_away:
            self._turned_away.remove(turn)
            raise trio.TooSlowError

    async def __aexit__(self, *_: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        if self.waiting:
            self.waiting.popitem()[0].set()
        else:
            self.free += 1


class Gate:
    """`place`: inside it, one may begin."""

    def __init__(self) -> None:
        self._under_way = trio.CapacityLimiter(PLACES)
        self._turn = Places(1)
        self._sources: dict[str, tuple[Places, list[None]]] = {}
        self._begins = Doorstep(-inf, BEGINS_PER_S, BEGINS_SAVED_MAX)

    def __repr__(self) -> str:
        return f"<Gate {self._under_way.borrowed_tokens} of {PLACES} under way, {len(self._turn.waiting)} wait>"

    @asynccontextmanager
    async def place(self, source: str, gave_up: Callable[[], bool]) -> AsyncIterator[None]:
        """A place. trio.BrokenResourceError for who gave up before, trio.TooSlowError if too many came since.

        Its first step is to be taken at once: one is let in each time around the loop, so that others go on in between.
        """
        places, users = self._sources.setdefault(source, (Places(PLACES_PER_SOURCE), []))
        users.append(None)
        try:
            async with places:
                async with self._turn:
                    if gave_up():
                        raise trio.BrokenResourceError(f"{source} did not wait for its turn")
                    if rest_s := self._begins.spend(trio.current_time()):
                        await trio.sleep(rest_s)
                    await self._under_way.acquire()
                try:
                    yield
                finally:
                    self._under_way.release()
        finally:
            users.pop()
            if not users:
                del self._sources[source]
