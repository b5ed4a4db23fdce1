"""One flight for each object, however many ask for it at the same time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Flight(Generic[T]):
    landed: trio.Event = field(default_factory=trio.Event)
    results: list[T] = field(default_factory=list)
    askers: int = 0


class SingleFlight(Generic[T]):
    """Runs a fetch in `nursery`, not in the task of whoever asked first: it goes on when that asker is cancelled.

    At most `flights_max` run at once, the others wait their turn; one that nobody waits for when its turn comes is
    dropped. A fetch returns its failure as a value; an exception is a bug and travels up the nursery.
    """

    def __init__(self, nursery: trio.Nursery, flights_max: int) -> None:
        self.joined = 0
        """How often somebody waited for a flight that another had started."""
        self._nursery = nursery
        self._turns = trio.Semaphore(flights_max)
        self._flights: dict[str, _Flight[T]] = {}

    def __repr__(self) -> str:
        return f"<SingleFlight {len(self._flights)} under way>"

    def __len__(self) -> int:
        return len(self._flights)

    async def share(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        """The result of the flight of this key, which `fetch` makes unless it is under way."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            self._nursery.start_soon(self._fly, key, flight, fetch)
        else:
            self.joined += 1
        flight.askers += 1
        try:
            await flight.landed.wait()
        finally:
            flight.askers -= 1
        return flight.results[0]

    async def _fly(self, key: str, flight: _Flight[T], fetch: Callable[[], Awaitable[T]]) -> None:
        try:
            async with self._turns:
                if flight.askers:
                    flight.results.append(await fetch())
        finally:
            del self._flights[key]
        flight.landed.set()
