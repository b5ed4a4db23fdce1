"""Where one task waits to be woken: what a simulated stream does more often than anything else.

Names private to trio (kept by tests, as those of `sim.clock` and `sim.turns` are) spare half of what its doors cost:
the message to the scheduler is made once, what comes back is not unpacked, a woken task is put on the queue at once,
and whether a task is cancelled is looked up without a coroutine.
"""

from collections.abc import Awaitable
from typing import Any, Final, cast

import outcome
import trio
from trio._core._run import GLOBAL_RUN_CONTEXT
from trio._core._traps import WaitTaskRescheduled, _real_async_yield

from sim.clock import Deed, SimClock

_WOKEN: Final = outcome.Value(None)
"""What a task is woken with; never unwrapped, so one does for all."""
_NEVER: Final = WaitTaskRescheduled(lambda _: trio.lowlevel.Abort.FAILED)
"""What a task says to the scheduler that is not to be cancelled where it waits."""


def is_cancelled() -> bool:
    """Whether a checkpoint would end the task that runs."""
    cancelled: bool = GLOBAL_RUN_CONTEXT.task._cancel_status.effectively_cancelled
    return cancelled


def _resume(task: Any) -> None:
    """`Runner.reschedule`, which would ask first whether somebody watches."""
    task._next_send_fn, task._next_send, task._abort_func = task.coro.send, _WOKEN, None
    GLOBAL_RUN_CONTEXT.runner.runq.append(task)


class Sleeper(Deed):
    """A task that nothing can wake before its time."""

    __slots__ = ("_task",)

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self._task = task

    def do(self) -> None:
        """Wake it."""
        _resume(self._task)


async def sleep_soundly_until(clock: SimClock, when: float) -> None:
    """Nobody can cancel that. (It costs a third of a shielded deadline.)"""
    clock.book(when, Sleeper(GLOBAL_RUN_CONTEXT.task))
    await cast("Awaitable[object]", _real_async_yield(_NEVER))


class Waiter:
    """At most one task that waits for a change. (An Event costs three times as much and needs a new one each time.)"""

    __slots__ = ("_message", "_task")

    def __init__(self) -> None:
        self._task: trio.lowlevel.Task | None = None
        self._message = WaitTaskRescheduled(self._abort)

    def __repr__(self) -> str:
        return f"<Waiter {'in use' if self._task else 'idle'}>"

    async def park(self) -> None:
        """Until `wake`; trio.Cancelled."""
        if self._task is not None:
            raise trio.BusyResourceError("another task is using this end")
        self._task = GLOBAL_RUN_CONTEXT.task
        woken: outcome.Outcome[None] = await cast("Awaitable[outcome.Outcome[None]]", _real_async_yield(self._message))
        if woken is not _WOKEN:
            woken.unwrap()

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def wake(self) -> None:
        """Something changed."""
        task = self._task
        if task is not None:
            self._task = None
            _resume(task)
