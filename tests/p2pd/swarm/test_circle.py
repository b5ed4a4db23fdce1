"""Neighbours behind one link bring each piece in once."""

from collections.abc import Sequence

import pytest

from p2pd.policy.importing import CONNECT_S, OPEN_S, STEP_S_MIN
from p2pd.policy.sources import ORIGIN_STALL_S, STALL_S, Tier
from p2pd.swarm.circle import Circle
from p2pd.swarm.fetching import SNUB_S, TICK_S
from p2pd.wire import bits
from p2pd.wire.announce import Importing
from p2pd.wire.messages import Have, Reject, Request

from .driver import Driver

PIECES = 300
ALL = bits.full(PIECES)
NAMES = ("a", "b", "c")


def circle(own: str, fellows: Sequence[str], pieces: int = PIECES) -> Circle:
    made = Circle(own, pieces, 0.0)
    for fellow in fellows:
        made.enter(fellow)
    return made


def circles(names: Sequence[str] = NAMES) -> list[Circle]:
    """As each of them sees the others."""
    return [circle(own, [name for name in names if name != own]) for own in names]


def test_each_piece_falls_to_exactly_one_of_a_circle() -> None:
    shares = [one.importable(0.0) for one in circles()]
    assert shares[0] | shares[1] | shares[2] == ALL
    assert sum(share.bit_count() for share in shares) == PIECES


def test_what_somebody_in_the_circle_holds_is_not_brought_in_again() -> None:
    one = circle("a", ["b"])
    mine = one.importable(0.0)
    one.holds(mine, 0.0)
    assert one.importable(0.0) == 0


def test_alone_everything_may_be_brought_in() -> None:
    assert circle("a", []).importable(0.0) == ALL


def test_what_fell_to_a_neighbour_that_is_gone_falls_to_the_others_at_once() -> None:
    one, other, _ = circles()
    one.leave("c")
    other.leave("c")
    assert one.importable(0.0) | other.importable(0.0) == ALL
    assert one.importable(0.0) & other.importable(0.0) == 0


def test_waiting_in_vain_opens_one_place_after_the_other_and_at_last_also_what_others_keep() -> None:
    one = circle("a", ["b", "c"])
    one.holds(ALL >> 1, 0.0)
    seen = []
    for second in range(1, 4):
        one.waits(second * STEP_S_MIN)
        seen.append(one.mine(second * STEP_S_MIN).bit_count())
    assert 100 < seen[0] < seen[1] == PIECES
    assert one.importable(3 * STEP_S_MIN) == ALL


def test_who_tells_and_takes_back_the_same_keeps_nobody_waiting() -> None:
    one = circle("a", ["liar"])
    for tick in range(1, 6):
        one.holds(ALL, tick * STEP_S_MIN / 2)
        one.recount([])
        one.waits(tick * STEP_S_MIN / 2)
    assert one.mine(5 * STEP_S_MIN / 2) == ALL


def test_news_in_the_circle_is_no_waiting_in_vain() -> None:
    one = circle("a", ["b"])
    for step in range(8):
        one.holds(1 << step, step * STEP_S_MIN / 2)
        one.waits(step * STEP_S_MIN / 2)
    assert one.place == 0


def test_an_open_place_closes_again() -> None:
    one = circle("a", ["b"])
    share = one.importable(0.0)
    one.waits(STEP_S_MIN)
    assert one.importable(STEP_S_MIN) == ALL
    assert one.importable(STEP_S_MIN + OPEN_S) == share


def test_where_any_number_of_copies_may_come_nothing_waits() -> None:
    one = circle("a", ["b"])
    one.name_importers((), 0.0, 0.0)
    one.holds(ALL, 0.0)
    assert one.importable(0.0) == ALL


def test_who_used_its_budget_for_what_falls_to_others_opens_places_slowly() -> None:
    one = circle("a", ["b"])
    one.name_importers((), 1.0, 0.0)
    one.waits(STEP_S_MIN)
    assert one.place == 0


def test_with_importers_named_nothing_falls_to_the_others_until_these_fail() -> None:
    other = circle("z", ["a", "b", "y"])
    other.name_importers(("a", "b", "c"), 1.2, 0.0)
    seconds = [second * STEP_S_MIN for second in range(1, 4)]
    for now in seconds:
        assert other.importable(now) == 0
        other.waits(now)
    assert 0 < other.importable(seconds[-1]).bit_count() < PIECES


