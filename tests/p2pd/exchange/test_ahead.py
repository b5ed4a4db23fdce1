"""What is read ahead of being sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pd.exchange import ahead as ahead_module
from p2pd.exchange.ahead import AHEAD_BYTES, FAST_PER_S, ReadAhead, Upload
from tests.fakes.network import MemoryNetwork

from .helpers import full_set, make_member, make_release, start

PIECE = bytes(AHEAD_BYTES // 4)


class Owed:
    """Pieces that are owed, and how many of them were read."""

    def __init__(self, count: int) -> None:
        self.count, self.asked, self.read, self.told = count, 0, 0, 0
        self.nobody: trio.Event | None = None
        """Until this nothing is found, and then neither."""

    async def next(self) -> Upload | None:
        """The next one."""
        self.asked += 1
        await trio.lowlevel.checkpoint()
        if self.nobody is not None:
            await self.nobody.wait()
            self.nobody = None
            return None
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


async def make_fast(ahead: ReadAhead) -> None:
    """A piece left at 10 Gbit/s and more; the next are read."""
    ahead.look()
    await ahead.take()
    ahead.sent(100 * FAST_PER_S, trio.current_time(), more=True)
    await wait_all_tasks_blocked()


async def test_on_a_slow_link_a_piece_is_read_when_it_is_its_turn(autojump_clock: MockClock) -> None:
    owed = Owed(5)
    async with reading(owed) as ahead:
        ahead.look()
        await wait_all_tasks_blocked()
        assert (owed.read, owed.told) == (0, 1)
        assert await ahead.take() == (b"swarm", 1, PIECE)
        assert owed.read == 1


async def test_on_a_slow_link_the_next_one_is_read_when_the_last_has_left(autojump_clock: MockClock) -> None:
    owed = Owed(5)
    async with reading(owed) as ahead:
        ahead.look()
        await ahead.take()
        ahead.sent(len(PIECE), trio.current_time(), more=True)
        assert await ahead.take() == (b"swarm", 2, PIECE)


async def test_who_sends_is_not_told_of_what_is_owed_meanwhile_and_takes_it_afterwards(
    autojump_clock: MockClock,
) -> None:
    owed = Owed(2)
    async with reading(owed) as ahead:
        ahead.look()
        await ahead.take()
        ahead.look()
        assert owed.told == 1
        ahead.sent(len(PIECE), trio.current_time(), more=False)
        assert await ahead.take() == (b"swarm", 2, PIECE)


async def test_where_nothing_more_is_owed_nobody_is_asked_for_it(autojump_clock: MockClock) -> None:
    owed = Owed(1)
    async with reading(owed) as ahead:
        ahead.look()
        await ahead.take()
        ahead.sent(len(PIECE), trio.current_time(), more=False)
        assert await ahead.take() is None
        assert owed.asked == 1


async def test_on_a_fast_link_some_wait_while_one_is_sent(autojump_clock: MockClock) -> None:
    owed = Owed(20)
    async with reading(owed) as ahead:
        await make_fast(ahead)
        await ahead.take()
        await wait_all_tasks_blocked()
        assert owed.read - 2 == AHEAD_BYTES / len(PIECE)


async def test_on_a_fast_link_nobody_reads_beside_who_reads_ahead(autojump_clock: MockClock) -> None:
    owed = Owed(20)
    async with reading(owed) as ahead:
        ahead.look()
        await ahead.take()
        ahead.sent(100 * FAST_PER_S, trio.current_time(), more=True)
        assert await ahead.take() is None
        assert owed.read == 1


async def test_who_was_sent_away_while_one_was_read_ahead_is_told_when_the_link_is_slow_again(
    autojump_clock: MockClock,
) -> None:
    owed = Owed(2)
    async with reading(owed) as ahead:
        await make_fast(ahead)
        await ahead.take()
        owed.nobody = trio.Event()  # the next is being looked for, and is not there
        ahead.look()
        await wait_all_tasks_blocked()
        await trio.sleep(60)
        ahead.sent(1, trio.current_time(), more=True)
        assert await ahead.take() is None
        told, owed.count = owed.told, 3
        owed.nobody.set()
        await wait_all_tasks_blocked()
        assert owed.told > told
        assert await ahead.take() is not None


async def test_what_is_owed_later_is_read_when_one_looks_again(autojump_clock: MockClock) -> None:
    owed = Owed(0)
    async with reading(owed) as ahead:
        ahead.look()
        assert await ahead.take() is None
        owed.count = 1
        ahead.look()
        assert await ahead.take() is not None


async def test_a_connection_that_turns_out_fast_goes_on_with_pieces_read_ahead(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead_module, "FAST_PER_S", 1.0)
    manifest, parts, swarm = make_release(60)
    network = MemoryNetwork()
    seed = make_member(network, "seed", "daemon", manifest, swarm, full_set(parts))
    peer = make_member(network, "peer", "daemon", manifest, swarm, {})
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            await start(nursery, [seed, peer])
            await peer.membership.completed.wait()
            nursery.cancel_scope.cancel()
    assert peer.content.pieces == full_set(parts)
