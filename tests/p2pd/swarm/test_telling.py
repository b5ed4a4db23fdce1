"""What a brain tells others: its news, its losses, and why it does not move."""

from collections.abc import Callable

import pytest

from p2pd.policy.sources import Tier
from p2pd.swarm import ORIGIN
from p2pd.wire import bits
from p2pd.wire.messages import Cancel, Have, Lost, Request

from .driver import Driver


def test_stored_pieces_are_told_together_to_those_who_lack_them() -> None:
    swarm = Driver(10)
    swarm.peer("rich")
    swarm.peer("poor", 0)
    swarm.bring("rich", 1)
    swarm.bring("rich", 2)
    swarm.wait(0.1)
    assert swarm.sent(Have) == [Have(0, (1, 2))]
    assert swarm.sent(Have, "poor")


def crowd_with(held: int, brought: int) -> Driver:
    """One who held so many pieces and is brought some more, beside a source and 16 peers that have none."""
    swarm = Driver(40, bits.full(held))
    swarm.peer("rich")
    for number in range(16):
        swarm.peer(f"poor-{number}", 0)
    for piece in range(held, held + brought):
        swarm.bring("rich", piece)
    return swarm


def test_a_crowd_is_told_a_little_later_of_fewer_pieces_than_it_has_members() -> None:
    one, many = crowd_with(held=20, brought=16), crowd_with(held=20, brought=17)
    for swarm in (one, many):
        swarm.wait(0.1)
    assert one.sent(Have) == []
    assert len(many.sent(Have)) == 16
    one.wait(0.2)
    assert len(one.sent(Have)) == 16


def test_a_crowd_is_told_of_the_first_piece_at_once() -> None:
    swarm = crowd_with(held=0, brought=1)
    swarm.wait(0.1)
    assert len(swarm.sent(Have)) == 16


def few_with(held: int) -> Driver:
    """One who held so many of 40 pieces and is brought another, beside a source and two peers that have none."""
    swarm = Driver(40, bits.full(held))
    swarm.peer("rich")
    swarm.peer("poor-1", 0)
    swarm.peer("poor-2", 0)
    swarm.bring("rich", held)
    return swarm


def test_amid_a_download_a_few_are_told_a_little_later() -> None:
    swarm = few_with(held=20)
    swarm.wait(0.08)
    assert swarm.sent(Have) == []
    swarm.wait(0.03)
    assert len(swarm.sent(Have)) == 2


@pytest.mark.parametrize("held", [2, 37])
def test_while_it_is_young_or_ends_they_are_told_soon(held: int) -> None:
    swarm = few_with(held)
    swarm.wait(0.06)
    assert len(swarm.sent(Have)) == 2


def test_a_lost_piece_is_told_to_all_and_asked_for_again() -> None:
    swarm = Driver(10, bits.full(10))
    swarm.peer("a")
    swarm.brain.lose(4, swarm.now)
    swarm.wait(1.0)
    assert swarm.sent(Lost, "a") == [Lost(0, (4,))]
    assert swarm.asked("a") == [4]


def test_a_piece_lost_before_it_was_told_of_is_not_told_of() -> None:
    swarm = Driver(10)
    swarm.peer("rich")
    swarm.peer("poor", 0)
    swarm.bring("rich", 1)
    swarm.brain.lose(1, swarm.now)
    swarm.wait(0.1)
    assert swarm.sent(Have) == []


def test_a_piece_that_we_have_is_served_until_it_is_taken_back() -> None:
    swarm = Driver(10, bits.of([3]))
    swarm.peer("a", 0)
    swarm.say("a", Request(0, 3))
    assert swarm.served() == [("a", 3)]
    (withdrawn,) = swarm.say("a", Cancel(0, 3))
    assert repr(withdrawn) == "Withdraw(peer='a', piece=3)"


def test_a_plain_node_shows_what_it_has() -> None:
    assert Driver(10, bits.of([3])).brain.opening_bits() == bits.of([3])


def test_bytes_are_counted_by_where_they_came_from() -> None:
    swarm = Driver(10)
    swarm.peer("near", bits.of([0]))
    swarm.peer("far", bits.of([1]), Tier.REMOTE)
    swarm.bring("near", 0)
    swarm.bring("far", 1)
    assert swarm.brain.snapshot(swarm.now).bytes_by_tier == {"region": 1000, "remote": 1000}


@pytest.mark.parametrize(
    "ours, theirs, nothing_left",
    [(10, 10, True), (10, 9, False), (9, 10, False)],
)
def test_two_that_have_everything_have_nothing_more_to_exchange(ours: int, theirs: int, nothing_left: bool) -> None:
    swarm = Driver(10, bits.full(ours))
    swarm.peer("a", bits.full(theirs))
    assert swarm.brain.exhausted("a") is nothing_left


# -- why it does not move --------------------------------------------------------------------------------------


def nobody(swarm: Driver) -> None:
    """No peer, no HTTP."""


def nobody_but_http(swarm: Driver) -> None:
    swarm.brain.use_origin(True, 0.0)
    swarm.wait(0.9)
    swarm.brain.handle_timer(swarm.now)


def silent_peer(swarm: Driver) -> None:
    swarm.peer("silent-peer")


def silent_http(swarm: Driver) -> None:
    swarm.brain.use_origin(True, 0.0)
    swarm.wait(1.5)


def unheld(swarm: Driver) -> None:
    swarm.peer("poor", 0)


def unheld_with_shield(swarm: Driver) -> None:
    swarm.peer("shield", 0, Tier.SHIELD)


def snubbed(swarm: Driver) -> None:
    swarm.peer("silent-peer")
    swarm.wait(3.5)


def paused(swarm: Driver) -> None:
    swarm.brain.pause()


def complete(swarm: Driver) -> None:
    swarm.peer("a")
    swarm.serve_all("a")


def moving(swarm: Driver) -> None:
    swarm.wait(2.0)
    swarm.brain.arrived(ORIGIN, 1, 2.0)
    swarm.now = 1.5


@pytest.mark.parametrize(
    "cause, words",
    [
        (nobody, "a peer: none is known that has this release; no HTTP origin answers"),
        (nobody_but_http, "a peer: none is known that has this release; HTTP is asked 1 s after that"),
        (silent_peer, "an answer from silent-p (1 s without a byte)"),
        (silent_http, "an answer from the HTTP origin (3 s without a byte)"),
        (unheld, "10 of 10 missing pieces that none of 1 peers holds; no shield is connected; no HTTP origin answers"),
        (
            unheld_with_shield,
            "10 of 10 missing pieces that none of 1 peers holds; asked 1 shield(s) for them; no HTTP origin answers",
        ),
        (snubbed, "1 peer(s) that hold the missing pieces but are busy or were silent for too long"),
        (paused, "paused by the user"),
        (complete, ""),
        (moving, ""),
    ],
)
def test_a_stall_is_explained(cause: Callable[[Driver], None], words: str) -> None:
    swarm = Driver(10)
    cause(swarm)
    assert swarm.brain.snapshot(swarm.now + 1.2).waits_for == words


def test_a_snapshot_tells_how_far_it_is_and_how_long_it_takes() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    for _ in range(50):
        swarm.wait(0.1)
        swarm.bring("a", swarm.owed("a")[0])
    seen = swarm.brain.snapshot(swarm.now)
    assert (seen.present, seen.pieces, seen.missing_bytes) == (50, 100, 50_000)
    assert seen.eta_s == pytest.approx(5.0, rel=0.15)
    assert seen.peers[0].bytes_received == 50_000
