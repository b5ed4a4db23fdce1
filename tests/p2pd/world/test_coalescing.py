"""Being woken less often."""

import pytest
import trio

from p2pd.world.coalescing import FOR_S, Coalescing


class Watch:
    """A clock that stands still, and all that was slept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def coalescing(self) -> Coalescing:
        return Coalescing(lambda: self.now, self.slept.append)


async def test_what_comes_soon_after_a_look_waits_for_the_next_one() -> None:
    watch = Watch()
    coalescing = watch.coalescing()
    coalescing(0.025)
    coalescing.after_io_wait(0.0)
    watch.now += 0.005
    coalescing.before_io_wait(60.0)
    coalescing(0.0)
    assert watch.slept == [pytest.approx(0.02)]


async def test_what_comes_after_a_rest_is_seen_at_once() -> None:
    watch = Watch()
    coalescing = watch.coalescing()
    coalescing(0.025)
    coalescing.after_io_wait(0.0)
    watch.now += 0.025
    coalescing.before_io_wait(60.0)
    coalescing(0.0)
    assert watch.slept == []


async def test_nobody_sleeps_past_a_deadline_nor_while_a_task_can_run() -> None:
    watch = Watch()
    coalescing = watch.coalescing()
    coalescing(0.025)
    coalescing.after_io_wait(0.0)
    coalescing.before_io_wait(0.0)
    coalescing.before_io_wait(0.003)
    coalescing(0.0)
    assert watch.slept == [0.003]


async def test_it_ends_by_itself_when_it_is_not_told_again() -> None:
    watch = Watch()
    coalescing = watch.coalescing()
    coalescing(0.025)
    watch.now += 1.01 * FOR_S
    coalescing.after_io_wait(0.0)
    coalescing.before_io_wait(60.0)
    assert watch.slept == []
    with pytest.raises(KeyError):
        trio.lowlevel.remove_instrument(coalescing)


async def test_trio_asks_it_before_it_waits() -> None:
    slept: list[float] = []
    coalescing = Coalescing(sleep=slept.append)
    coalescing(0.05)
    for _ in range(3):
        await trio.sleep(0.001)
    coalescing(0.0)
    seen = len(slept)
    await trio.sleep(0.001)
    assert seen == len(slept) > 0
