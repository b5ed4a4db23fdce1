"""What all engines share of a scenario."""

import tomllib

import numpy as np
import pytest

import sim
from p2pd.policy.dialing import DEGREE, OUTSIDE_RESERVED
from p2pd.policy.picking import SAMPLES
from p2pd.policy.serving import SENDS_MIN
from p2pd.policy.sources import STALL_S
from p2pd.policy.telling import TELL_S
from sim.plan import Policy, SwarmPlan, parts_of
from sim.population import population
from sim.scenario import changed
from tests.sim.test_scenario import SMALL


def small(**hosts: object) -> SwarmPlan:
    table = tomllib.loads(SMALL)
    for key, value in hosts.items():
        table = changed(table, f"hosts.{key}", value)
    found: SwarmPlan = sim.parse(table).plan
    return found


def test_the_numbers_of_the_arrays_are_the_daemons_own() -> None:
    policy = Policy()
    assert policy.degree == DEGREE
    assert policy.remote_degree == OUTSIDE_RESERVED
    assert policy.rarest_of == SAMPLES
    assert policy.request_timeout_s == STALL_S
    assert policy.tell_delay_s == TELL_S
    assert policy.sends_at_once == SENDS_MIN


@pytest.mark.parametrize(
    "piece_bytes, uplink, parts",
    [(1000, 1e6, 1), (64 * 1024, 1e6, 3), (256 * 1024, 10e6, 3), (4 * 2**20, 125e6, 3), (4 * 2**20, 1e6, 16)],
)
def test_a_piece_travels_in_parts_of_some_milliseconds(piece_bytes: int, uplink: float, parts: int) -> None:
    assert parts_of(piece_bytes, uplink) == parts


def test_the_last_host_joins_at_the_end_of_the_span_and_none_later() -> None:
    assert population(small(join_over_s=100.0), 3).join_s.max() == 100.0


def test_exactly_the_share_that_is_slow_is_slow() -> None:
    who = population(small(slow_share=0.25, slow_factor=4.0), 3)
    assert np.count_nonzero(who.speed == 0.25) == 5


def test_hosts_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    spread = small(latency_spread=0.5)
    first, again, other = (population(spread, seed).latency_s for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
