"""How often a neighbour is asked for more, and how much: by how fast it is, and by what a shield can spare."""

from p2pd.policy.sources import Tier
from p2pd.wire.messages import Have

from .driver import Driver


def requests_per_message(bytes_per_s: float) -> float:
    """How many pieces one neighbour of such a rate is asked for at a time, after 3 s."""
    swarm = Driver(4_000, piece_bytes=256 * 1024)
    swarm.peer("a")
    while swarm.now < 3.0:
        swarm.wait(swarm.piece_bytes / bytes_per_s)
        swarm.bring("a", swarm.owed_first("a"))
    asked, messages = len(swarm.asked()), 0
    for _ in range(40):
        before = len(swarm.asked())
        swarm.wait(swarm.piece_bytes / bytes_per_s)
        swarm.bring("a", swarm.owed_first("a"))
        messages += len(swarm.asked()) > before
    return (len(swarm.asked()) - asked) / messages


def test_a_fast_peer_is_asked_for_several_pieces_at_a_time_and_a_slow_one_for_each_as_it_can() -> None:
    assert requests_per_message(100e6) > 4
    assert requests_per_message(5e6) < 1.5


def test_what_a_shield_names_though_peers_hold_it_is_asked_of_it_however_much_they_owe_us() -> None:
    swarm = Driver(100)
    swarm.peer("peer")
    swarm.peer("shield", 0, Tier.SHIELD)
    owed = len(swarm.owed("peer"))
    assert owed < 99
    swarm.say("shield", Have(0, (98, 99)))
    assert set(swarm.asked("shield")) == {98, 99} - set(swarm.asked("peer"))
    assert len(swarm.owed("peer")) == owed
