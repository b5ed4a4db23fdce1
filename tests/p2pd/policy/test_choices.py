"""Which piece to ask for, which to name, whom to dial, which connection and which releases to keep."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.policy.dialing import (
    DEGREE,
    DIALLED_MIN,
    IMPORTER_OUTSIDE_RESERVED,
    OUTSIDE_RESERVED,
    Candidate,
    Connected,
    choose_dials,
    counted,
    keeps_new_connection,
)
from p2pd.policy.offering import OFFERS_MAX, OFFERS_MIN, WANTED_MAX, Order, answer_want, choose_offers, offers_wanted
from p2pd.policy.picking import pick_rarest
from p2pd.policy.retention import MANY, Kept, Shelf, Spare, choose_evictions, choose_removals
from p2pd.policy.sources import Tier
from p2pd.wire import bits

PIECES = 80
SETS = st.sets(st.integers(0, PIECES - 1)).map(bits.of)
DICE = st.integers(0, 999).map(Random)


# -- picking ---------------------------------------------------------------------------------------------------


@given(SETS, st.lists(st.integers(0, 5), min_size=PIECES, max_size=PIECES), DICE)
def test_the_picked_piece_is_a_candidate(candidates: int, availability: list[int], rng: Random) -> None:
    piece = pick_rarest(candidates, availability, rng)
    assert piece is None if not candidates else candidates >> (piece or 0) & 1


@given(DICE)
def test_with_as_many_looks_as_needed_the_rarest_is_picked(rng: Random) -> None:
    availability = [9] * PIECES
    availability[33] = 1
    assert pick_rarest(bits.full(PIECES), availability, rng, samples=100 * PIECES) == 33


def test_ties_fall_at_random() -> None:
    picked = {pick_rarest(bits.full(PIECES), [1] * PIECES, Random(number)) for number in range(100)}
    assert len(picked) > PIECES / 2


# -- offering --------------------------------------------------------------------------------------------------


@given(st.integers(0, 100), SETS, SETS, SETS)
def test_no_piece_is_offered_that_is_named_held_or_not_lacking(count: int, lacking: int, named: int, held: int) -> None:
    chosen = choose_offers(count, lacking, named, held)
    due = lacking & ~named & ~held
    assert len(chosen) == min(count, due.bit_count())
    assert bits.of(chosen) & ~due == 0


def test_small_pieces_go_out_first_and_last() -> None:
    order = Order([5, 1, 9, 3, 7, 2, 8, 6, 4])
    given: list[int] = []
    while chosen := order.choose(2, bits.full(9) & ~bits.of(given), bits.of(given)):
        given += chosen
    assert [[5, 1, 9, 3, 7, 2, 8, 6, 4][piece] for piece in given] == [1, 3, 5, 7, 9, 8, 6, 4, 2]


@pytest.mark.parametrize("last", [1, 4])
def test_pieces_of_one_size_go_out_by_number(last: int) -> None:
    assert Order([4, 4, 4, last]).choose(9, bits.full(4), 0) == [0, 1, 2, 3]


@given(st.lists(st.integers(1, 9), min_size=PIECES, max_size=PIECES), st.integers(0, 100), SETS, SETS)
def test_the_order_chooses_what_is_due_and_never_was_given(lengths: list[int], count: int, due: int, on: int) -> None:
    chosen = Order(lengths).choose(count, due & ~on, on)
    assert bits.of(chosen) & ~(due & ~on) == 0
    assert len(set(chosen)) == len(chosen) == min(count, (due & ~on).bit_count())


@pytest.mark.parametrize(
    "pending, rate, count",
    [
        (0, 0.0, OFFERS_MIN),
        (OFFERS_MIN, 0.0, 0),
        (99, 0.0, 0),
        (0, 20_000.0, 14),
        (4, 20_000.0, 10),
        (0, 1e9, OFFERS_MAX),
    ],
)
def test_more_is_named_to_who_passes_more_on(pending: int, rate: float, count: int) -> None:
    assert offers_wanted(pending, rate, 1000) == count


@given(st.lists(st.integers(0, PIECES - 1)), SETS, SETS)
def test_a_want_is_answered_by_few_pieces_that_we_have_and_nobody_awaits(wanted: list[int], have: int, on: int) -> None:
    named = answer_want(wanted, have, on)
    assert bits.of(named) & ~(have & ~on & bits.of(wanted)) == 0
    assert len(named) <= WANTED_MAX
    assert named or not have & ~on & bits.of(wanted)


# -- dialling --------------------------------------------------------------------------------------------------


def candidates(tier: Tier, count: int) -> list[Candidate]:
    return [Candidate(f"{tier.name}{number}", "", tier) for number in range(count)]


def near(dialled: int, accepted: int = 0) -> dict[Tier, Connected]:
    return {Tier.REGION: Connected(dialled, accepted)}


CROWD = st.builds(
    lambda near, far, shields: (
        candidates(Tier.REGION, near) + candidates(Tier.REMOTE, far) + candidates(Tier.SHIELD, shields)
    ),
    *[st.integers(0, 40)] * 2,
    st.integers(0, 3),
)


@given(CROWD, st.integers(0, 40), DICE)
def test_no_more_are_dialled_than_there_is_room_for(crowd: list[Candidate], dialled: int, rng: Random) -> None:
    chosen = [one for one in choose_dials(crowd, neighbours=near(dialled), rng=rng) if one.tier is not Tier.SHIELD]
    others = sum(one.tier is not Tier.SHIELD for one in crowd)
    kept = min(OUTSIDE_RESERVED, sum(one.tier is Tier.REMOTE for one in crowd))
    assert len(chosen) == len(set(chosen)) == min(others, max(kept, DEGREE - dialled))


@pytest.mark.parametrize(
    "dialled, accepted, room",
    [(0, 4, DEGREE - 4), (0, 1000, DIALLED_MIN), (DIALLED_MIN, 1000, 0), (DEGREE, 0, 0), (2, 6, DEGREE - 8)],
)
def test_those_who_dialled_us_leave_room_for_our_own_choice(dialled: int, accepted: int, room: int) -> None:
    crowd = candidates(Tier.REGION, 2 * DEGREE)
    assert len(choose_dials(crowd, neighbours=near(dialled, accepted), rng=Random(1))) == room


@given(CROWD, st.integers(0, 40), DICE)
def test_shields_are_always_dialled(crowd: list[Candidate], dialled: int, rng: Random) -> None:
    chosen = choose_dials(crowd, neighbours=near(dialled, 1000), rng=rng)
    assert {one for one in crowd if one.tier is Tier.SHIELD} <= set(chosen)


@given(st.integers(0, 40), st.integers(0, 40), DICE)
def test_far_peers_keep_their_places_among_near_ones(region: int, far: int, rng: Random) -> None:
    chosen = choose_dials(candidates(Tier.REGION, region) + candidates(Tier.REMOTE, far), neighbours={}, rng=rng)
    assert sum(one.tier is Tier.REMOTE for one in chosen) >= min(far, OUTSIDE_RESERVED)


def test_far_peers_who_dialled_us_do_not_keep_us_from_near_ones() -> None:
    crowd = candidates(Tier.REGION, 40) + candidates(Tier.REMOTE, 40)
    chosen = choose_dials(crowd, neighbours=near(2) | {Tier.REMOTE: Connected(0, 100)}, rng=Random(1))
    assert [one.tier for one in chosen] == [Tier.REGION] * (DEGREE - 2 - OUTSIDE_RESERVED)


def test_an_importer_dials_the_others_and_more_far_ones() -> None:
    crowd = candidates(Tier.REGION, 40) + candidates(Tier.REMOTE, 40)
    allies = [one.node for one in crowd[:7]]
    chosen = choose_dials(crowd, neighbours=near(0, 1000), rng=Random(1), allies=allies, importing=[Tier.REMOTE])
    assert set(allies) <= {one.node for one in chosen}
    chosen = choose_dials(crowd, neighbours={}, rng=Random(1), allies=allies, importing=[Tier.REMOTE])
    assert sum(one.tier is Tier.REMOTE for one in chosen) == IMPORTER_OUTSIDE_RESERVED


def test_of_far_neighbours_no_more_count_than_have_places() -> None:
    assert counted(3, 1) == 4
    assert counted(3, 100) == 3 + OUTSIDE_RESERVED


def test_near_peers_are_preferred() -> None:
    crowd = candidates(Tier.REGION, 40) + candidates(Tier.REMOTE, 40)
    chosen = choose_dials(crowd, neighbours={}, rng=Random(1))
    assert sum(one.tier is Tier.REGION for one in chosen) == DEGREE - OUTSIDE_RESERVED


HIERARCHY = (Tier.RACK, Tier.ZONE, Tier.REGION, Tier.REMOTE)


def levels(chosen: Sequence[Candidate]) -> dict[Tier, int]:
    return dict(Counter(one.tier for one in chosen))


def test_most_neighbours_are_of_ones_rack_and_each_level_further_out_has_its_places() -> None:
    crowd = [one for tier in HIERARCHY for one in candidates(tier, 40)]
    chosen = choose_dials(crowd, neighbours={}, rng=Random(1))
    outside = dict.fromkeys(HIERARCHY[1:], OUTSIDE_RESERVED)
    assert levels(chosen) == {Tier.RACK: DEGREE - 3 * OUTSIDE_RESERVED} | outside


def test_a_small_rack_leaves_its_places_to_its_zone() -> None:
    crowd = [*candidates(Tier.RACK, 3), *candidates(Tier.ZONE, 40), *candidates(Tier.REMOTE, 40)]
    chosen = choose_dials(crowd, neighbours={}, rng=Random(1))
    assert levels(chosen) == {Tier.RACK: 3, Tier.ZONE: DEGREE - 3 - OUTSIDE_RESERVED, Tier.REMOTE: OUTSIDE_RESERVED}


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 2), min_size=4, max_size=4), DICE)
def test_no_level_with_anybody_to_dial_is_left_without_its_places(counts: list[tuple[int, int]], rng: Random) -> None:
    """Whoever dialled us, on whatever level: no rack becomes an island."""
    crowd = [one for tier, (there, _) in zip(HIERARCHY, counts, strict=True) for one in candidates(tier, there)]
    accepted = {tier: Connected(0, count) for tier, (_, count) in zip(HIERARCHY, counts, strict=True)}
    chosen = levels(choose_dials(crowd, neighbours=accepted, rng=rng))
    for tier in HIERARCHY[1:]:
        lacking = OUTSIDE_RESERVED - accepted[tier].accepted
        assert chosen.get(tier, 0) >= min(lacking, sum(one.tier is tier for one in crowd))


def test_who_imports_from_several_levels_has_places_for_all_of_them() -> None:
    crowd = [one for tier in HIERARCHY for one in candidates(tier, 40)]
    chosen = choose_dials(crowd, neighbours={}, rng=Random(1), allies=["nobody"], importing=HIERARCHY[1:])
    assert levels(chosen) == dict.fromkeys(HIERARCHY, IMPORTER_OUTSIDE_RESERVED)


@pytest.mark.parametrize("first_by_low", [True, False])
@pytest.mark.parametrize("second_by_low", [True, False])
def test_both_sides_keep_the_same_of_two_connections(first_by_low: bool, second_by_low: bool) -> None:
    low = keeps_new_connection(own_node="a", other_node="b", we_dialled_new=second_by_low, we_dialled_old=first_by_low)
    high = keeps_new_connection(
        own_node="b", other_node="a", we_dialled_new=not second_by_low, we_dialled_old=not first_by_low
    )
    assert low == high


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_of_two_directions_that_of_the_smaller_name_survives(order: tuple[bool, bool]) -> None:
    old, new = order
    kept_new = keeps_new_connection(own_node="a", other_node="b", we_dialled_new=new, we_dialled_old=old)
    assert kept_new == new


# -- retention -------------------------------------------------------------------------------------------------


@st.composite
def shelves(draw: st.DrawFn) -> list[Kept]:
    sequences = draw(st.lists(st.integers(0, 50), unique=True, max_size=12))
    return [Kept(bytes([at]), "shop", f"v{at}", at, draw(st.booleans())) for at in sequences]


@given(shelves(), st.sets(st.integers(0, 50)), st.integers(0, 5), st.sets(st.integers(0, 50)))
def test_what_is_in_use_or_pinned_is_never_removed(
    releases: list[Kept], used: set[int], keep: int, pinned: set[int]
) -> None:
    in_use, names = {bytes([one]) for one in used}, {f"v{one}" for one in pinned}
    removed = choose_removals(releases, in_use=in_use, keep=keep, pinned=names)
    assert not any(one.key in in_use or one.version in names for one in removed)


@given(shelves(), st.integers(0, 5))
def test_as_many_finished_ones_stay_as_asked_for_and_these_are_the_newest(releases: list[Kept], keep: int) -> None:
    removed = choose_removals(releases, in_use=(), keep=keep, pinned=())
    finished = sorted((one.sequence for one in releases if one.finished), reverse=True)
    stay = [one.sequence for one in releases if one.finished and one not in removed]
    assert sorted(stay, reverse=True) == finished[:keep]


@given(shelves())
def test_unfinished_ones_that_nobody_fetches_go(releases: list[Kept]) -> None:
    removed = choose_removals(releases, in_use=(), keep=99, pinned=())
    assert removed == [one for one in releases if not one.finished]


# -- room for another release --------------------------------------------------------------------------------------


def spare(
    key: int, size: int = 10, *, holders: int = 0, used_at: float = 0.0, finished: bool = True, pack: bool = False
) -> Spare:
    return Spare(bytes([key]), size, finished, holders, used_at, pack)


def evicted(missing: int, *spares: Spare) -> list[int] | None:
    chosen = choose_evictions(spares, missing)
    return None if chosen is None else [one.key[0] for one in chosen]


def test_packs_that_have_done_their_work_go_first() -> None:
    assert evicted(10, spare(1, holders=9), spare(2, finished=False), spare(3, pack=True)) == [3]


def test_what_nobody_finishes_goes_before_what_is_whole() -> None:
    assert evicted(10, spare(1, holders=9), spare(2, finished=False)) == [2]


def test_then_what_many_others_hold() -> None:
    assert evicted(10, spare(1, used_at=1), spare(2, holders=MANY, used_at=2)) == [2]


def test_many_is_as_good_as_more_and_then_age_counts() -> None:
    assert evicted(10, spare(1, holders=MANY + 50, used_at=2), spare(2, holders=MANY, used_at=1)) == [2]


def test_no_more_goes_than_there_is_need_for() -> None:
    assert evicted(15, spare(1, 10, used_at=1), spare(2, 20, used_at=2)) == [2]


def test_where_all_of_it_is_not_enough_nothing_goes() -> None:
    assert evicted(21, spare(1), spare(2)) is None


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5), st.floats(0, 9)), max_size=8), st.integers(1, 200))
def test_what_goes_is_enough_and_each_of_it_is_needed(found: list[tuple[int, int, float]], missing: int) -> None:
    spares = [spare(at, size, holders=holders, used_at=used) for at, (size, holders, used) in enumerate(found)]
    chosen = choose_evictions(spares, missing)
    if chosen is None:
        assert sum(one.size_bytes for one in spares) < missing
        return
    freed = sum(one.size_bytes for one in chosen)
    assert freed >= missing
    assert all(freed - one.size_bytes < missing for one in chosen)


def test_the_lower_of_two_quotas_counts() -> None:
    assert Shelf(free=50, reserve=0, taken=50, unwritten=0, quota_bytes=60, quota_share=0.5).quota == 50
    assert Shelf(free=50, reserve=0, taken=50, unwritten=0, quota_bytes=40, quota_share=0.5).quota == 40
    assert Shelf(free=50, reserve=0, taken=50, unwritten=0).quota is None


def test_what_others_have_still_to_write_is_taken() -> None:
    shelf = Shelf(free=100, reserve=10, taken=80, unwritten=60, quota_bytes=100)
    assert shelf.disk_lacks(40, present=0) == 10
    assert shelf.disk_lacks(40, present=10) == 0
    assert shelf.quota_lacks(25) == 5
