"""Virtual time: trio under a seeded scheduler, with a heap of events that runs inside trio's own loop.

Everything here that is private to trio is in this file, and `tests/sim/fleet/test_clock.py` fails loudly when a name is
gone (the minor version of trio is pinned for it):

_core._run._ALLOW_DETERMINISTIC_SCHEDULING  sort each batch of runnable tasks by birth before shuffling it; without
                                            it, five runs of one seed gave five schedules (Event waiters are a set)
_core._run._r                               the dice of that shuffle
_core._run.GLOBAL_RUN_CONTEXT.runner        `runq` (is a task runnable?) and `deadlines.next_deadline()`
MockClock._autojump, .current_time          set on the instance: all is blocked, so jump to the next event or deadline

When every task is blocked the clock jumps to the next event or the next deadline, whichever comes first; an event at
the time of a deadline comes before it. Events are plain calls and may not block.
"""

import gc
import heapq
from collections.abc import Awaitable, Callable
from math import inf
from random import Random
from typing import Any, Final, TypeVar, TypeVarTuple

import trio
from trio._core import _run as scheduler
from trio.testing import MockClock

from .errors import SimError

T = TypeVar("T")
Args = TypeVarTuple("Args")
PRIVATE: Final = ("_ALLOW_DETERMINISTIC_SCHEDULING", "_r", "GLOBAL_RUN_CONTEXT")
"""Names of `trio._core._run` that are used here."""


class SimClock:
    """Seconds since the run began, and what is to happen when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events = 0
        self._heap: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._whole = trio.CancelScope()

    def __repr__(self) -> str:
        return f"<SimClock {self.now:.3f} s, {len(self._heap)} events to come>"

    def at(self, when: float, deed: Callable[[*Args], object], *args: *Args) -> None:
        """Call `deed(*args)` at this time; those of the same time in the order in which they were booked."""
        self.events += 1
        heapq.heappush(self._heap, (max(when, self.now), self.events, deed, args))

    def run(self, main: Callable[[*Args], Awaitable[T]], *args: *Args, rng_seed: int) -> T:
        """`trio.run` on this clock. The same seed gives the same schedule. The garbage collector rests meanwhile."""
        dice: Random = scheduler._r
        before, dice_before = scheduler._ALLOW_DETERMINISTIC_SCHEDULING, dice.getstate()
        collecting = gc.isenabled()
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]
        dice.seed(rng_seed)
        gc.disable()
        try:
            return trio.run(self._main, main, args, clock=self._trio_clock())
        finally:
            dice.setstate(dice_before)
            scheduler._ALLOW_DETERMINISTIC_SCHEDULING = before  # type: ignore[misc]
            if collecting:
                gc.enable()

    async def _main(self, main: Callable[..., Awaitable[T]], args: tuple[Any, ...]) -> T:
        with self._whole:
            return await main(*args)
        raise SimError(f"deadlock at {self.now:.3f} s: every task waits and nothing will happen any more")

    def _trio_clock(self) -> MockClock:
        clock = MockClock(autojump_threshold=0)
        clock.current_time = lambda: self.now  # type: ignore[method-assign]
        clock._autojump = self._jump  # type: ignore[method-assign]
        return clock

    def _jump(self) -> None:
        """Every task is blocked: let time pass until one is not."""
        runner, heap = scheduler.GLOBAL_RUN_CONTEXT.runner, self._heap
        while not runner.runq:
            deadline = runner.deadlines.next_deadline()
            if heap and heap[0][0] <= deadline:
                self.now, _, deed, args = heapq.heappop(heap)
                deed(*args)
            elif deadline < inf:
                self.now = max(self.now, deadline)
                return  # the loop finds it expired
            else:
                self._whole.cancel()
