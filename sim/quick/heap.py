"""Time as a heap of deeds."""

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from math import inf
from typing import Any, Final

TASK: Final = 1 << 60
"""Added to the place of what a task does: a daemon's tasks run when the network has done all that happens at that
moment."""
LATER: Final = 1 << 61
"""Added to the place of what is to come after everything else of the same moment."""


class Deed:
    """What is to be done at a time."""

    __slots__ = ()

    def do(self) -> None:
        """The time has come."""
        raise NotImplementedError


class Call(Deed):
    """Anything that can be called, for what is done seldom."""

    __slots__ = ("_args", "_what")

    def __init__(self, what: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._what, self._args = what, args

    def do(self) -> None:
        """Call it."""
        self._what(*self._args)


class Heap:
    """`now` in seconds. Deeds of one time are done in the order in which they were booked: first what links do, then
    tasks, then timers."""

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Deed]] = []
        self._lane: deque[tuple[float, int, Deed]] = deque()
        """What is on its way between two links and comes after all that was here before it, as most does where ways are
        equally long: in order without a heap."""
        self._queue_at = self._lane_at = self._lane_ends = inf
        """When the first of the heap, and the first and the last of the lane come; where none is, the first never."""
        self._lane_place = 0
        self._woken: deque[Deed] = deque()
        """What tasks do now: cheaper than on the heap, where it would come after all other tasks of this moment too."""
        self._place = 0
        self._going = False

    def __repr__(self) -> str:
        return f"<Heap at {self.now:.3f} s, {len(self._queue) + len(self._lane) + len(self._woken)} deeds to come>"

    def book(self, when: float, deed: Deed) -> None:
        """A link does this at that time."""
        self._place += 1
        self._enter_heap(when, self._place, deed)

    def at(self, when: float, what: Callable[..., object], *args: Any) -> None:
        """Call `what(*args)` at this time."""
        self.book(when, Call(what, args))

    def travel(self, when: float, deed: Deed) -> None:
        """The same, for what is on its way between two links."""
        self._place += 1
        self._enter_lane(when, self._place, deed)

    def _enter_heap(self, when: float, place: int, deed: Deed) -> None:
        heappush(self._queue, (when, place, deed))
        if when < self._queue_at:
            self._queue_at = when

    def _enter_lane(self, when: float, place: int, deed: Deed) -> None:
        if not self._lane:
            self._lane_at = when
        elif when < self._lane_ends or (when == self._lane_ends and place < self._lane_place):
            self._enter_heap(when, place, deed)
            return
        self._lane_ends, self._lane_place = when, place
        self._lane.append((when, place, deed))

    @property
    def quiet(self) -> bool:
        """Nothing else is booked for this moment: who would book something for it may as well do it."""
        return not self._woken and self._lane_at > self.now and self._queue_at > self.now

    def wake(self, deed: Deed) -> None:
        """A task goes on now, when the network is done."""
        self._woken.append(deed)

    def post(self, when: float, deed: Deed) -> None:
        """A task does this at that time."""
        if when <= self.now:
            self._woken.append(deed)
        else:
            self._place += 1
            self._enter_lane(when, self._place + TASK, deed)

    def timer(self, when: float, deed: Deed) -> None:
        """The same, after everything else of that time: as a deadline comes after what it waits for."""
        self._place += 1
        self._enter_heap(max(when, self.now), self._place + LATER, deed)

    def run(self, until_s: float) -> None:
        """Until that time, or until nothing is to come, or `stop` is called."""
        queue, woken = self._queue, self._woken
        self.at(until_s, self.stop)
        self._going = True
        while self._going:
            lane_at, queue_at = self._lane_at, self._queue_at
            if woken and lane_at > self.now and (queue_at > self.now or queue[0][1] >= LATER):
                woken.popleft().do()
            elif lane_at < queue_at or (lane_at == queue_at < inf and self._lane[0] < queue[0]):
                self._take_lane().do()
            elif queue:
                self._take_heap().do()
            else:
                break

    def _take_lane(self) -> Deed:
        self.now, _, deed = self._lane.popleft()
        self._lane_at = self._lane[0][0] if self._lane else inf
        return deed

    def _take_heap(self) -> Deed:
        self.now, _, deed = heappop(self._queue)
        self._queue_at = self._queue[0][0] if self._queue else inf
        return deed

    def stop(self) -> None:
        """It is enough: what was to come stays booked."""
        self._going = False


@contextmanager
def uncollected() -> Iterator[None]:
    """The garbage collector rests meanwhile: everybody knows somebody, so it would look at all and find nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
