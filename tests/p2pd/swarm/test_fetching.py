"""The asking half of the brain, told the time by hand."""

from itertools import pairwise

import pytest

from p2pd.policy.hedging import COPIES_MAX
from p2pd.policy.sources import ORIGIN_STALL_S, STALL_S, Tier
from p2pd.swarm import ORIGIN, Complete
from p2pd.swarm.fetching import TICK_S
from p2pd.wire import bits
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.messages import Cancel, Have, Lost, Ping, Reject, Request, Want

from .driver import Driver


def test_a_peer_is_asked_as_soon_as_it_joins() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    assert swarm.asked("a")


def test_a_peer_is_asked_only_for_what_it_holds() -> None:
    swarm = Driver(100)
    swarm.peer("a", bits.of([3, 70]))
    assert sorted(swarm.asked("a")) == [3, 70]


def test_news_of_a_piece_leads_to_a_request() -> None:
    swarm = Driver(100)
    swarm.peer("a", 0)
    swarm.say("a", Have(0, (7,)))
    assert swarm.asked("a") == [7]


def test_the_rarest_pieces_are_asked_for_first() -> None:
    swarm = Driver(64)
    swarm.brain.pause()
    common, rare = bits.full(64) & ~bits.of(range(8)), bits.of(range(8))
    for number in range(5):
        swarm.peer(f"poor{number}", common)
    swarm.peer("rich", common | rare)
    for number in range(5):
        swarm.brain.remove_peer(f"poor{number}", 0.0)
        swarm.peer(f"idle{number}", common)
        swarm.say(f"idle{number}", Reject(0, 10, "busy"))
    swarm.brain.resume(0.0)
    swarm.settle()
    assert sum(piece < 8 for piece in swarm.asked("rich")[:4]) >= 2


def test_two_peers_are_asked_for_different_pieces() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    swarm.peer("b")
    assert not set(swarm.asked("a")) & set(swarm.asked("b"))


def test_a_shield_is_not_asked_for_what_peers_hold_while_they_bring_it() -> None:
    swarm = Driver(100)
    swarm.peer("a", bits.of(range(50)))
    swarm.peer("shield", bits.full(100), Tier.SHIELD)
    assert swarm.asked("shield")
    assert min(swarm.asked("shield")) >= 50


def test_an_idle_downloader_asks_the_shield_for_anything() -> None:
    swarm = Driver(2)
    swarm.peer("a", bits.full(2))
    for piece in swarm.asked("a"):
        swarm.say("a", Reject(0, piece, "busy"))
    swarm.peer("shield", bits.full(2), Tier.SHIELD)
    assert swarm.asked("shield")


def test_a_peer_that_stalls_is_left_within_three_seconds_and_its_pieces_asked_elsewhere() -> None:
    swarm = Driver(4)
    swarm.peer("stalls")
    owed = swarm.asked("stalls")
    swarm.wait(1.0)
    swarm.peer("b", 0)
    swarm.wait(STALL_S + TICK_S - 1.0)
    assert {cancel.piece for cancel in swarm.sent(Cancel, "stalls")} == set(owed)
    swarm.say("b", Have(0, tuple(owed)))
    assert set(swarm.asked("b")) == set(owed)


def test_a_lone_peer_with_a_long_queue_is_left_as_soon() -> None:
    swarm = Driver(1000)
    swarm.peer("a")
    for _ in range(40):
        swarm.wait(0.1)
        swarm.bring("a", swarm.owed("a")[0])
    swarm.wait(STALL_S + TICK_S)
    assert swarm.owed("a") == []


def test_a_peer_that_keeps_sending_is_not_left() -> None:
    swarm = Driver(100)
    swarm.peer("slow")
    for _ in range(10):
        swarm.wait(2.5)
        swarm.bring("slow", swarm.owed("slow")[0])
    assert swarm.sent(Cancel) == []


def test_a_snubbed_peer_is_tried_again_with_one_piece_and_each_time_later() -> None:
    swarm = Driver(100)
    swarm.peer("stalls")
    tries, before = [], len(swarm.asked())

    def note() -> None:
        nonlocal before
        if len(swarm.asked()) > before:
            tries.append((swarm.now, len(swarm.asked()) - before))
            before = len(swarm.asked())

    swarm.wait(60.0, note)
    assert [count for _, count in tries] == [1] * len(tries)
    gaps = [later - sooner for (sooner, _), (later, _) in pairwise(tries)]
    assert len(gaps) >= 2
    assert gaps == sorted(gaps)


def test_a_snubbed_peer_that_sends_again_is_trusted_again() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    late = swarm.asked("a")[0]
    swarm.wait(STALL_S + TICK_S)
    swarm.bring("a", late)
    assert len(swarm.owed("a")) > 1


