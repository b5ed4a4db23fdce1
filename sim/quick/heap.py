"""Time as a heap of deeds."""

import gc
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, Final, TypeVar

T = TypeVar("T")
TASK: Final = 1 << 61
"""Added to the place of what a task does when it is woken: a daemon's tasks run when the network has done all that
happens at that moment."""
LATER: Final = 1 << 62
"""Added to the place of what is to come after everything else of the same moment."""


class Heap:
    """`now` in seconds. Deeds of one time are done in the order in which they were booked: first what links do, then
    tasks, then timers.

    `queue` and `next_place` are for those who book millions: `heappush(queue, (when, next_place(), deed, arguments))`.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.queue: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self.next_place = count().__next__
        self._going = False
        self._deed: Callable[[Any], object] | None = None
        self._when, self._place = 0.0, 0
        self._posted: list[Any] = []

    def __repr__(self) -> str:
        return f"<Heap at {self.now:.3f} s, {len(self.queue)} deeds to come>"

    def at(self, when: float, deed: Callable[..., object], *args: Any) -> None:
        """Call `deed(*args)` at this time."""
        heapq.heappush(self.queue, (when, self.next_place(), deed, args))

    @property
    def quiet(self) -> bool:
        """Nothing else is booked for this moment: who would book something for it may as well do it."""
        return not self.queue or self.queue[0][0] > self.now

    def wake(self, deed: Callable[..., object], *args: Any) -> None:
        """A task goes on now, when the network is done."""
        heapq.heappush(self.queue, (self.now, self.next_place() + TASK, deed, args))

    def post(self, when: float, deed: Callable[[T], object], what: T) -> None:
        """A task calls `deed(what)` at this time. What is posted one right after another, for one time, is booked as
        one: news goes to all neighbours at once, and often comes at once."""
        place = self.next_place()
        if place == self._place + 1 and when == self._when and deed == self._deed:
            self._posted.append(what)
        else:
            self._when, self._deed, self._posted = when, deed, [what]
            heapq.heappush(self.queue, (when, place + TASK, self._bring, (deed, self._posted)))
        self._place = place

    def _bring(self, deed: Callable[[T], object], posted: list[T]) -> None:
        for what in posted:
            deed(what)
        self._deed = None  # nothing can be added to it any more

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
