"""How late a node may see what comes."""

import pytest

from p2pd.policy.patience import ENDING_SHARE, FAST_PER_S, FORGET_S, LATE_S, LOOK_S, YOUNG_SHARE, Patience

A, B = b"a" * 32, b"b" * 32
AMID = (YOUNG_SHARE + ENDING_SHARE) / 2


def moving(bytes_per_s: float, seconds: float = 10.0) -> Patience:
    """At this rate for so long, until now."""
    patience = Patience()
    for tenth in range(round(10 * seconds)):
        patience.passed(A, round(bytes_per_s / 10), (tenth + 1) / 10)
    return patience


@pytest.mark.parametrize(
    ("share", "late_s"),
    [(0.0, 0.0), (YOUNG_SHARE - 0.01, 0.0), (AMID, LATE_S), (ENDING_SHARE + 0.01, 0.0), (1.0, 0.0)],
)
def test_it_may_be_late_in_the_middle_of_a_download_not_at_its_ends(share: float, late_s: float) -> None:
    assert moving(1e6).late_s(A, share, 10.0) == late_s


def test_it_is_never_late_on_a_fast_link() -> None:
    assert moving(0.8 * FAST_PER_S).late_s(A, AMID, 10.0) == LATE_S
    assert moving(1.2 * FAST_PER_S).late_s(A, AMID, 10.0) == 0.0


def test_one_young_swarm_keeps_it_awake_for_all_until_nothing_moves_there() -> None:
    patience = moving(1e6)
    assert patience.late_s(B, 0.0, 10.0) == 0.0
    assert patience.late_s(A, AMID, 10.0 + FORGET_S / 2) == 0.0
    assert patience.late_s(A, AMID, 10.1 + FORGET_S) == LATE_S


def test_it_looks_how_far_a_swarm_is_a_few_times_a_second() -> None:
    patience = Patience()
    assert patience.passed(A, 1000, 0.0)
    patience.late_s(A, AMID, 0.0)
    assert not patience.passed(A, 1000, 0.9 * LOOK_S)
    assert patience.passed(B, 1000, 0.9 * LOOK_S)
    assert patience.passed(A, 1000, LOOK_S)
