"""Time as a heap of deeds."""

import gc
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, Final

LATER: Final = 1 << 62
"""Added to the place of what is to come after everything else of the same moment."""


class Heap:
    """`now` in seconds. Deeds of one time are done in the order in which they were booked, timers after all others.

    `queue` and `next_place` are for those who book millions: `heappush(queue, (when, next_place(), deed, arguments))`.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.queue: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self.next_place = count().__next__
        self._going = False

    def __repr__(self) -> str:
        return f"<Heap at {self.now:.3f} s, {len(self.queue)} deeds to come>"

    def at(self, when: float, deed: Callable[..., object], *args: Any) -> None:
        """Call `deed(*args)` at this time."""
        heapq.heappush(self.queue, (when, self.next_place(), deed, args))

    def timer(self, when: float, deed: Callable[..., object], *args: Any) -> None:
        """The same, after everything else of that time: as a deadline comes after what it waits for."""
        heapq.heappush(self.queue, (max(when, self.now), self.next_place() + LATER, deed, args))

    def run(self, until_s: float) -> None:
        """Until that time, or until nothing is to come, or `stop` is called. The garbage collector rests meanwhile."""
        queue, pop = self.queue, heapq.heappop
        self.at(until_s, self.stop)
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._going = True
            while queue and self._going:
                self.now, _, deed, args = pop(queue)
                deed(*args)
        finally:
            if collecting:
                gc.enable()

    def stop(self) -> None:
        """It is enough: what was to come stays booked."""
        self._going = False
