"""How fast, how much at once, how soon again, and from which kind of source."""

from dataclasses import replace
from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.policy.backoff import BASE_S, LIMIT_S, Backoff, jittered
from p2pd.policy.hedging import COPIES_MAX, HOPELESS_S, WAITED_S_MIN, is_hopeless, worth_hedging
from p2pd.policy.pacing import (
    QUEUE_BYTES_LONG,
    QUEUE_BYTES_MAX,
    RATE_MEMORY_S,
    SLICE_BYTES_MAX,
    SLICE_BYTES_MIN,
    SLICE_BYTES_SLOW,
    SLICE_S,
    Rate,
    TokenBucket,
    next_slice_bytes,
    queue_bytes,
    refilled_below,
    slice_bytes,
    total_queue_bytes,
)
from p2pd.policy.serving import (
    PEER_QUEUE_PIECES_MAX,
    QUEUE_PIECES_FREE,
    QUEUE_S_MAX,
    SENDS_MAX,
    STUCK_FACTOR,
    STUCK_S_MIN,
    accepts_request,
    stuck_after_s,
)
from p2pd.policy.sources import ORIGIN_GRACE_S, ORIGIN_STALL_S, STALL_S, Facts, Tier, origin_scope, tier_of
from p2pd.policy.yielding import FLOOR_BYTES_PER_S_MIN

# -- caps and rates --------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 2000)), min_size=1), st.integers(1, 1000))
def test_a_cap_lets_no_more_through_than_its_rate_and_one_burst(takes: list[tuple[float, int]], rate: int) -> None:
    bucket, now, passed = TokenBucket(rate), 0.0, 0
    for pause_s, count in takes:
        now += pause_s
        used_at = now + bucket.take(count, now)
        passed += count
        assert passed <= rate * used_at + rate * bucket.burst_s + 1e-6 * passed + 1e-6


def test_a_cap_gives_its_rate_and_not_less() -> None:
    bucket, now = TokenBucket(1000), 0.0
    for _ in range(100):
        now += bucket.take(100, now)
    assert now == pytest.approx((100 * 100 - 250) / 1000)


def test_who_waits_follows_a_change_of_the_cap() -> None:
    bucket = TokenBucket(10, burst_s=0.0)
    ticket = bucket.book(100, 0.0)
    assert bucket.wait_s(ticket, 1.0) == pytest.approx(9)
    bucket.rate_bytes_per_s = 90
    assert bucket.wait_s(ticket, 1.0) == pytest.approx(1)
    assert bucket.wait_s(ticket, 2.0) == 0


def test_who_booked_first_goes_first() -> None:
    bucket = TokenBucket(10, burst_s=0.0)
    first, second = bucket.book(50, 0.0), bucket.book(50, 0.0)
    assert bucket.wait_s(first, 0.0) == pytest.approx(5)
    assert bucket.wait_s(second, 0.0) == pytest.approx(10)


def test_what_is_given_back_nobody_waits_for() -> None:
    bucket = TokenBucket(10, burst_s=0.0)
    bucket.book(50, 0.0)
    second = bucket.book(50, 0.0)
    bucket.give_back(50)
    assert bucket.wait_s(second, 0.0) == pytest.approx(5)


def test_what_is_used_grows_evenly_under_a_cap_and_at_once_without() -> None:
    bucket = TokenBucket(10, burst_s=0.0)
    bucket.book(50, 0.0)
    assert [bucket.used(now) for now in (0.0, 1.0, 2.0, 9.0)] == [0, 10, 20, 50]
    bucket.rate_bytes_per_s = inf
    bucket.book(50, 9.0)
    assert bucket.used(9.0) == 100


@given(st.integers(0, 10**9))
def test_no_cap_never_waits(count: int) -> None:
    assert TokenBucket(0).take(count, 0.0) == 0.0


def test_a_rate_settles_at_what_flows_and_forgets_what_flowed() -> None:
    rate = Rate()
    for step in range(1000):
        rate.add(10, step / 100)
    assert rate.per_s(10) == pytest.approx(1000, rel=0.02)
    assert rate.per_s(10 + RATE_MEMORY_S) == pytest.approx(1000 / 2.718, rel=0.02)


