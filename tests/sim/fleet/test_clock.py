"""The virtual clock, and what of trio it leans on."""

import subprocess
import sys
from random import Random

import pytest
import trio
from trio._core import _run as scheduler
from trio.testing import MockClock

from sim.clock import PRIVATE, SimClock
from sim.errors import SimError
from sim.net.waiter import Waiter

RACE = """
import trio
from sim.clock import SimClock
order = []
async def wait(event, name):
    await event.wait()
    order.append(name)
async def main():
    event = trio.Event()
    async with trio.open_nursery() as nursery:
        for name in range(12):
            nursery.start_soon(wait, event, name)
        await trio.sleep(1)
        event.set()
ballast = [bytearray({ballast}) for _ in range({ballast})]
SimClock().run(main, rng_seed={rng_seed})
print(order)
"""


def race(rng_seed: int, ballast: int) -> str:
    """The order in which twelve waiters wake, in a process whose memory is laid out differently."""
    program = RACE.format(rng_seed=rng_seed, ballast=ballast)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize("name", PRIVATE)
def test_trio_still_has_the_private_name(name: str) -> None:
    assert hasattr(scheduler, name), f"trio {trio.__version__} has no {name}: sim/clock.py must find another way"


def test_trio_still_jumps_by_the_names_that_the_clock_replaces() -> None:
    clock = MockClock()
    assert callable(clock._autojump), "MockClock._autojump is gone: sim/clock.py must find another way"
    assert isinstance(scheduler._r, Random)


def test_trio_still_wakes_a_task_that_a_waiter_parked() -> None:
    waiter = Waiter()

    async def main() -> float:
        clock.at(2.0, waiter.wake)
        await waiter.park()
        return trio.current_time()

    clock = SimClock()
    assert clock.run(main, rng_seed=1) == 2.0


def test_trio_still_cancels_a_task_that_a_waiter_parked() -> None:
    waiter = Waiter()

    async def main() -> None:
        with trio.move_on_after(3):
            await waiter.park()
        assert trio.current_time() == 3
        waiter.wake()  # nobody is there any more

    SimClock().run(main, rng_seed=1)


def test_trio_still_lets_the_run_loop_be_looked_at() -> None:
    async def look() -> tuple[int, float]:
        runner = scheduler.GLOBAL_RUN_CONTEXT.runner
        runner.deadlines.expire(0.0)
        return len(runner.runq), runner.deadlines.next_deadline()

    assert trio.run(look) == (0, float("inf"))


def test_a_seed_gives_one_schedule_wherever_memory_puts_the_tasks() -> None:
    assert len({race(7, ballast) for ballast in (1, 300, 777)}) == 1


def test_another_seed_gives_another_schedule() -> None:
    assert race(7, 1) != race(8, 1)


def test_events_happen_at_their_time_between_the_sleeps_of_tasks() -> None:
    clock, seen = SimClock(), list[tuple[str, float]]()

    async def main() -> None:
        clock.at(2.0, lambda: seen.append(("event", clock.now)))
        await trio.sleep(1)
        seen.append(("task", trio.current_time()))
        await trio.sleep(2)
        seen.append(("task", trio.current_time()))

    clock.run(main, rng_seed=1)
    assert seen == [("task", 1.0), ("event", 2.0), ("task", 3.0)]


def test_events_of_one_time_happen_in_the_order_of_their_booking() -> None:
    clock, seen = SimClock(), list[int]()

    async def main() -> None:
        for number in range(5):
            clock.at(1.0, seen.append, number)
        await trio.sleep(2)

    clock.run(main, rng_seed=1)
    assert seen == [0, 1, 2, 3, 4]


def test_a_task_that_is_woken_by_an_event_runs_at_the_time_of_the_event() -> None:
    clock = SimClock()

    async def main() -> float:
        woken = trio.Event()
        clock.at(0.25, woken.set)
        with trio.fail_after(10):
            await woken.wait()
        return trio.current_time()

    assert clock.run(main, rng_seed=1) == 0.25


def test_tasks_that_are_woken_within_the_grain_run_together_and_events_keep_their_times() -> None:
    clock, events, turns = SimClock(grain_s=0.01), list[float](), list[tuple[float, int]]()

    async def sleep(seconds: float) -> None:
        await trio.sleep(seconds)
        turns.append((clock.now, len(events)))

    async def main() -> None:
        for when in (1.0, 1.005, 1.009, 1.02):
            clock.at(when, lambda: events.append(clock.now))
        async with trio.open_nursery() as nursery:
            for seconds in (1.001, 1.008, 1.5):
                nursery.start_soon(sleep, seconds)

    clock.run(main, rng_seed=1)
    assert events == [1.0, 1.005, 1.009, 1.02]
    assert turns == [(1.009, 3), (1.009, 3), (1.5, 4)]


def test_a_deadlock_is_found_at_once() -> None:
    with pytest.raises(SimError, match="deadlock at 3"):
        SimClock().run(_sleep_then_wait_for_ever, rng_seed=1)


async def _sleep_then_wait_for_ever() -> None:
    await trio.sleep(3)
    await trio.sleep_forever()


def test_the_dice_and_the_flag_are_as_before_after_a_run() -> None:
    before = (scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r.getstate())
    SimClock().run(trio.sleep, 1.0, rng_seed=5)
    assert (scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r.getstate()) == before
