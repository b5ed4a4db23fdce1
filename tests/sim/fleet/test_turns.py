"""Turns that the simulator takes itself: what tasks see of them is what trio's own loop would show."""

import inspect
import signal
import weakref
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any

import pytest
import trio
from trio._core import _run, _traps

from sim.clock import SimClock
from sim.errors import SimError
from sim.turns import shuffle

TASK = ("_counter", "_next_send_fn", "_next_send", "_abort_func", "_cancel_status", "context")
RUNNER = ("runq", "instruments", "ki_pending", "waiting_for_idle", "task_exited", "main_task_outcome")

Story = Callable[[list[object]], Awaitable[None]]


class Idle(trio.abc.Instrument):
    """Does nothing; but where there is one, trio takes its turns itself."""

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """A task goes on."""


async def race(seen: list[object]) -> None:
    """Twelve tasks that wake, yield and sleep, some at the same time."""

    async def run(name: int) -> None:
        for step in range(5):
            if (name + step) % 3:
                await trio.lowlevel.checkpoint()
            else:
                await trio.sleep((name + step) % 4)
            seen.append((name, step, trio.current_time()))

    async with trio.open_nursery() as nursery:
        for name in range(12):
            nursery.start_soon(run, name)


async def crash(seen: list[object]) -> None:
    """A task ends with an error while its sisters wait."""

    async def wait(name: int) -> None:
        try:
            await trio.sleep_forever()
        finally:
            seen.append((name, trio.current_time()))

    async def fail() -> None:
        await trio.sleep(2)
        raise KeyError("it")

    try:
        async with trio.open_nursery() as nursery:
            for name in range(5):
                nursery.start_soon(wait, name)
            nursery.start_soon(fail)
    except* KeyError as errors:
        seen.append(repr(errors.exceptions[0]))


async def sleep(seen: list[object], seconds: float) -> None:
    await trio.sleep(seconds)
    seen.append(("slept", trio.current_time()))


async def hurry(seen: list[object]) -> None:
    """Deadlines that are past when they are set, and those that pass within a scope that is shielded."""
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleep, seen, 0.25)
        await trio.lowlevel.checkpoint()
        with trio.CancelScope() as late:
            late.deadline = trio.current_time()
            await trio.sleep(1)
        seen.append(trio.current_time())
    with trio.move_on_after(1), trio.CancelScope(shield=True):
        await trio.sleep(3)
        seen.append(trio.current_time())
    with trio.move_on_at(2) as scope:
        await trio.lowlevel.checkpoint()
    seen.append((scope.cancelled_caught, trio.current_time()))


async def rest(seen: list[object]) -> None:
    """Somebody waits until nobody else can run."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(race, seen)
        for count in range(12):
            nursery.start_soon(sleep, seen, count + 1.5)
            await trio.testing.wait_all_tasks_blocked()
            seen.append(("idle", trio.current_time()))
            await trio.sleep(1)
            await trio.testing.wait_all_tasks_blocked()
            seen.append(("idle again", trio.current_time()))


def schedule(story: Story, *, watched: bool) -> list[object]:
    """What a story tells, by our turns or by trio's."""
    seen: list[object] = []

    async def main() -> None:
        if watched:
            trio.lowlevel.add_instrument(Idle())
        await story(seen)

    SimClock(grain_s=0.5).run(main, rng_seed=3)
    return seen


@pytest.mark.parametrize("story", [race, crash, hurry, rest], ids=lambda story: story.__name__)
def test_a_story_goes_as_it_would_in_the_loop_of_trio(story: Story) -> None:
    assert schedule(story, watched=False) == schedule(story, watched=True) != []


def test_tasks_that_were_cancelled_are_gone_without_a_garbage_collector() -> None:
    held: list[weakref.ref[object]] = []

    class Ballast:
        """What a task holds."""

    async def wait() -> None:
        ballast = Ballast()
        held.append(weakref.ref(ballast))
        await trio.sleep_forever()

    async def main() -> None:
        for seconds in range(1, 5):
            with trio.move_on_at(seconds):
                async with trio.open_nursery() as nursery:
                    for _ in range(5):
                        nursery.start_soon(wait)
        await trio.sleep(1)
        assert [one for one in held if one() is not None] == []

    SimClock().run(main, rng_seed=1)


def test_tasks_are_shuffled_as_trio_would_with_the_same_dice() -> None:
    ours, theirs = Random(5), Random(5)
    for count in range(40):
        batch, copy = list(range(count)), list(range(count))
        shuffle(batch, ours.getrandbits)
        theirs.shuffle(copy)
        assert batch == copy


def test_who_talks_to_another_loop_than_that_of_trio_is_told() -> None:
    class Foreign:
        def __await__(self) -> Any:
            yield "a message of asyncio"

    async def main() -> None:
        await trio.sleep(1)
        await Foreign()

    with pytest.raises(SimError, match="a message of asyncio"):
        SimClock().run(main, rng_seed=1)


@pytest.fixture
def interrupts() -> Iterator[None]:
    """As they are for a command of a terminal: a shell's background job begins with them ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_ends_a_run_that_would_take_for_ever() -> None:
    clock, seen = SimClock(), list[float]()

    async def main() -> None:
        clock.at(5.0, signal.raise_signal, signal.SIGINT)
        while True:
            await trio.sleep(1)
            seen.append(clock.now)

    with pytest.raises(KeyboardInterrupt):
        clock.run(main, rng_seed=1)
    assert seen[-1] < 10


@pytest.mark.parametrize(("kind", "names"), [(_run.Task, TASK), (_run.Runner, RUNNER)])
def test_trio_still_has_what_a_turn_touches(kind: type, names: tuple[str, ...]) -> None:
    assert [name for name in names if not hasattr(kind, name)] == [], f"trio {trio.__version__}: mend sim/turns.py"


def test_the_loop_of_trio_is_still_the_one_that_was_shortened() -> None:
    source = inspect.getsource(_run.unrolled_run)
    steps = ("deadlines.expire(", "_autojump()", "batch.sort(", "_r.shuffle(", "context.run(", "task_exited(")
    places = [source.index(step) for step in steps]
    assert places == sorted(places)
    assert callable(_traps._real_async_yield)