def test_a_late_piece_is_welcome_after_its_request_was_taken_back() -> None:
    swarm = Driver(4)
    swarm.peer("a")
    late = swarm.asked("a")[0]
    swarm.wait(STALL_S + TICK_S)
    assert swarm.brain.expects("a", late)
    assert swarm.bring("a", late)


@pytest.mark.parametrize("message", [Lost(0, (2,)), Reject(0, 2, "gone"), Reject(0, 2, "busy")])
def test_a_piece_whose_bytes_cross_a_refusal_of_it_is_welcome(message: Lost | Reject) -> None:
    swarm = Driver(3)
    swarm.peer("a")
    swarm.say("a", message)
    assert swarm.brain.expects("a", 2)


def test_nothing_is_expected_that_was_not_asked_for() -> None:
    swarm = Driver(100)
    swarm.peer("a", bits.of([1]))
    assert not swarm.brain.expects("a", 2)


def test_a_delivered_piece_is_not_expected_a_second_time() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    piece = swarm.asked("a")[0]
    swarm.bring("a", piece)
    assert not swarm.brain.expects("a", piece)


@pytest.mark.parametrize("reason", ["busy", "choked", "whatever"])
def test_a_peer_that_refuses_is_not_asked_again_at_once(reason: str) -> None:
    swarm = Driver(1)
    swarm.peer("a")
    swarm.say("a", Reject(0, 0, reason))
    assert swarm.asked("a") == [0]
    swarm.wait(2.0)
    assert swarm.asked("a") == [0, 0]


def test_a_piece_that_is_gone_is_not_asked_for_there_again() -> None:
    swarm = Driver(1)
    swarm.peer("a")
    swarm.say("a", Reject(0, 0, "gone"))
    swarm.wait(10.0)
    assert swarm.asked("a") == [0]


def test_the_pieces_of_a_dead_peer_are_asked_elsewhere_at_the_next_look() -> None:
    swarm = Driver(4)
    swarm.peer("a")
    swarm.peer("b", 0)
    swarm.say("b", Have(0, (0, 1, 2, 3)))
    swarm.brain.remove_peer("a", swarm.now)
    swarm.wait(TICK_S)
    assert set(swarm.asked("b")) == {0, 1, 2, 3}


def test_near_the_end_an_idle_peer_is_asked_for_what_a_slow_one_owes() -> None:
    swarm = Driver(20)
    swarm.peer("slow", bits.of([0]))
    swarm.peer("fast")
    swarm.serve_all("fast")
    swarm.wait(1.0)
    assert 0 in swarm.asked("fast")


def test_the_first_of_two_copies_takes_back_the_other() -> None:
    swarm = Driver(20)
    swarm.peer("slow", bits.of([0]))
    swarm.peer("fast")
    swarm.serve_all("fast")
    swarm.wait(1.0)
    swarm.bring("fast", 0)
    assert Cancel(0, 0) in swarm.sent(Cancel, "slow")


def test_a_crowd_of_idle_peers_is_not_asked_for_the_last_piece_all_at_once() -> None:
    swarm = Driver(1)
    for number in range(8):
        swarm.peer(f"peer{number}")
    swarm.wait(2.0)
    assert len(swarm.asked()) <= COPIES_MAX


def test_two_that_drip_do_not_hold_up_a_download() -> None:
    swarm = Driver(1)
    swarm.peer("drips1")
    swarm.peer("drips2")

    def drip() -> None:
        for key in ("drips1", "drips2"):
            if swarm.owed(key):
                swarm.brain.arrived(key, 1, swarm.now)

    swarm.wait(5.0, drip)
    assert swarm.asked("drips2") == [0]
    swarm.peer("honest")
    swarm.wait(4.0, drip)
    assert swarm.asked("honest") == [0]


def test_a_piece_that_came_twice_is_counted() -> None:
    swarm = Driver(4)
    swarm.peer("a")
    swarm.bring("a", 0)
    assert not swarm.bring("a", 0)
    assert swarm.brain.snapshot(swarm.now).duplicate_bytes == 1000


def test_the_shield_is_told_what_nobody_holds() -> None:
    swarm = Driver(10)
    swarm.peer("a", bits.of([0]))
    swarm.bring("a", 0)
    swarm.peer("shield", 0, Tier.SHIELD)
    swarm.wait(1.0)
    assert set(swarm.sent(Want, "shield")[0].pieces) <= set(range(1, 10))
    assert swarm.sent(Want, "a") == []


def test_a_want_is_not_sent_while_bytes_come() -> None:
    swarm = Driver(100)
    swarm.peer("a", bits.of(range(50)))
    swarm.peer("shield", 0, Tier.SHIELD)
    for _ in range(40):
        swarm.wait(0.1)
        swarm.bring("a", swarm.owed("a")[0])
    assert swarm.sent(Want) == []