def test_an_importer_that_could_not_be_dialled_counts_no_longer() -> None:
    one = circle("a", ["b", "z"])
    one.name_importers(NAMES, 1.2, 0.0)
    early = one.importable(0.0)
    late = one.importable(CONNECT_S)
    assert early.bit_count() < late.bit_count()
    assert late == circle("a", ["b"]).importable(0.0)


def test_an_importer_knows_whom_to_be_connected_to() -> None:
    one = circle("a", [])
    one.name_importers(NAMES, 1.2, 0.0)
    assert list(one.allies) == ["b", "c"]
    one.name_importers(("b", "c"), 1.2, 0.0)
    assert list(one.allies) == []


# -- and so the brain asks ----------------------------------------------------------------------------------------


def test_of_a_region_each_asks_outside_for_its_own_share_only() -> None:
    swarm = Driver(64)
    swarm.peer("fellow", 0)
    swarm.peer("outside", tier=Tier.REMOTE)
    share = set(bits.iterate(swarm.brain.circles.region.importable(0.0)))
    assert 0 < len(share) < 64
    assert set(swarm.asked("outside")) <= share


@pytest.mark.parametrize("tier", [Tier.REMOTE, Tier.REGION])
def test_what_a_lan_peer_holds_is_asked_of_nobody_beyond(tier: Tier) -> None:
    swarm = Driver(8)
    swarm.peer("beside", bits.full(8) >> 1, Tier.LAN)
    swarm.peer("beyond", tier=tier)
    assert set(swarm.asked("beyond")) <= {7}


def test_a_fellow_that_brings_nothing_delays_its_share_by_a_second_or_so() -> None:
    swarm = Driver(64)
    swarm.peer("stuck", 0)
    swarm.peer("outside", tier=Tier.REMOTE)

    def bring() -> None:
        for piece in [one for one in swarm.asked("outside") if not swarm.brain.present >> one & 1]:
            swarm.bring("outside", piece)

    bring()
    swarm.wait(2 * STEP_S_MIN + 2 * TICK_S, bring)
    assert swarm.brain.complete


def test_http_is_asked_for_no_more_than_ones_share_while_others_are_new_here_too() -> None:
    swarm = Driver(64)
    swarm.brain.use_origin(True, 0.0)
    swarm.peer("fellow", 0)
    share = set(bits.iterate(swarm.brain.circles.region.importable(0.0)))

    def bring() -> None:
        for piece in [one for one in swarm.fetched() if not swarm.brain.present >> one & 1]:
            swarm.bring("origin", piece)
            swarm.say("fellow", Have(0, (piece,)))

    swarm.wait(1.9, bring)
    assert set(swarm.fetched()) == share


def test_a_neighbour_that_lost_a_piece_holds_it_no_longer() -> None:
    swarm = Driver(8)
    swarm.peer("beside", bits.full(8), Tier.LAN)
    swarm.peer("beyond", tier=Tier.REMOTE)
    asked = swarm.asked("beside")[0]
    swarm.say("beside", Reject(0, asked, "gone"))
    assert not swarm.brain.circles.lan.held >> asked & 1


def bring_from(swarm: Driver, key: str) -> None:
    for piece in [one for one in swarm.asked(key) if not swarm.brain.present >> one & 1]:
        swarm.bring(key, piece)


def test_who_says_to_hold_all_and_sends_nothing_keeps_nobody_from_bringing_it_in() -> None:
    swarm = Driver(64)
    swarm.peer("fellow", 0)
    swarm.peer("liar")
    swarm.peer("outside", tier=Tier.REMOTE)
    swarm.wait(2 * STALL_S + SNUB_S + 2 * STEP_S_MIN + 3 * TICK_S, lambda: bring_from(swarm, "outside"))
    assert swarm.brain.complete


def test_who_drips_bytes_keeps_nobody_from_bringing_pieces_in() -> None:
    swarm = Driver(64, piece_bytes=100_000)
    swarm.peer("fellow", 0)
    swarm.peer("drips")
    swarm.peer("outside", tier=Tier.REMOTE)

    def meanwhile() -> None:
        swarm.brain.arrived("drips", 10, swarm.now)
        bring_from(swarm, "outside")

    swarm.wait(60.0, meanwhile)
    assert swarm.brain.complete


