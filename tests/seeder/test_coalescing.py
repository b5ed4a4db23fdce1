"""One flight for each key."""

import pytest
import trio
import trio.testing

from seeder.shield.coalescing import SingleFlight


class Fetches:
    """Counts its fetches; each takes a virtual second."""

    def __init__(self) -> None:
        self.begun = 0
        self.under_way_max = 0
        self._under_way = 0

    async def __call__(self) -> int:
        self.begun += 1
        self._under_way += 1
        self.under_way_max = max(self.under_way_max, self._under_way)
        await trio.sleep(1)
        self._under_way -= 1
        return self.begun


@pytest.fixture
def fetches() -> Fetches:
    return Fetches()


async def test_all_who_ask_meanwhile_share_one_fetch(
    nursery: trio.Nursery, fetches: Fetches, autojump_clock: trio.testing.MockClock
) -> None:
    flights: SingleFlight[int] = SingleFlight(nursery, 4)
    answers: list[int] = []

    async def ask() -> None:
        answers.append(await flights.share("key", fetches))

    async with trio.open_nursery() as askers:
        for _ in range(200):
            askers.start_soon(ask)
    assert (answers, fetches.begun, flights.joined) == ([1] * 200, 1, 199)


async def test_a_fetch_outlives_the_asker_who_began_it(
    nursery: trio.Nursery, fetches: Fetches, autojump_clock: trio.testing.MockClock
) -> None:
    flights: SingleFlight[int] = SingleFlight(nursery, 4)
    with trio.move_on_after(0.5):
        await flights.share("key", fetches)
    with trio.fail_after(0.6):
        assert await flights.share("key", fetches) == 1


async def test_who_asks_later_makes_a_new_fetch(
    nursery: trio.Nursery, fetches: Fetches, autojump_clock: trio.testing.MockClock
) -> None:
    flights: SingleFlight[int] = SingleFlight(nursery, 4)
    assert [await flights.share("key", fetches), await flights.share("key", fetches)] == [1, 2]


async def test_only_so_many_fetches_run_at_once(
    nursery: trio.Nursery, fetches: Fetches, autojump_clock: trio.testing.MockClock
) -> None:
    flights: SingleFlight[int] = SingleFlight(nursery, 4)
    async with trio.open_nursery() as askers:
        for number in range(20):
            askers.start_soon(flights.share, str(number), fetches)
    assert (fetches.begun, fetches.under_way_max) == (20, 4)


async def test_a_fetch_whose_turn_comes_when_nobody_waits_any_more_is_dropped(
    nursery: trio.Nursery, fetches: Fetches, autojump_clock: trio.testing.MockClock
) -> None:
    flights: SingleFlight[int] = SingleFlight(nursery, 1)
    async with trio.open_nursery() as askers:
        askers.start_soon(flights.share, "first", fetches)
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0.5):
            await flights.share("given up", fetches)
    await trio.testing.wait_all_tasks_blocked()
    assert (fetches.begun, len(flights)) == (1, 0)
