"""When a node announces, and what fits."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.policy.announcing import (
    GAP_S,
    GATHER_S,
    INTERVAL_S_MAX,
    INTERVAL_S_MIN,
    PEERS_REFRESHED,
    PEERS_WANTED,
    AnnouncePace,
    fitting,
    matters,
    peers_wanted,
)
from p2pd.policy.dialing import DEGREE
from p2pd.wire.announce import SWARMS_MAX, SwarmStatus

A, B = b"a" * 32, b"b" * 32


@pytest.mark.parametrize(
    "old, new, told",
    [
        ([], [], False),
        ([], [SwarmStatus(A, 0, 9)], True),
        ([SwarmStatus(A, 0, 9)], [], True),
        ([SwarmStatus(A, 0, 9)], [SwarmStatus(B, 0, 9)], True),
        ([SwarmStatus(A, 0, 9)], [SwarmStatus(A, 8, 9)], False),
        ([SwarmStatus(A, 8, 9)], [SwarmStatus(A, 9, 9)], True),
        ([SwarmStatus(A, 9, 9)], [SwarmStatus(A, 8, 9)], True),
        ([SwarmStatus(A, 0, 9)], [SwarmStatus(A, 0, 9, 5)], True),
        ([SwarmStatus(A, 0, 9, 5)], [SwarmStatus(A, 0, 9, 7)], False),
        ([SwarmStatus(A, 0, 9, 5)], [SwarmStatus(A, 0, 9)], False),
    ],
)
def test_only_what_others_act_upon_is_told_at_once(old: list[SwarmStatus], new: list[SwarmStatus], told: bool) -> None:
    assert matters(old, new) is told


def test_of_too_many_swarms_those_that_want_peers_go_first() -> None:
    many = [SwarmStatus(number.to_bytes(32, "big"), 0, 9, number % 2) for number in range(2 * SWARMS_MAX)]
    chosen = fitting(many)
    assert len(chosen) == SWARMS_MAX
    assert all(status.wanted for status in chosen)


@pytest.mark.parametrize(
    "complete, neighbours, wanted",
    [(False, 0, PEERS_WANTED), (False, DEGREE - 1, PEERS_WANTED), (False, DEGREE, PEERS_REFRESHED), (True, 0, 0)],
)
def test_whoever_has_neighbours_enough_asks_for_few_more(complete: bool, neighbours: int, wanted: int) -> None:
    assert peers_wanted(complete=complete, neighbours=neighbours) == wanted


def test_a_new_connection_announces_at_once() -> None:
    pace = AnnouncePace(Random(1))
    pace.announced(10.0)
    pace.connected()
    assert pace.due <= 10.0


def test_changes_of_one_moment_are_one_announce() -> None:
    pace = AnnouncePace(Random(1))
    pace.announced(10.0)
    pace.changed(10.1)
    pace.changed(10.11)
    assert pace.due == 10.1 + GATHER_S


def test_after_two_announces_changes_are_gathered_for_longer() -> None:
    pace = AnnouncePace(Random(1))
    pace.announced(10.0)
    pace.announced(10.1)
    pace.changed(10.2)
    pace.changed(10.3)
    assert pace.due == 10.0 + GAP_S


def test_in_the_long_run_there_is_one_announce_in_each_gap() -> None:
    pace, times = AnnouncePace(Random(1)), [10.0]
    pace.announced(times[0])
    for _ in range(10):
        pace.changed(times[-1])
        times.append(max(times[-1], pace.due))
        pace.announced(times[-1])
    assert times[-1] == pytest.approx(10.0 + 9 * GAP_S)


@given(st.floats(allow_nan=False, min_value=0), st.integers(0, 99))
def test_without_a_change_it_waits_as_the_tracker_said_within_reason(asked_s: float, rng_seed: int) -> None:
    pace = AnnouncePace(Random(rng_seed))
    pace.announced(0.0)
    pace.renewed(asked_s)
    assert 0.8 * INTERVAL_S_MIN <= pace.due <= INTERVAL_S_MAX


def test_what_was_announced_is_no_change_any_more() -> None:
    pace = AnnouncePace(Random(1))
    pace.changed(5.0)
    pace.announced(5.0)
    assert pace.due > 5.0 + GAP_S
