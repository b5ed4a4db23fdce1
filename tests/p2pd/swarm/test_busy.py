"""What the asking half does when it is told that a peer is busy."""

from p2pd.swarm.fetching import BUSY_S
from p2pd.wire.messages import Reject

from .driver import Driver


def test_a_busy_peer_is_owed_no_more_than_it_took_until_it_brings_something() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    first = swarm.asked("a")
    swarm.say("a", Reject(0, first[-1], "busy"))
    swarm.settle()
    assert swarm.asked("a") == first
    swarm.bring("a", first[0])
    assert len(swarm.asked("a")) == len(first) + 2
    for piece in first[1:3]:
        swarm.bring("a", piece)
    assert len(swarm.asked("a")) == len(first) + 4


def test_a_busy_peer_that_owes_nothing_is_asked_again_a_moment_later() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    first = swarm.asked("a")
    for piece in first:
        swarm.say("a", Reject(0, piece, "busy"))
    assert swarm.asked("a") == first
    swarm.wait(0.49 * BUSY_S)
    assert swarm.asked("a") == first
    swarm.wait(1.5 * BUSY_S)
    assert len(swarm.asked("a")) > len(first)