def test_http_is_asked_after_the_grace_where_there_is_no_shield() -> None:
    swarm = Driver(10)
    swarm.brain.use_origin(True, 0.0)
    swarm.wait(0.9)
    assert swarm.fetched() == []
    swarm.wait(0.5)
    assert swarm.fetched()


def test_http_is_asked_only_for_what_nobody_holds_while_peers_bring_the_rest() -> None:
    swarm = Driver(20)
    swarm.brain.use_origin(True, 0.0)
    swarm.peer("a", bits.of(range(10)))
    swarm.wait(0.6)
    swarm.bring("a", swarm.owed("a")[0])
    swarm.wait(0.9)
    assert swarm.fetched()
    assert min(swarm.fetched()) >= 10


def test_http_is_asked_for_anything_when_all_stall() -> None:
    swarm = Driver(3)
    swarm.brain.use_origin(True, 0.0)
    swarm.peer("stalls")
    swarm.peer("shield", 0, Tier.SHIELD)
    swarm.wait(ORIGIN_STALL_S + 2 * TICK_S)
    assert set(swarm.fetched()) == {0, 1, 2}


def test_http_is_not_asked_where_there_is_none() -> None:
    swarm = Driver(3)
    swarm.wait(30.0)
    assert swarm.fetched() == []


def test_a_piece_from_http_completes_like_any_other() -> None:
    swarm = Driver(1)
    swarm.brain.use_origin(True, 0.0)
    swarm.wait(2.0)
    swarm.bring(ORIGIN, 0)
    assert swarm.deeds[-1] == Complete()
    assert swarm.brain.snapshot(swarm.now).bytes_by_tier == {"origin": 1000}


def test_a_piece_that_http_could_not_bring_is_asked_for_again() -> None:
    swarm = Driver(1)
    swarm.brain.use_origin(True, 0.0)
    swarm.wait(1.1)
    swarm.brain.failed(ORIGIN, 0, swarm.now)
    swarm.wait(5.0)
    assert swarm.fetched() == [0, 0]


def test_pausing_takes_back_what_was_asked_and_asks_nothing() -> None:
    swarm = Driver(100)
    swarm.peer("a")
    swarm.brain.pause()
    swarm.settle()
    assert swarm.owed("a") == []
    before = len(swarm.asked())
    swarm.peer("b")
    swarm.say("b", Have(0, (1, 2)))
    swarm.wait(60.0)
    assert len(swarm.asked()) == before


def test_resuming_asks_at_once() -> None:
    swarm = Driver(100)
    swarm.brain.pause()
    swarm.peer("a")
    swarm.brain.resume(swarm.now)
    swarm.settle()
    assert swarm.asked("a")


def test_a_peer_that_sends_what_is_not_the_piece_is_dropped_and_the_piece_asked_elsewhere() -> None:
    swarm = Driver(1)
    swarm.peer("liar")
    swarm.brain.delivered("liar", 0, swarm.now)
    swarm.brain.corrupt("liar", 0, swarm.now)
    swarm.settle()
    swarm.brain.remove_peer("liar", swarm.now)
    swarm.peer("honest")
    assert swarm.dropped() == ["liar"]
    assert swarm.asked("honest") == [0]


def test_a_piece_being_verified_is_not_asked_for() -> None:
    swarm = Driver(1)
    swarm.peer("a")
    swarm.brain.delivered("a", 0, swarm.now)
    swarm.peer("b")
    swarm.wait(5.0)
    assert swarm.asked("b") == []
    assert not swarm.brain.complete


def test_everything_present_is_told_once() -> None:
    swarm = Driver(50)
    swarm.peer("a")
    swarm.serve_all("a")
    assert swarm.brain.complete
    assert swarm.deeds.count(Complete()) == 1


def test_when_complete_no_timer_is_wanted() -> None:
    swarm = Driver(1)
    swarm.peer("a")
    swarm.serve_all("a")
    swarm.wait(10.0)
    assert swarm.brain.next_timer() == float("inf")


def test_an_unheard_of_request_is_refused_as_gone() -> None:
    swarm = Driver(10)
    swarm.peer("a", 0)
    swarm.say("a", Request(0, 3))
    assert swarm.sent(Reject, "a") == [Reject(0, 3, "gone")]


@pytest.mark.parametrize("message", [Have(0, (10,)), Request(0, 10), Reject(0, 10, "busy"), Want(0, (99,)), Ping(1)])
def test_what_may_not_be_said_is_a_breach(message: Have) -> None:
    swarm = Driver(10)
    swarm.peer("a", 0)
    with pytest.raises(RemoteProtocolError):
        swarm.say("a", message)
