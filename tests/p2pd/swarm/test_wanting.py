"""Asking for some of the pieces only: the rest comes another way, or is not needed."""

from p2pd.swarm import Complete
from p2pd.wire import bits
from p2pd.wire.messages import Cancel, Want

from .driver import Driver


def test_only_what_is_wanted_is_asked_for() -> None:
    swarm = Driver(100)
    swarm.brain.want(bits.of([3, 70]), 0.0)
    swarm.peer("a")
    assert sorted(swarm.asked("a")) == [3, 70]


def test_what_is_wanted_no_longer_is_taken_back() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    owed = swarm.owed("a")
    swarm.brain.want(bits.of(owed[:1]), 0.0)
    swarm.settle()
    assert sorted(cancel.piece for cancel in swarm.sent(Cancel, "a")) == sorted(owed[1:])


def test_nothing_wanted_is_no_reason_to_wait_or_to_ask_shields_or_http() -> None:
    swarm = Driver(10)
    swarm.brain.use_origin(True, 0.0)
    swarm.brain.want(0, 0.0)
    swarm.wait(60)
    assert swarm.sent(Want) == []
    assert swarm.fetched() == []
    assert swarm.brain.snapshot(swarm.now).waits_for == ""


def test_a_swarm_is_complete_with_every_piece_and_not_with_the_wanted_ones() -> None:
    swarm = Driver(3)
    swarm.brain.want(bits.of([0]), 0.0)
    swarm.peer("a")
    swarm.serve_all("a")
    assert not swarm.brain.complete
    for piece in (1, 2):
        swarm.brain.stored(piece, 0.0)
    swarm.settle()
    assert [deed for deed in swarm.deeds if isinstance(deed, Complete)] == [Complete()]


def test_more_that_is_wanted_is_asked_for_within_one_tick() -> None:
    swarm = Driver(10)
    swarm.brain.want(0, 0.0)
    swarm.peer("a")
    swarm.wait(100)
    swarm.brain.want(bits.full(10), swarm.now)
    swarm.wait(0.25)
    swarm.serve_all("a")
    assert swarm.brain.complete