def test_a_rate_starts_at_nothing() -> None:
    assert Rate().per_s(5.0) == 0.0


@given(st.floats(0, 1e10), st.integers(1, 2**24))
def test_a_queue_holds_a_piece_or_more_and_is_bounded(rate: float, piece_bytes: int) -> None:
    assert min(piece_bytes, QUEUE_BYTES_MAX) <= queue_bytes(rate, piece_bytes) <= QUEUE_BYTES_MAX


@given(st.floats(0, 1e7), st.integers(1, 2**16))
def test_all_queues_together_hold_more_than_one(rate: float, piece_bytes: int) -> None:
    assert total_queue_bytes(rate, piece_bytes) > queue_bytes(rate, piece_bytes)


@given(st.floats(0, 1e10), st.integers(1, 2**24))
def test_only_a_long_queue_waits_before_it_is_filled_again_and_it_stays_long(rate: float, piece_bytes: int) -> None:
    room = queue_bytes(rate, piece_bytes)
    if room < QUEUE_BYTES_LONG:
        assert refilled_below(room) == room
    else:
        assert 0.8 * room < refilled_below(room) < room


# -- what is taken on ------------------------------------------------------------------------------------------


PIECE = 4096


@pytest.mark.parametrize(
    "pieces, queued, rate, accepted",
    [
        (5, 0, 0, True),
        (5, QUEUE_PIECES_FREE * PIECE, 0, True),
        (5, QUEUE_PIECES_FREE * PIECE + 1, 0, False),
        (5, QUEUE_PIECES_FREE * PIECE + QUEUE_S_MAX * 1000, 1000, True),
        (5, QUEUE_PIECES_FREE * PIECE + QUEUE_S_MAX * 1000 + 1, 1000, False),
        (PEER_QUEUE_PIECES_MAX, 0, 0, False),
        (PEER_QUEUE_PIECES_MAX - 1, 0, 0, True),
    ],
)
def test_requests_are_taken_while_the_queue_is_short_in_time(
    pieces: int, queued: float, rate: float, accepted: bool
) -> None:
    taken = accepts_request(
        peer_queue_pieces=pieces, queue_bytes=int(queued), piece_bytes=PIECE, upload_bytes_per_s=rate
    )
    assert taken is accepted


@pytest.mark.parametrize("rate, expected", [(1, SLICE_BYTES_MIN), (2_500_000, 100_000), (1e9, SLICE_BYTES_MAX)])
def test_what_is_handed_to_a_connection_at_once_takes_it_a_moment(rate: float, expected: int) -> None:
    assert slice_bytes(rate) == expected
    assert SLICE_BYTES_MIN < slice_bytes(0) < SLICE_BYTES_MAX
    assert pytest.approx(100_000) == SLICE_S * 2_500_000


@pytest.mark.parametrize("rate, expected", [(300_000, 24_000), (400_000, 32_000), (600_000, SLICE_BYTES_SLOW)])
def test_to_a_slow_connection_a_slice_is_longer_but_not_large(rate: float, expected: int) -> None:
    assert slice_bytes(rate) == expected


@pytest.mark.parametrize(
    "piece, size, slices",
    [
        (100, 40, [50, 50]),
        (100, 33, [34, 33, 33]),
        (100, 80, [100]),
        (100, 200, [100]),
        (3, 2, [2, 1]),
        (2 * SLICE_BYTES_MAX + 1, SLICE_BYTES_MAX, [174763, 174763, 174763]),
    ],
)
def test_a_piece_leaves_in_even_slices(piece: int, size: int, slices: list[int]) -> None:
    left, seen = piece, list[int]()
    while left:
        seen.append(next_slice_bytes(left, size))
        left -= seen[-1]
    assert seen == slices


@pytest.mark.parametrize("typical_s, patience_s", [(0.0, STUCK_S_MIN), (10.0, 10.0 * STUCK_FACTOR)])
def test_an_upload_is_stuck_when_it_takes_much_longer_than_others(typical_s: float, patience_s: float) -> None:
    assert stuck_after_s(typical_s) == patience_s


