"""How much of a download HTTP should bring."""

from math import inf

from p2pd.policy.deadline import BEHIND_S, aim_at, needed_per_s, patience_s


def test_a_deadline_asks_for_what_is_missing_in_the_time_that_is_left() -> None:
    assert needed_per_s(1000, 10, 0) == 100


def test_a_tenth_of_the_time_is_kept_for_what_goes_wrong() -> None:
    assert aim_at(110.0, 10.0) == 100.0
    assert aim_at(5.0, 10.0) == 5.0
    assert aim_at(inf, 10.0) == inf


def test_without_a_deadline_the_floor_is_what_is_needed() -> None:
    assert needed_per_s(1000, inf, 50) == 50


def test_the_higher_of_floor_and_deadline_counts() -> None:
    assert needed_per_s(1000, 10, 500) == 500


def test_once_the_time_is_over_no_rate_is_enough() -> None:
    assert needed_per_s(1, 0, 0) == inf
    assert needed_per_s(1, -5, 0) == inf


def test_nothing_missing_needs_nothing() -> None:
    assert needed_per_s(0, -5, 100) == 0


def test_a_tight_deadline_has_less_patience() -> None:
    assert patience_s(inf) == BEHIND_S
    assert patience_s(10) == 1.0
    assert patience_s(-1) == 0.0
