"""Which source is asked next."""

from math import inf
from random import Random

import pytest

from p2pd.origin_health import BACKOFF_BASE_S, BACKOFF_MAX_S, HARMLESS, OriginHealth, Outcome, Source

SHIELDS = tuple(Source("shield", f"http://shield-{number}") for number in range(3))
CDN = Source("cdn", "http://cdn", tier=1)


def health(*sources: Source) -> OriginHealth:
    return OriginHealth(sources or (CDN, *SHIELDS), Random(1))


def fail(one: OriginHealth, source: Source, now: float = 0.0, retry_after_s: float = 0.0) -> float:
    """It failed; how long it rests."""
    one.attempted(source, Outcome.FAILING, received_bytes=0, now=now, retry_after_s=retry_after_s)
    return next(facts.resting_s for facts in one.snapshot(now) if facts.base_url == source.base_url)


def test_shields_come_before_the_cdn() -> None:
    assert all(health().order(bytes([key]), 0.0)[-1] == CDN for key in range(50))


def test_an_object_always_prefers_the_same_shield() -> None:
    assert health(*SHIELDS).order(b"key", 0.0) == health(*reversed(SHIELDS)).order(b"key", 99.0)


def test_objects_are_spread_over_the_shields() -> None:
    one = health()
    first = [one.order(key.to_bytes(2), 0.0)[0] for key in range(3000)]
    assert all(800 < first.count(shield) < 1200 for shield in SHIELDS)


def test_a_source_that_failed_rests_and_comes_back() -> None:
    one = health(CDN)
    rest_s = fail(one, CDN)
    assert (one.order(b"", 0.0), one.order(b"", rest_s), one.next_retry()) == ([], [CDN], rest_s)


def test_the_rest_is_random_within_a_bound_that_doubles_to_a_maximum() -> None:
    for failures in range(12):
        rests = []
        for seed in range(200):
            one = OriginHealth([CDN], Random(seed))
            rests += [[fail(one, CDN, now=1000.0 * number) for number in range(failures + 1)][-1]]
        bound_s = min(BACKOFF_MAX_S, BACKOFF_BASE_S * 2**failures)
        assert max(rests) <= bound_s
        assert max(rests) - min(rests) > 0.9 * bound_s


def test_a_source_may_ask_for_more_patience() -> None:
    assert fail(health(CDN), CDN, retry_after_s=100.0) == 100.0


def test_a_source_can_not_ask_for_eternal_patience() -> None:
    assert fail(health(CDN), CDN, retry_after_s=1e9) == 300.0


@pytest.mark.parametrize("outcome", HARMLESS)
def test_a_good_answer_ends_all_mistrust(outcome: Outcome) -> None:
    one = health(CDN)
    for _ in range(9):
        fail(one, CDN)
    one.attempted(CDN, outcome, received_bytes=0, now=0.0)
    assert one.order(b"", 0.0) == [CDN]
    assert fail(one, CDN) <= BACKOFF_BASE_S


def test_without_sources_there_is_no_hope() -> None:
    assert OriginHealth((), Random(1)).next_retry() == inf


def test_another_shield_does_not_clear_the_name_of_the_one_that_failed() -> None:
    one = health(CDN)
    rest_s = fail(one, CDN)
    one.use([SHIELDS[0], CDN])
    assert one.order(b"", rest_s / 2) == [SHIELDS[0]]


def test_bytes_of_a_source_that_is_gone_stay_counted() -> None:
    one = health(SHIELDS[0])
    one.attempted(SHIELDS[0], Outcome.OK, received_bytes=7, now=0.0)
    one.use([SHIELDS[1], CDN])
    one.attempted(SHIELDS[0], Outcome.OK, received_bytes=5, now=1.0)
    assert one.bytes_by_source() == {"shield": 12, "cdn": 0}
