"""Threads for blocking jobs, as few hands between them and the event loop as can be.

trio's own way (`trio.to_thread`) takes two hand-overs, each with a wake-up, for every job: more than hashing a small
piece does. Here threads take jobs from one queue, so that a busy one finds its next without being woken; and what they
finish while the loop is busy is handed back in one go.
"""

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

import outcome  # trio's own, of which it hands over what comes out of a thread
import trio

from . import Args, T

IDLE_S: Final = 10.0
"""A thread without a job for so long ends."""


class _Inbox:
    """What is done for one run of trio, until its loop takes it."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self.token = token
        self._done: deque[trio.lowlevel.Task] = deque()
        self._told = False

    def put(self, task: trio.lowlevel.Task) -> None:
        """Whose job it was may go on. From any thread."""
        self._done.append(task)
        if not self._told:
            self._told = True
            self.token.run_sync_soon(self._deliver)

    def _deliver(self) -> None:
        self._told = False  # first: what is put from now on may miss this round, and is told anew
        while self._done:
            trio.lowlevel.reschedule(self._done.popleft())


class _Job:
    """`begun` once a thread has it; a job that has begun is never abandoned."""

    def __init__(self, inbox: _Inbox, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.inbox, self._function, self._args = inbox, function, args
        self.task = trio.lowlevel.current_task()
        self.begun = self.dropped = False
        self.outcome: outcome.Outcome[Any]

    def do(self) -> None:
        """In a thread."""
        self.outcome = outcome.capture(self._function, *self._args)


class Workers:
    """`RunBlocking` by at most `threads_max` threads, which come when there is work and go when there is none."""

    def __init__(self, threads_max: int) -> None:
        self._threads_max = threads_max
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = Lock()
        """Around what follows, and whether a job has begun."""
        self._threads = self._unfinished = 0
        self._inbox: _Inbox | None = None

    def __repr__(self) -> str:
        return f"<Workers {self._threads} of {self._threads_max} threads, {self._jobs.qsize()} jobs waiting>"

    async def __call__(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """The function's result, or its exception. Cancelled only while the job waits for a thread."""
        await trio.lowlevel.checkpoint_if_cancelled()
        token = trio.lowlevel.current_trio_token()
        if self._inbox is None or self._inbox.token is not token:
            self._inbox = _Inbox(token)
        job = _Job(self._inbox, function, args)
        with self._lock:
            self._jobs.put(job)
            self._unfinished += 1
            if self._unfinished > self._threads and self._threads < self._threads_max:
                self._threads += 1
                Thread(target=self._work, name="worker", daemon=True).start()

        def abort(_: object) -> trio.lowlevel.Abort:
            with self._lock:
                job.dropped = not job.begun
            return trio.lowlevel.Abort.SUCCEEDED if job.dropped else trio.lowlevel.Abort.FAILED

        await trio.lowlevel.wait_task_rescheduled(abort)
        result: T = job.outcome.unwrap()
        return result

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.do()
            with self._lock:
                self._unfinished -= 1
            job.inbox.put(job.task)
            del job  # not to be held while it waits for another

    def _next(self) -> _Job | None:
        """None when there has been nothing to do for long."""
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._threads -= 1
                        return None
                continue
            with self._lock:
                job.begun = not job.dropped
                self._unfinished -= job.dropped
            if job.begun:
                return job
