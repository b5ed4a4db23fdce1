"""Virtual time: trio under a seeded scheduler, with a heap of events that runs inside trio's own loop.

Everything here that is private to trio is in this file, and `tests/sim/fleet/test_clock.py` fails loudly when a name is
gone (the minor version of trio is pinned for it):

_core._run._ALLOW_DETERMINISTIC_SCHEDULING  sort each batch of runnable tasks by birth before shuffling it; without
                                            it, five runs of one seed gave five schedules (Event waiters are a set)
_core._run._r                               the dice of that shuffle
_core._run.GLOBAL_RUN_CONTEXT.runner        `runq` (is a task runnable?), `deadlines.next_deadline` and `.expire`
MockClock._autojump, .current_time          set on the instance: all is blocked, so jump to the next event or deadline

When every task is blocked the clock jumps to the next event or the next deadline, whichever comes first, until a task
can run; an event at the time of a deadline comes before it. Events are plain calls and may not block. From there it
takes the turns itself (`turns.py`), until something happens that only trio's own loop looks after.
"""

import gc
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Any, Final, TypeVar, TypeVarTuple

import trio
from trio._core import _run as scheduler
from trio.testing import MockClock

from .errors import SimError
from .turns import is_left_to_trio, take_turn

T = TypeVar("T")
Args = TypeVarTuple("Args")
PRIVATE: Final = ("_ALLOW_DETERMINISTIC_SCHEDULING", "_r", "GLOBAL_RUN_CONTEXT")
"""Names of `trio._core._run` that are used here."""


class Deed:
    """What is to be done at a time. It may not block."""

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


class SimClock:
    """Seconds since the run began, and what is to happen when.

    `grain_s`: tasks that are woken within so much of each other run in one turn of trio's loop, at the time of the
    last of them, as on a processor that was busy meanwhile. It makes large fleets cheaper; events keep their times.
    """

    def __init__(self, grain_s: float = 0.0) -> None:
        self.now = 0.0
        self.grain_s = grain_s
        self.events = 0
        """That have happened."""
        self._heap: list[tuple[float, int, Deed]] = []
        self._place = 0
        self._whole = trio.CancelScope()

    def __repr__(self) -> str:
        return f"<SimClock {self.now:.3f} s, {len(self._heap)} events to come>"

    def book(self, when: float, deed: Deed) -> None:
        """Do this at that time, which is not past; those of the same time in the order in which they were booked."""
        self._place += 1
        heappush(self._heap, (when, self._place, deed))

    def at(self, when: float, what: Callable[[*Args], object], *args: *Args) -> None:
        """Call `what(*args)` at this time, or now if that is past."""
        self.book(when if when > self.now else self.now, Call(what, args))

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
        """Every task is blocked, and trio will take a turn next: let time pass, and take turns meanwhile."""
        runner, getrandbits = scheduler.GLOBAL_RUN_CONTEXT.runner, scheduler._r.getrandbits
        runnable, deadlines = runner.runq, runner.deadlines
        self._pass_time(runnable, deadlines)
        while not is_left_to_trio(runner):
            take_turn(runner, getrandbits)
            deadlines.expire(self.now)
            if not runnable and not runner.waiting_for_idle:
                self._pass_time(runnable, deadlines)

    def _pass_time(self, runnable: Any, deadlines: Any) -> None:
        """Until a task can run, and for the rest of the grain."""
        heap, until = self._heap, inf
        next_deadline = deadlines.next_deadline
        deadline = next_deadline()
        while True:
            when = heap[0][0] if heap else inf
            if when <= deadline:
                if when > until:
                    return
                if when < inf:
                    self.now, _, deed = heappop(heap)
                    self.events += 1
                    deed.do()
                    if isinstance(deed, Call):  # no other deed cancels anything
                        deadline = next_deadline()
                else:
                    self._whole.cancel()
            elif deadline > until:
                return
            else:
                self.now = max(self.now, deadline)
                deadlines.expire(self.now)
                deadline = next_deadline()
            if runnable and until == inf:
                until = self.now + self.grain_s