# -- hedging ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "left_s, fresh_s, copies, worth",
    [
        (10.0, 1.0, 1, True),
        (10.0, 1.0, COPIES_MAX, False),
        (1.9, 1.0, 1, False),
        (0.3, 0.1, 1, False),
        (0.5, 0.1, 1, True),
    ],
)
def test_a_second_request_must_gain_much(left_s: float, fresh_s: float, copies: int, worth: bool) -> None:
    assert worth_hedging(left_s=left_s, fresh_s=fresh_s, copies=copies) is worth


@pytest.mark.parametrize(
    "left_s, waited_s, hopeless",
    [
        (HOPELESS_S, WAITED_S_MIN, True),
        (HOPELESS_S - 1, inf, False),
        (inf, WAITED_S_MIN - 0.1, False),
    ],
)
def test_hope_is_given_up_only_after_a_fair_wait(left_s: float, waited_s: float, hopeless: bool) -> None:
    assert is_hopeless(left_s=left_s, waited_s=waited_s) is hopeless


# -- sources ---------------------------------------------------------------------------------------------------

QUIET = Facts(unheld=False, shield_alive=True, since_change_s=0.0, since_progress_s=0.0)


@pytest.mark.parametrize(
    "facts, scope",
    [
        (QUIET, "nothing"),
        (replace(QUIET, unheld=True, since_change_s=inf), "nothing"),
        (replace(QUIET, shield_alive=False, since_change_s=inf), "nothing"),
        (Facts(True, False, ORIGIN_GRACE_S - 0.01, 0.0), "nothing"),
        (Facts(True, False, ORIGIN_GRACE_S, 0.0), "unheld"),
        (replace(QUIET, since_progress_s=ORIGIN_STALL_S - 0.01), "nothing"),
        (replace(QUIET, since_progress_s=ORIGIN_STALL_S), "anything"),
        (Facts(True, False, inf, inf), "anything"),
    ],
)
def test_http_is_asked_for_what_peers_and_shield_will_not_bring(facts: Facts, scope: str) -> None:
    assert origin_scope(facts) == scope


@pytest.mark.parametrize(
    "role, region, tier",
    [
        ("daemon", "here/hall/rack", Tier.RACK),
        ("daemon", "here/hall/other", Tier.ZONE),
        ("daemon", "here/hall", Tier.ZONE),
        ("daemon", "here/other/rack", Tier.REGION),
        ("daemon", "here", Tier.REGION),
        ("daemon", "far/hall/rack", Tier.REMOTE),
        ("daemon", "", Tier.REMOTE),
        ("seeder", "here/hall/rack", Tier.SHIELD),
        ("daemon", "here/hall/rack/deeper", Tier.RACK),
    ],
)
def test_a_peers_tier_follows_its_role_and_region(role: str, region: str, tier: Tier) -> None:
    assert tier_of(role=role, region=region, own_region="here/hall/rack") is tier


def test_nearer_tiers_are_cheaper() -> None:
    names = ["LAN", "RACK", "ZONE", "REGION", "REMOTE", "SHIELD", "ORIGIN"]
    assert [tier.name for tier in sorted(Tier)] == names


# -- again -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 999), st.integers(1, 80))
def test_pauses_grow_to_a_limit_and_never_beyond(rng_seed: int, failures: int) -> None:
    backoff = Backoff(Random(rng_seed))
    for number in range(failures):
        assert 0 <= backoff.failed() <= min(LIMIT_S, BASE_S * 2**number)


def test_success_starts_over() -> None:
    backoff = Backoff(Random(1))
    for _ in range(9):
        backoff.failed()
    backoff.succeeded()
    assert backoff.bound_s == BASE_S


@given(st.floats(0.1, 1e4), st.integers(0, 999))
def test_jitter_only_shortens_and_by_a_fifth_at_most(interval_s: float, rng_seed: int) -> None:
    assert 0.8 * interval_s <= jittered(interval_s, Random(rng_seed)) <= interval_s


def test_who_is_held_to_the_least_is_still_seen_to_move_by_each_that_it_sends_to() -> None:
    least = FLOOR_BYTES_PER_S_MIN
    assert SENDS_MAX * slice_bytes(2.5e6, least) / least < STALL_S
    assert slice_bytes(2.5e6, 1e9) == slice_bytes(2.5e6)
