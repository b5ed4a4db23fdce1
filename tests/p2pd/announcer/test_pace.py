"""When to try again and when to announce."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.policy.announcing import GAP_S, GATHER_S, INTERVAL_S_MAX, INTERVAL_S_MIN, AnnouncePace, fitting, matters
from p2pd.policy.backoff import BASE_S, LIMIT_S, Backoff, jittered
from p2pd.wire.announce import SWARMS_MAX, SwarmStatus

SWARM, OTHER = b"s" * 32, b"o" * 32


def status(have: int = 0, wanted: int = 0, swarm: bytes = SWARM, pieces: int = 10) -> SwarmStatus:
    return SwarmStatus(swarm, have, pieces, wanted)


def test_pauses_grow_to_a_limit() -> None:
    backoff = Backoff(Random(1))
    bounds = []
    for _ in range(10):
        bounds.append(backoff.bound_s)
        backoff.failed()
    assert bounds == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]


@given(st.integers(), st.integers(0, 2000))
def test_no_pause_is_longer_than_the_limit(rng_seed: int, failures: int) -> None:
    assert 0 <= Backoff(Random(rng_seed), failures=failures).failed() <= LIMIT_S


def test_pauses_spread_over_the_whole_range() -> None:
    rng = Random(1)
    pauses = [Backoff(rng, failures=6).failed() for _ in range(1000)]
    assert min(pauses) < 1
    assert max(pauses) > 29


def test_success_starts_over() -> None:
    backoff = Backoff(Random(1), failures=9)
    backoff.succeeded()
    assert backoff.bound_s == BASE_S


@given(st.floats(0.1, 1000), st.integers())
def test_a_jittered_interval_is_never_longer_and_little_shorter(interval_s: float, rng_seed: int) -> None:
    assert 0.8 * interval_s <= jittered(interval_s, Random(rng_seed)) <= interval_s


@pytest.mark.parametrize(
    "old, new",
    [
        ([], [status()]),
        ([status()], []),
        ([status()], [status(swarm=OTHER)]),
        ([status(9)], [status(10)]),
        ([status(10)], [status(9)]),
        ([status(wanted=0)], [status(wanted=3)]),
    ],
    ids=["joined", "left", "changed", "completed", "lost", "in want"],
)
def test_what_others_act_upon_matters(old: list[SwarmStatus], new: list[SwarmStatus]) -> None:
    assert matters(old, new)


@pytest.mark.parametrize(
    "old, new",
    [([status(3)], [status(4)]), ([status(wanted=3)], [status(wanted=5)]), ([status(wanted=3)], [status()])],
    ids=["progress", "more in want", "no more in want"],
)
def test_what_can_wait_does_not_matter(old: list[SwarmStatus], new: list[SwarmStatus]) -> None:
    assert not matters(old, new)


def test_of_too_many_swarms_those_in_want_are_announced() -> None:
    swarms = [status(swarm=number.to_bytes(32, "big"), wanted=int(number == 300)) for number in range(301)]
    assert (len(fitting(swarms)), swarms[300] in fitting(swarms)) == (SWARMS_MAX, True)


def pace(interval_s: float = 20.0) -> AnnouncePace:
    made = AnnouncePace(Random(1))
    made.announced(100.0)
    made.renewed(interval_s)
    return made


def test_a_new_connection_announces_at_once() -> None:
    made = pace()
    made.connected()
    assert made.due < 100.0


def test_the_next_announce_comes_when_the_tracker_asked_for_it() -> None:
    assert 116.0 <= pace(20.0).due <= 120.0


def test_a_change_is_announced_at_once() -> None:
    made = pace()
    made.changed(107.0)
    assert made.due == 107.0 + GATHER_S


def test_changes_in_quick_succession_are_gathered() -> None:
    made = pace()
    made.announced(100.1)
    made.changed(100.2)
    made.changed(100.3)
    assert made.due == 100.0 + GAP_S


def test_a_change_is_not_put_off_by_the_answer_to_the_announce_before() -> None:
    made = pace()
    made.changed(100.1)
    made.renewed(300.0)
    assert made.due == 100.1 + GATHER_S


@pytest.mark.parametrize("asked_s, kept_s", [(0.0, INTERVAL_S_MIN), (1e12, INTERVAL_S_MAX)])
def test_a_mad_tracker_is_not_obeyed(asked_s: float, kept_s: float) -> None:
    assert pace(asked_s).interval_s == kept_s
