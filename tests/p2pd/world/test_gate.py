"""Who is next at the gate of a listener, and who is not, under the virtual clock."""

import pytest
import trio
from trio.testing import MockClock

from p2pd.world import gate
from p2pd.world.gate import BEGINS_PER_S, Gate, Places


class Crowd:
    """Who come to a gate, and in which order they got in. Each stays inside for `stay_s`."""

    def __init__(self, stay_s: float = 1.0) -> None:
        self.gate, self.stay_s = Gate(), stay_s
        self.inside: list[str] = []
        self.refused: list[str] = []
        self.gone: set[str] = set()

    async def come(self, name: str, source: str = "") -> None:
        try:
            async with self.gate.place(source or name, lambda: name in self.gone):
                self.inside.append(name)
                await trio.sleep(self.stay_s)
        except (trio.BrokenResourceError, trio.TooSlowError):
            self.refused.append(name)

    async def come_in_order(self, nursery: trio.Nursery, *names: str, source: str = "") -> None:
        for name in names:
            nursery.start_soon(self.come, name, source)
            await trio.testing.wait_all_tasks_blocked()


async def test_who_came_last_is_next(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PLACES", 1)
    crowd = Crowd()
    async with trio.open_nursery() as nursery:
        await crowd.come_in_order(nursery, "first", "a", "b", "c", "d")
    assert crowd.inside == ["first", "a", "d", "c", "b"]  # a had its turn already, and waited for a place


async def test_nothing_is_spent_on_who_gave_up(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PLACES", 1)
    monkeypatch.setattr(gate, "BEGINS_SAVED_MAX", 1.0)
    crowd, gone = Crowd(), [f"gone {number}" for number in range(int(BEGINS_PER_S))]
    async with trio.open_nursery() as nursery:
        await crowd.come_in_order(nursery, "first", "second", *gone)
        crowd.gone = set(gone)
    assert crowd.inside == ["first", "second"]
    assert sorted(crowd.refused) == sorted(gone)
    assert trio.current_time() == pytest.approx(2 * crowd.stay_s, abs=0.1)


async def test_who_waited_longest_of_too_many_is_turned_away(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PLACES", 1)
    monkeypatch.setattr(gate, "WAITING_MAX", 2)
    crowd = Crowd()
    async with trio.open_nursery() as nursery:
        await crowd.come_in_order(nursery, "first", "next", "a", "b", "c", "d")
        assert crowd.refused == ["a", "b"]
    assert crowd.inside == ["first", "next", "d", "c"]


async def test_one_source_does_not_take_all_places(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PLACES_PER_SOURCE", 3)
    crowd = Crowd()
    async with trio.open_nursery() as nursery:
        await crowd.come_in_order(nursery, *(f"many {n}" for n in range(10)), source="one address")
        await crowd.come_in_order(nursery, "other")
        assert crowd.inside == ["many 0", "many 1", "many 2", "other"]
    assert len(crowd.inside) == 11


async def test_who_stops_waiting_leaves_the_turn_to_others(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PLACES", 1)
    crowd = Crowd()
    async with trio.open_nursery() as nursery:
        await crowd.come_in_order(nursery, "first", "second", "third")
        async with trio.open_nursery() as impatient:
            await crowd.come_in_order(impatient, "impatient")
            impatient.cancel_scope.cancel()
    assert crowd.inside == ["first", "second", "third"]


async def test_a_turn_that_is_given_to_who_was_just_cancelled_goes_on_to_the_next() -> None:
    places, inside = Places(1), list[str]()

    async def come(name: str) -> None:
        async with places:
            inside.append(name)

    async with trio.open_nursery() as nursery, trio.open_nursery() as cancelled:
        async with places:
            nursery.start_soon(come, "next")
            await trio.testing.wait_all_tasks_blocked()
            cancelled.start_soon(come, "cancelled")
            await trio.testing.wait_all_tasks_blocked()
            cancelled.cancel_scope.cancel()  # its task has not run yet when the place is free
    assert inside == ["next"]
    assert places.free == 1


async def test_in_the_long_run_so_many_begin_a_second(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BEGINS_SAVED_MAX", 50.0)
    crowd, many = Crowd(stay_s=0.0), round(50 + 2 * BEGINS_PER_S)
    async with trio.open_nursery() as nursery:
        for number in range(many):
            nursery.start_soon(crowd.come, str(number))
    assert len(crowd.inside) == many
    assert trio.current_time() == pytest.approx(2.0, abs=0.1)


async def test_who_is_cancelled_while_the_pace_is_kept_takes_no_place_with_him(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PLACES", 1)
    monkeypatch.setattr(gate, "BEGINS_SAVED_MAX", 0.0)
    crowd = Crowd()
    with trio.move_on_after(0.5 / BEGINS_PER_S):
        await crowd.come("cancelled")
    await crowd.come("next")
    assert crowd.inside == ["next"]
