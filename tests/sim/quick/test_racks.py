"""Hosts that know their rack: about one copy comes over its link, and all are done sooner."""

from typing import Any

import numpy as np
import pytest

import sim
from sim.errors import ScenarioError
from sim.facts import RACK, REGION, REMOTE, SEEDER

MB = 1e6
CHUNK, CHUNKS = 65_536, 96


def table(engine: str = "quick", **racks: Any) -> dict[str, Any]:
    """Two regions of four racks of four hosts, each rack's link as narrow as a host's own."""
    return {
        "name": "racks",
        "engine": engine,
        "content": {"size_bytes": float(CHUNKS * CHUNK), "chunk_bytes": float(CHUNK)},
        "hosts": {"count": 32, "uplink_bytes_per_s": 2 * MB, "downlink_bytes_per_s": 4 * MB, "latency_s": 0.002},
        "regions": {"count": 2},
        "racks": {"hosts": 4, "uplink_bytes_per_s": 2 * MB, **racks},
        "origin": {"uplink_bytes_per_s": 0.0},
        "seeders": {"per_region": 1, "uplink_bytes_per_s": 2 * MB},
    }


def last_s(result: sim.Result) -> float:
    return float(np.nanmax(result.arrays["finish_s"]))


@pytest.mark.parametrize("engine", ["quick", "fleet"])
def test_with_a_bound_for_racks_their_links_carry_a_copy_and_all_are_done_in_less_than_two_thirds_of_the_time(
    engine: str,
) -> None:
    bound = sim.run(table(engine, named=True, copies=1.2), rng_seed=1)
    into_racks = bound.arrays["bytes_by_source"][-1][[SEEDER, REGION, REMOTE]].sum() / (8 * CHUNKS * CHUNK)
    assert into_racks <= 1.2
    assert last_s(bound) < 0.67 * last_s(sim.run(table(engine), rng_seed=1))


def test_hosts_that_do_not_know_their_rack_have_no_peers_in_it() -> None:
    assert sim.run(table(), rng_seed=1).arrays["bytes_by_source"][-1][RACK] == 0


def test_a_bound_for_racks_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"set racks\.named"):
        sim.parse(table(copies=1.2))


def test_arrays_have_no_such_switch() -> None:
    with pytest.raises(ScenarioError, match=r"racks\.named"):
        sim.run(table("scale", named=True), rng_seed=1)
