"""A gate for handshakes: each costs processor time, so only so many begin at once, and no one source takes all places.

Who comes first is served first. A hundred hosts that come at once are served in turn; if all began together, all would
end together, too late for the patience of most.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

PLACES: Final = 256
PLACES_PER_SOURCE: Final = 32
"""Enough for a core's whole speed (a handshake takes 1 ms of it) behind one address translator."""
PLACE_S: Final = 2.0
"""Whoever has begun and is not done by then makes room: 256 places that say nothing are free again this soon."""
PLACE_CROWDED_S: Final = 0.5
"""The same while others wait: a handshake takes one way there and back. (Ten thousand that begin and never go on would
keep everybody else waiting for minutes.)"""


class Gate:
    """`place`: inside it, one may begin."""

    def __init__(self) -> None:
        self._all = trio.CapacityLimiter(PLACES)
        self._sources: dict[str, tuple[trio.CapacityLimiter, list[None]]] = {}

    def __repr__(self) -> str:
        return f"<Gate {self._all.borrowed_tokens} of {PLACES} places>"

    @asynccontextmanager
    async def place(self, source: str) -> AsyncIterator[None]:
        """A place, in turn; trio.TooSlowError when it is held for longer than PLACE_S."""
        limiter, users = self._sources.setdefault(source, (trio.CapacityLimiter(PLACES_PER_SOURCE), []))
        users.append(None)
        try:
            async with limiter, self._all:
                crowded = self._all.borrowed_tokens >= PLACES
                with trio.fail_after(PLACE_CROWDED_S if crowded else PLACE_S):
                    yield
        finally:
            users.pop()
            if not users:
                del self._sources[source]
