"""What a request says besides the piece: how far its sender is."""

from p2pd.swarm.actions import Serve
from p2pd.wire import bits
from p2pd.wire.messages import Have, Request

from .driver import Driver


def test_who_asks_says_how_many_pieces_it_lacks() -> None:
    swarm = Driver(100, bits.of(range(90)))
    swarm.peer("a", bits.of([95, 96]))
    swarm.serve_all("a")
    swarm.say("a", Have(0, (97,)))
    assert [(request.piece, request.lacking) for request in swarm.sent(Request)][-1] == (97, 8)


def test_a_source_learns_what_share_of_the_pieces_the_other_lacks() -> None:
    swarm = Driver(100, bits.full(100))
    swarm.peer("a", 0)
    assert swarm.say("a", Request(0, 3, 25)) == [Serve("a", 3, 0.25)]


def test_a_shield_serves_whom_it_names_pieces_to_however_much_they_lack() -> None:
    shield = Driver(100, bits.full(100), super_seeding=True)
    shield.peer("a", 0)
    named = shield.named("a")[0]
    assert shield.say("a", Request(0, named, 100)) == [Serve("a", named, 0.0)]
