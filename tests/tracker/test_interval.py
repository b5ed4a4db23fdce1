"""How soon to announce again."""

from tracker.swarms.interval import IntervalLimits, announce_interval_s

from .nodes import PIECES, status

LIMITS = IntervalLimits(busy_s=5, idle_s=30, max_s=300, announces_per_s_max=100)


def test_soon_while_something_is_missing() -> None:
    assert announce_interval_s([status(PIECES), status(3)], 1, LIMITS) == 5


def test_later_when_all_is_there() -> None:
    assert announce_interval_s([status(PIECES)], 1, LIMITS) == 30


def test_a_node_in_no_swarm_is_idle() -> None:
    assert announce_interval_s([], 1, LIMITS) == 30


def test_a_large_fleet_announces_no_oftener_than_the_tracker_bears() -> None:
    nodes = 10_000
    assert nodes / announce_interval_s([status(3)], nodes, LIMITS) == LIMITS.announces_per_s_max


def test_never_later_than_the_longest() -> None:
    assert announce_interval_s([status(3)], 10_000_000, LIMITS) == 300
