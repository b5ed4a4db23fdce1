"""Every claim of theory or of others that the simulator is held against."""

import pytest

from sim.bounds import chunked_optimum_s, fluid_bound_s
from sim.validation import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_simulator_agrees(check: Check) -> None:
    broken = [outcome for outcome in check.run() if not outcome.holds]
    assert not broken


def test_the_fluid_bound_is_the_largest_of_its_three_terms() -> None:
    assert fluid_bound_s(100, 10, 5, 1000, 50) == 20
    assert fluid_bound_s(100, 10, 500, 1000, 2) == 50
    assert fluid_bound_s(100, 10, 10, 10, 50) == 50


def test_the_chunked_optimum_of_one_receiver_is_the_time_of_one_copy() -> None:
    assert chunked_optimum_s(100, 7, 1, 10) == 10
