"""What wakes a task."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pd.exchange.bell import Bell


async def test_who_waits_hears_it(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    bell, heard = Bell(), list[float]()

    async def hear() -> None:
        await bell.wait()
        heard.append(trio.current_time())

    nursery.start_soon(hear)
    await trio.sleep(1)
    bell.ring()
    bell.ring()
    await wait_all_tasks_blocked()
    assert heard == [trio.current_time()]


async def test_what_rang_while_nobody_waited_is_heard(autojump_clock: MockClock) -> None:
    bell = Bell()
    bell.ring()
    with trio.fail_after(1):
        await bell.wait()


async def test_what_was_hushed_is_not(autojump_clock: MockClock) -> None:
    bell = Bell()
    bell.ring()
    bell.hush()
    with pytest.raises(trio.TooSlowError), trio.fail_after(1):
        await bell.wait()


async def test_who_waits_no_longer_is_not_woken(autojump_clock: MockClock) -> None:
    bell = Bell()
    with trio.move_on_after(1):
        await bell.wait()
    bell.ring()
    await trio.sleep(1)
    assert repr(bell) == "<Bell rung>"
