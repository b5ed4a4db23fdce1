"""Super-seeding: which pieces a shield names to whom."""

from p2pd.policy.offering import OFFERS_MIN, WANTED_MAX
from p2pd.swarm.naming import AGAIN_MAX, ASLEEP_S, NAMED_S_MAX, SPARE_SHARE
from p2pd.wire import bits
from p2pd.wire.messages import Cancel, Have, Lost, Request, Want

from .driver import Driver

PIECES = 100


def shield(*keys: str) -> Driver:
    """A shield that has everything, and neighbours that have nothing."""
    swarm = Driver(PIECES, bits.full(PIECES), super_seeding=True)
    for key in keys:
        swarm.peer(key, 0)
    return swarm


def take(swarm: Driver, key: str) -> list[int]:
    """This neighbour fetches what it was named and tells of it; what it took."""
    taken = [piece for piece in swarm.named(key) if (key, piece) not in swarm.served()]
    for piece in taken:
        swarm.say(key, Request(0, piece))
        swarm.brain.sent(key, piece, swarm.now)
        swarm.say(key, Have(0, (piece,)))
    return taken


def test_a_shield_shows_nothing_when_it_joins() -> None:
    assert shield().brain.opening_bits() == 0


def test_each_neighbour_is_named_other_pieces() -> None:
    swarm = shield("a", "b", "c")
    assert len(swarm.named()) == len(set(swarm.named())) == 3 * OFFERS_MIN


def test_no_piece_is_named_twice_while_another_is_unnamed() -> None:
    swarm = shield("a", "b", "c", "d")
    while len(set(swarm.named())) < PIECES:
        swarm.wait(0.25)
        for key in "abcd":
            take(swarm, key)
        assert len(swarm.named()) == len(set(swarm.named()))


def test_who_passes_pieces_on_is_named_more() -> None:
    swarm = shield("spreads", "keeps")
    for _ in range(20):
        swarm.wait(0.1)
        for piece in take(swarm, "spreads"):
            swarm.say("keeps", Have(0, (piece,)))
        take(swarm, "keeps")
    assert len(swarm.named("spreads")) > 2 * len(swarm.named("keeps"))


def test_what_was_named_to_a_dead_peer_is_named_to_another() -> None:
    swarm = shield("dies")
    first = swarm.named("dies")
    swarm.brain.remove_peer("dies", swarm.now)
    swarm.peer("heir", 0)
    assert swarm.named("heir") == first


def test_a_piece_that_only_the_dead_held_is_named_again() -> None:
    swarm = shield("dies")
    first = take(swarm, "dies")
    swarm.brain.remove_peer("dies", swarm.now)
    swarm.peer("heir", 0)
    assert swarm.named("heir") == first


def test_what_was_named_and_never_fetched_is_named_to_another_in_time() -> None:
    swarm = shield("sleeps")
    first = swarm.named("sleeps")
    swarm.peer("works", 0)
    for _ in range(60):
        swarm.wait(0.25)
        take(swarm, "works")
    assert swarm.now > NAMED_S_MAX
    assert set(first) <= set(swarm.named("works"))


def test_a_want_is_answered() -> None:
    swarm = shield("a")
    swarm.say("a", Want(0, (77, 78)))
    assert swarm.named("a")[-2:] == [77, 78]


def test_a_want_is_not_answered_with_what_is_on_its_way_to_another() -> None:
    swarm = shield("a", "b")
    before = swarm.named("b")
    swarm.say("b", Want(0, tuple(swarm.named("a"))))
    assert swarm.named("b") == before


def test_what_a_neighbour_holds_already_is_named_to_nobody() -> None:
    swarm = Driver(PIECES, bits.full(PIECES), super_seeding=True)
    swarm.peer("rich", bits.full(PIECES - 1))
    swarm.peer("poor", 0)
    assert set(swarm.named()) <= {PIECES - 1}


def test_an_idle_shield_has_no_timer_without_neighbours() -> None:
    swarm = shield("a")
    swarm.brain.remove_peer("a", swarm.now)
    swarm.wait(1.0)
    assert swarm.brain.next_timer() == float("inf")


def test_a_peer_that_asks_for_nothing_keeps_nothing_from_the_others() -> None:
    swarm = shield("sleeps", "works")
    swarm.wait(ASLEEP_S + 0.5)
    assert swarm.sent(Lost, "sleeps")[0].pieces == tuple(swarm.named("sleeps"))
    for _ in range(40):
        swarm.wait(0.25)
        take(swarm, "works")
        swarm.say("works", Want(0, tuple(set(range(PIECES)) - set(swarm.named("works")))))
    assert set(swarm.named("works")) == set(range(PIECES))


def test_a_sleeper_that_speaks_is_named_pieces_again() -> None:
    swarm = shield("sleeps")
    swarm.wait(ASLEEP_S + 5.0)
    before = len(swarm.named())
    swarm.say("sleeps", Want(0, (50,)))
    assert swarm.named()[before:] == [50]


def test_a_peer_that_wants_everything_and_asks_for_nothing_is_named_a_few_pieces() -> None:
    swarm = shield("wants")
    for _ in range(40):
        swarm.wait(0.25)
        swarm.say("wants", Want(0, tuple(range(PIECES))))
    swarm.peer("works", 0)
    named_now = swarm.brain._naming.named if swarm.brain._naming else 0
    assert named_now.bit_count() <= WANTED_MAX + 2 * OFFERS_MIN


