"""Time as a heap of deeds."""

import heapq
from collections.abc import Callable
from typing import Any, Final

LATER: Final = 1 << 62
"""Added to the place of what is to come after everything else of the same moment."""


class Heap:
    """`now` in seconds. Deeds of one time are done in the order in which they were booked, timers after all others."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._booked = 0

    def __repr__(self) -> str:
        return f"<Heap at {self.now:.3f} s, {len(self._heap)} deeds to come>"

    def at(self, when: float, deed: Callable[..., object], *args: Any) -> None:
        """Call `deed(*args)` at this time."""
        self._booked += 1
        heapq.heappush(self._heap, (when, self._booked, deed, args))

    def timer(self, when: float, deed: Callable[..., object], *args: Any) -> None:
        """The same, after everything else of that time: as a deadline comes after what it waits for."""
        self._booked += 1
        heapq.heappush(self._heap, (max(when, self.now), self._booked + LATER, deed, args))

    def run(self, until_s: float, goes_on: Callable[[], bool]) -> None:
        """Until that time, or until nothing is to come, or `goes_on` says no (asked after each deed)."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until_s:
            self.now, _, deed, args = pop(heap)
            deed(*args)
            if not goes_on():
                return
        self.now = max(self.now, until_s) if heap else self.now
