"""A scenario on real daemons: what it says happens to them, and the books are right."""

from typing import Any

import numpy as np
import pytest

import sim

MIB = 2.0**20
PIECE = MIB / 4


def deploy(count: int = 6, pieces: int = 64, **changes: Any) -> dict[str, Any]:
    table: dict[str, Any] = {
        "name": "test",
        "engine": "fleet",
        "content": {"size_bytes": pieces * PIECE, "chunk_bytes": PIECE},
        "hosts": {"count": count, "uplink_bytes_per_s": MIB, "downlink_bytes_per_s": 2 * MIB},
        "origin": {"uplink_bytes_per_s": 0},
        "seeders": {"per_region": 1, "uplink_bytes_per_s": MIB},
    }
    for name, values in changes.items():
        table[name] = {**table.get(name, {}), **values}
    return table


def test_every_daemon_ends_with_every_byte_and_none_before_the_bound() -> None:
    result = sim.run(deploy())
    assert result.facts["unfinished"] == 0
    assert result.facts["last_over_bound"] > 1.0
    assert np.asarray(result.arrays["bytes_by_source"])[-1].sum() == 6 * 64 * PIECE


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = (sim.run(deploy(), rng_seed=5).arrays["finish_s"] for _ in range(2))
    assert np.array_equal(first, second)


def test_a_run_costs_the_same_time_whatever_its_dilution() -> None:
    hosts = {"uplink_bytes_per_s": 8 * MIB, "downlink_bytes_per_s": 10 * MIB}
    seeders = {"uplink_bytes_per_s": 8 * MIB}
    coarse, fine = (
        sim.run(deploy(pieces=256, hosts=hosts, seeders=seeders, daemons={"dilution": d})).facts["last_s"]
        for d in (256, 64)
    )
    assert coarse == pytest.approx(fine, rel=0.05)


def test_who_joins_late_finishes_after_joining() -> None:
    result = sim.run(deploy(hosts={"join_over_s": 200.0}))
    assert result.facts["unfinished"] == 0
    assert result.facts["last_s"] > 100.0


def test_the_dead_are_counted_and_the_living_finish() -> None:
    facts = sim.run(deploy(hosts={"dying_share": 0.2, "dying_by_s": 10.0})).facts
    assert (facts["died"], facts["completed"], facts["unfinished"]) == (1, 5, 0)


def test_nothing_crosses_a_cut_while_it_lasts() -> None:
    cut = {"count": 2, "feed_bytes_per_s": MIB, "cuts": [{"region": 1, "from_s": 5, "until_s": 60}]}
    table = deploy(pieces=128, seeders={"per_region": 1, "uplink_bytes_per_s": MIB / 2}, regions=cut)
    result = sim.run(table)
    time, crossed = (
        np.asarray(result.arrays["time_s"], dtype=np.float64),
        np.asarray(result.arrays["crossed_bytes"])[:, 1],
    )
    during = crossed[(time > 8) & (time < 60)]
    assert result.facts["unfinished"] == 0
    assert during[0] == during[-1]


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("hosts", {"count": 5_000}, "set hosts.count"),
        ("policy", {"degree": 8}, "take the engine scale to vary it"),
        ("origin", {"uplink_bytes_per_s": MIB}, "set origin.uplink_bytes_per_s to 0"),
        ("hosts", {"stay_s": 5}, "a daemon stays"),
    ],
)
def test_what_daemons_can_not_be_given_is_refused_by_name(key: str, value: dict[str, Any], words: str) -> None:
    with pytest.raises(sim.ScenarioError, match=words):
        changes: dict[str, Any] = {key: value}
        sim.run(deploy(**changes))