def test_who_was_doubted_counts_again_once_it_brings_a_piece() -> None:
    swarm = Driver(8)
    swarm.peer("beside", bits.full(8), Tier.LAN)
    swarm.wait(2 * STALL_S + SNUB_S + 3 * TICK_S)
    assert swarm.brain.circles.lan.held == 0
    swarm.bring("beside", swarm.asked("beside")[0])
    assert swarm.brain.circles.lan.held == bits.full(8)


def test_peers_that_refuse_whatever_they_are_asked_for_do_not_keep_http_waiting() -> None:
    swarm = Driver(24)
    swarm.brain.use_origin(True, 0.0)
    swarm.brain.circles.name_importers((), 3.0, (), 0.0)
    for number in range(2):
        swarm.peer(f"busy-{number}", bits.full(24) >> 1)
    refused = 0

    def meanwhile() -> None:
        """HTTP answers at once, the peers a moment later: at each tick something is asked for."""
        nonlocal refused
        asks = [(deed.peer, deed.message.piece) for deed in swarm.sends() if isinstance(deed.message, Request)]
        for peer, piece in asks[refused:-1]:
            swarm.say(peer, Reject(0, piece, "busy"))
        refused = max(refused, len(asks) - 1)
        for piece in [one for one in swarm.fetched() if not swarm.brain.present >> one & 1]:
            swarm.bring("origin", piece)

    swarm.wait(ORIGIN_STALL_S + 3 * STEP_S_MIN + 4 * TICK_S, meanwhile)
    assert swarm.brain.complete


# -- circles within circles -----------------------------------------------------------------------------------------

DIVIDED = (Importing("zone", (), 1.2), Importing("rack", (), 1.2))


def in_a_rack(inner: tuple[Importing, ...]) -> Driver:
    """A host with one fellow in its rack, one more in its zone, one more in its region; all new, and one outside."""
    swarm = Driver(64)
    swarm.brain.circles.name_importers((), 1.2, inner, 0.0)
    for tier in (Tier.RACK, Tier.ZONE, Tier.REGION):
        swarm.peer(tier.name, 0, tier)
    return swarm


@pytest.mark.parametrize("beyond, share", [(Tier.ZONE, 2), (Tier.REGION, 3), (Tier.REMOTE, 4)])
def test_what_comes_over_the_link_of_a_rack_a_zone_or_a_region_is_divided_among_those_in_it(
    beyond: Tier, share: int
) -> None:
    swarm = in_a_rack(DIVIDED)
    circle = swarm.brain.circles.around(beyond)
    assert circle is not None
    assert circle.importable(0.0) == divided_among(share).importable(0.0)


def divided_among(count: int) -> Circle:
    return circle("", [tier.name for tier in (Tier.RACK, Tier.ZONE, Tier.REGION)][: count - 1], 64)


def test_within_a_region_nothing_is_divided_unless_a_tracker_says_so() -> None:
    swarm = in_a_rack(())
    assert swarm.brain.circles.around(Tier.ZONE) is None
    assert swarm.brain.circles.around(Tier.REGION) is None
    assert swarm.brain.circles.around(Tier.REMOTE) is swarm.brain.circles.region


def test_where_a_region_takes_any_number_its_zones_count_for_what_comes_from_outside() -> None:
    swarm = in_a_rack(DIVIDED)
    swarm.brain.circles.name_importers((), 0.0, DIVIDED, 0.0)
    assert swarm.brain.circles.around(Tier.REMOTE) is swarm.brain.circles.zone


def test_what_is_in_the_zone_is_not_asked_for_in_the_region() -> None:
    swarm = in_a_rack(DIVIDED)
    swarm.say("ZONE", Have(0, tuple(range(64))))
    swarm.peer("full", bits.full(64), Tier.REGION)
    assert swarm.asked("full") == []


def test_an_importer_of_several_places_knows_all_whom_to_be_connected_to() -> None:
    swarm = Driver(8)
    inner = (Importing("zone", ("", "b", "c"), 1.2), Importing("rack", ("d", "e"), 1.2))
    swarm.brain.circles.name_importers(("", "a", "b"), 1.2, inner, 0.0)
    assert list(swarm.brain.circles.allies) == ["b", "c", "a"]
    assert list(swarm.brain.circles.importing) == [Tier.REGION, Tier.REMOTE]