def test_what_waits_for_our_own_uplink_is_not_named_to_another() -> None:
    swarm = shield("waits")
    first = swarm.named("waits")
    for piece in first:
        swarm.say("waits", Request(0, piece))
    swarm.peer("wants", 0)
    for _ in range(60):
        swarm.wait(0.5)
        swarm.say("wants", Want(0, tuple(first)))
    assert not set(first) & set(swarm.named("wants"))


def test_what_was_asked_for_and_taken_back_is_named_to_another() -> None:
    swarm = shield("changes its mind")
    first = swarm.named("changes its mind")
    for piece in first:
        swarm.say("changes its mind", Request(0, piece))
        swarm.say("changes its mind", Cancel(0, piece))
    swarm.wait(ASLEEP_S + 0.5)
    swarm.peer("wants", 0)
    assert swarm.named("wants") == first


def test_a_peer_whose_requests_wait_in_our_queue_is_not_asleep() -> None:
    swarm = shield("waits")
    for piece in swarm.named("waits"):
        swarm.say("waits", Request(0, piece))
    swarm.wait(ASLEEP_S + 5.0)
    assert swarm.sent(Lost) == []


def test_what_a_peer_will_ask_for_when_our_uplink_has_brought_it_the_rest_is_not_named_to_another() -> None:
    swarm = shield("patient")
    first = swarm.named("patient")
    swarm.say("patient", Request(0, first[0]))
    swarm.wait(2 * ASLEEP_S)
    swarm.peer("other", 0)
    swarm.say("other", Want(0, tuple(first)))
    assert not set(first) & set(swarm.named("other"))


def crowd(*keys: str) -> Driver:
    """A shield with these neighbours, to whom a piece usually takes a tenth of a second; "slow" takes none."""
    swarm = shield("slow", *keys)
    for _ in range(200):
        if len(set(swarm.named())) == PIECES:
            return swarm
        swarm.wait(0.1)
        for key in keys:
            for piece in take(swarm, key):
                for other in set(keys) - {key}:
                    swarm.say(other, Have(0, (piece,)))
    raise AssertionError("not all pieces are named")


def test_what_a_slow_peer_keeps_is_named_to_another_before_our_uplink_rests() -> None:
    swarm = crowd("quick", "quicker")
    kept = swarm.named("slow")
    swarm.say("slow", Request(0, kept[0]))
    swarm.wait(1.0)
    assert set(kept) <= {*swarm.named("quick"), *swarm.named("quicker")}


def test_what_a_slow_peer_keeps_stays_its_own_while_others_wait_for_our_uplink() -> None:
    swarm = shield("slow", "a", "b")
    kept = swarm.named("slow")
    while len(set(swarm.named())) < PIECES:
        swarm.wait(0.1)
        for key in "ab":
            for piece in take(swarm, key):
                swarm.say("b" if key == "a" else "a", Have(0, (piece,)))
        assert not set(kept) & {*swarm.named("a"), *swarm.named("b")}


def test_who_needs_few_pieces_gets_them_one_after_the_other_though_nobody_wants_them_of_it() -> None:
    swarm = shield("patches")
    swarm.peer("rests", bits.full(PIECES))
    for piece in range(10, 30):
        if piece not in swarm.named("patches"):
            swarm.say("patches", Want(0, (piece,)))
        assert piece in swarm.named("patches")
        swarm.say("patches", Request(0, piece))
        swarm.brain.sent("patches", piece, swarm.now)
        swarm.say("patches", Have(0, (piece,)))


def given_away() -> Driver:
    """A shield of which "ahead" has taken and holds everything, and "behind" nothing yet."""
    swarm = shield("ahead")
    while len(swarm.named()) < PIECES:
        swarm.wait(0.25)
        take(swarm, "ahead")
    take(swarm, "ahead")
    swarm.peer("behind", 0)
    return swarm


def test_what_has_left_is_named_again_to_who_is_behind_while_our_uplink_rests() -> None:
    swarm = given_away()
    swarm.wait(0.25)
    assert len(swarm.named("behind")) == min(AGAIN_MAX, round(SPARE_SHARE * PIECES))


def test_a_tenth_of_a_copy_leaves_again_and_no_more() -> None:
    swarm = given_away()
    taken = 0
    for _ in range(100):
        swarm.wait(0.25)
        taken += len(take(swarm, "behind"))
    assert taken == round(SPARE_SHARE * PIECES)


def test_what_is_not_asked_for_soon_is_named_no_more_and_other_pieces_are() -> None:
    swarm = given_away()
    swarm.wait(1.0)
    named = swarm.named("behind")
    assert len(named) == len(set(named)) > round(SPARE_SHARE * PIECES)


def test_nothing_is_named_again_while_something_never_left() -> None:
    swarm = shield("ahead")
    take(swarm, "ahead")
    first = swarm.named("ahead")[:OFFERS_MIN]
    swarm.peer("behind", 0)
    swarm.wait(1.0)
    assert not set(first) & set(swarm.named("behind"))
