"""The scenarios, and their bounds by hand."""

import pytest

from benchmarks.swarm.scenarios import SCENARIOS, WITHOUT_ODD

SIZE = 64 * 2**20
BITS = SIZE * 8


@pytest.mark.parametrize(
    "name, bound_s",
    [
        ("S1", BITS / 50e6),
        ("S2", BITS / 25e6),
        ("S3", BITS * 8 / (50e6 + 4 * 50e6 + 4 * 10e6)),
        ("S4", BITS / 20e6),
        ("S8", BITS / 50e6),
    ],
)
def test_the_bound_is_the_narrowest_place(name: str, bound_s: float) -> None:
    assert SCENARIOS[name].bound_s(SIZE) == pytest.approx(bound_s)


def test_a_third_of_the_peers_is_killed() -> None:
    assert SCENARIOS["S6"].victims == ("peer6", "peer7", "peer8")


def test_nobody_is_killed_where_nothing_is_said_of_it() -> None:
    assert SCENARIOS["S1"].victims == ()


def test_nobody_waits_for_the_odd_peer() -> None:
    assert "peer8" not in SCENARIOS["S8"].counted
    assert "peer8" in {host.name for host in SCENARIOS["S8"].plan.hosts}


@pytest.mark.parametrize("name", WITHOUT_ODD)
def test_the_comparison_lacks_the_odd_peer_and_nothing_else(name: str) -> None:
    assert SCENARIOS[WITHOUT_ODD[name]].counted == SCENARIOS[name].counted
