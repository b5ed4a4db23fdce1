"""What is read ahead of being sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pd.exchange.ahead import AHEAD_BYTES, FAST_PER_S, ReadAhead, Upload

PIECE = bytes(AHEAD_BYTES // 4)


class Owed:
    """Pieces that are owed, and how many of them were read."""

    def __init__(self, count: int) -> None:
        self.count, self.asked, self.read, self.told = count, 0, 0, 0

    async def next(self) -> Upload | None:
        """The next one."""
        self.asked += 1
        await trio.lowlevel.checkpoint()
        if self.read == self.count:
            return None
        self.read += 1
        return b"swarm", self.read, PIECE

    def tell(self) -> None:
        """One is there."""
        self.told += 1


@asynccontextmanager
async def reading(owed: Owed) -> AsyncIterator[ReadAhead]:
    """At work."""
    ahead = ReadAhead(owed.next, owed.tell)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ahead.run)
        await wait_all_tasks_blocked()
        yield ahead
        nursery.cancel_scope.cancel()


async def test_a_piece_is_read_before_somebody_asks_for_it(autojump_clock: MockClock) -> None:
    owed = Owed(5)
    async with reading(owed) as ahead:
        assert (owed.read, owed.told) == (1, 1)
        assert ahead.take() == (b"swarm", 1, PIECE)


async def test_on_a_slow_link_the_next_one_is_read_when_the_last_has_left(autojump_clock: MockClock) -> None:
    owed = Owed(5)
    async with reading(owed) as ahead:
        ahead.take()
        await wait_all_tasks_blocked()
        assert owed.read == 1
        ahead.sent(len(PIECE), trio.current_time(), more=True)
        await wait_all_tasks_blocked()
        assert owed.read == 2


async def test_on_a_slow_link_what_is_owed_while_one_is_sent_is_read_when_that_has_left(
    autojump_clock: MockClock,
) -> None:
    owed = Owed(1)
    async with reading(owed) as ahead:
        ahead.take()
        owed.count = 2
        ahead.look()
        await wait_all_tasks_blocked()
        assert owed.asked == 1
        ahead.sent(len(PIECE), trio.current_time(), more=True)
        await wait_all_tasks_blocked()
        assert owed.read == 2


async def test_where_nothing_more_is_owed_nobody_is_asked_for_it(autojump_clock: MockClock) -> None:
    owed = Owed(1)
    async with reading(owed) as ahead:
        ahead.take()
        ahead.sent(len(PIECE), trio.current_time(), more=False)
        await wait_all_tasks_blocked()
        assert owed.asked == 1


async def test_on_a_fast_link_some_wait_while_one_is_sent(autojump_clock: MockClock) -> None:
    owed = Owed(20)
    async with reading(owed) as ahead:
        ahead.take()
        ahead.sent(100 * FAST_PER_S, trio.current_time(), more=True)
        await wait_all_tasks_blocked()
        ahead.take()
        await wait_all_tasks_blocked()
        assert owed.read - 2 == AHEAD_BYTES / len(PIECE)


async def test_what_is_owed_later_is_read_when_one_looks_again(autojump_clock: MockClock) -> None:
    owed = Owed(0)
    async with reading(owed) as ahead:
        assert ahead.take() is None
        owed.count = 1
        ahead.look()
        await wait_all_tasks_blocked()
        assert ahead.take() is not None
