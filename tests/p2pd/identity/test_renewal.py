"""When the next certificate is asked for."""

from random import Random

import pytest

from p2pd.identity.certificate import BACKDATED_S, Certificate
from p2pd.identity.renewal import RETRY_S_MAX, RETRY_S_MIN, Renewal
from p2pd.world.network import Identity

DAY_S = 86_400.0
NOW = 1_700_000_000.0


def certificate(life_s: float, *, backdated_s: float = BACKDATED_S) -> Certificate:
    return Certificate(Identity(), 1, b"", NOW - backdated_s, NOW + life_s)


@pytest.mark.parametrize("life_s", [3_600.0, DAY_S, 7 * DAY_S])
def test_it_is_asked_for_between_a_half_and_two_thirds_of_its_life(life_s: float) -> None:
    waits = [Renewal(certificate(life_s), Random(seed)).wait_s(NOW) for seed in range(50)]
    assert life_s / 2 <= min(waits)
    assert max(waits) <= life_s * 2 / 3
    assert len(set(waits)) == 50


def test_who_was_off_for_long_asks_at_once() -> None:
    assert Renewal(certificate(DAY_S), Random(1)).wait_s(NOW + 0.9 * DAY_S) == 0


def test_a_clock_that_is_behind_makes_nobody_wait_longer() -> None:
    renewal = Renewal(certificate(DAY_S), Random(1))
    assert renewal.wait_s(NOW - 20 * DAY_S) == pytest.approx(renewal.wait_s(NOW))


def test_a_certificate_that_is_not_dated_back_is_renewed_half_way_too() -> None:
    foreign = certificate(DAY_S / 2, backdated_s=0.0)
    assert DAY_S / 4 <= Renewal(foreign, Random(1)).wait_s(NOW) <= DAY_S / 3


def test_attempts_that_fail_are_repeated_more_often_towards_the_end_but_never_hastily() -> None:
    renewal = Renewal(certificate(DAY_S), Random(1))
    early, late = renewal.retry_s(NOW + DAY_S / 2), renewal.retry_s(NOW + 0.95 * DAY_S)
    assert early <= RETRY_S_MAX
    assert late < early
    assert RETRY_S_MIN / 2 <= renewal.retry_s(NOW + 2 * DAY_S) <= RETRY_S_MIN
