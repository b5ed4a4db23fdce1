"""Turns of trio's loop without what a simulation has no use for: a third of what `unrolled_run` costs.

A turn takes all tasks that can run, shuffles them, and lets each go one step. trio's own loop asks the kernel for news
between two turns and instruments before, after and within each step; on virtual time there is no news, and where there
is an instrument, an interrupt or a task that waits for idleness, `SimClock` leaves the turns to trio. What a task sees
is the same either way, and so is the order: `tests/sim/fleet/test_turns.py` holds the two loops to one schedule.

Private to trio and used here, all of it as `trio._core._run.unrolled_run` does: `Runner.runq`, `.instruments`,
`.ki_pending`, `.waiting_for_idle`, `.task_exited`, and of a task `_counter`, `_next_send_fn`, `_next_send`,
`_abort_func`, `_cancel_status` and `_attempt_delivery_of_any_pending_cancel`. This file is not compiled: an attribute
of somebody else's object costs the interpreter less than machine code.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from outcome import Error, Outcome, Value
from trio import Cancelled
from trio._core._run import GLOBAL_RUN_CONTEXT
from trio._core._traps import CancelShieldedCheckpoint, WaitTaskRescheduled

from .errors import SimError

_BIRTH: Final = attrgetter("_counter")
_ENDS: Final = (Exception, BaseExceptionGroup, Cancelled, KeyboardInterrupt, SystemExit)
"""What its nursery is told of when it ends a task; anything else ends the run."""
ALL_HOOKS: Final = 1
"""The table of instruments has one row before there is any."""


def is_left_to_trio(runner: Any) -> bool:
    """Something is the matter that only trio's own loop looks after; the end of all is, too."""
    if runner.ki_pending or runner.waiting_for_idle or len(runner.instruments.data) > ALL_HOOKS:
        return True
    return runner.main_task_outcome is not None


def take_turn(runner: Any, getrandbits: Callable[[int], int]) -> None:
    """All tasks that can run now go one step, in the order in which trio would let them."""
    batch = list(runner.runq)
    runner.runq.clear()
    batch.sort(key=_BIRTH)
    shuffle(batch, getrandbits)
    current = GLOBAL_RUN_CONTEXT.__dict__  # of this thread; an attribute of it costs thrice as much
    while batch:
        task = current["task"] = batch.pop()
        send, value = task._next_send_fn, task._next_send
        task._next_send_fn = task._next_send = None
        message: Any = None
        over: Outcome[object] | None = None
        try:
            message = task.context.run(send, value)
        except StopIteration as end:
            over = Value(end.value)
        except _ENDS as error:
            over = _failure(error)
        if over is not None:
            runner.task_exited(task, over)
            over = None
        elif type(message) is WaitTaskRescheduled:
            task._abort_func = message.abort_func
            if task._cancel_status.effectively_cancelled:
                task._attempt_delivery_of_any_pending_cancel()
        elif message is CancelShieldedCheckpoint:
            runner.reschedule(task)
        else:
            runner.reschedule(task, SimError(f"trio has no such message: {message!r}. Is this another framework's?"))
            task._next_send_fn = task.coro.throw
    current.pop("task", None)


def _failure(error: BaseException) -> Error:
    """Without the turn's own frame, which holds the task: a circle, and nobody collects garbage meanwhile."""
    trace = error.__traceback__
    return Error(error.with_traceback(trace.tb_next if trace is not None else None))


def shuffle(batch: list[Any], getrandbits: Callable[[int], int]) -> None:
    """As `random.Random.shuffle` does, with the same dice to the same end, at half its price."""
    bits = len(batch).bit_length()
    least = 1 << bits >> 1
    for last in range(len(batch) - 1, 0, -1):
        if last + 1 < least:  # a number of one bit less
            bits, least = bits - 1, least >> 1
        chosen = getrandbits(bits)
        while chosen > last:
            chosen = getrandbits(bits)
        batch[last], batch[chosen] = batch[chosen], batch[last]
