"""Threads for blocking jobs."""

import threading
from functools import partial

import pytest
import trio

from p2pd.world.workers import Workers

TIMEOUT_S = 30


class Hold:
    """A job that ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()

    def __call__(self) -> threading.Thread:
        """Who did it."""
        self.begun.set()
        assert self.end.wait(TIMEOUT_S)
        return threading.current_thread()


async def _until(event: threading.Event) -> None:
    with trio.fail_after(TIMEOUT_S):
        while not event.is_set():
            await trio.sleep(0.001)


async def test_a_jobs_exception_is_its_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        await Workers(1)(divmod, 1, 0)


async def test_a_second_job_waits_for_the_only_thread() -> None:
    workers, first, second = Workers(1), Hold(), Hold()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(workers, first)
        await _until(first.begun)
        nursery.start_soon(workers, second)
        await trio.sleep(0.01)
        assert not second.begun.is_set()
        first.end.set()
        await _until(second.begun)
        second.end.set()


async def test_a_free_thread_takes_the_next_job_and_no_other_is_started() -> None:
    workers = Workers(8)
    assert len({await workers(threading.current_thread) for _ in range(20)}) == 1


async def test_a_job_that_nobody_has_begun_is_dropped_with_its_caller() -> None:
    workers, first, second = Workers(1), Hold(), Hold()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(workers, first)
        await _until(first.begun)
        with trio.move_on_after(0.01) as waiting:
            await workers(second)
        assert waiting.cancelled_caught
        first.end.set()
    assert await workers(int) == 0
    assert not second.begun.is_set()


async def test_a_job_that_has_begun_is_waited_for() -> None:
    workers, hold, seen = Workers(1), Hold(), list[threading.Thread]()

    async def run() -> None:
        seen.append(await workers(hold))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await _until(hold.begun)
        nursery.cancel_scope.cancel()
        hold.end.set()
    assert len(seen) == 1


async def test_many_jobs_give_each_caller_its_own_answer() -> None:
    workers, answers = Workers(2), dict[int, int]()

    async def ask(number: int) -> None:
        answers[number] = await workers(partial(pow, number, 2))

    async with trio.open_nursery() as nursery:
        for number in range(2_000):
            nursery.start_soon(ask, number)
    assert answers == {number: number**2 for number in range(2_000)}


def test_the_same_threads_serve_one_loop_after_another() -> None:
    workers = Workers(2)
    assert [trio.run(workers, divmod, number, 3) for number in (7, 8)] == [(2, 1), (2, 2)]
