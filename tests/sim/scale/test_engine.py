"""What large swarms do, at sizes that a test can afford."""

from typing import Any

import numpy as np
import pytest

import sim
from sim.plan import SwarmPlan
from sim.population import population
from sim.scale.build import build
from sim.scale.kernel import advance
from sim.scale.state import Rules, Swarm

MB = 1e6


def deploy(hosts: int = 800, parts: int = 256, regions: int = 1, down: float = 1.1, **changes: Any) -> dict[str, Any]:
    table: dict[str, Any] = {
        "name": "test",
        "engine": "scale",
        "content": {"size_bytes": parts * MB, "chunk_bytes": MB},
        "hosts": {"count": hosts, "uplink_bytes_per_s": MB, "downlink_bytes_per_s": down * MB, "latency_s": 0},
        "regions": {"count": regions, "feed_bytes_per_s": 20 * MB, "latency_s": 1},
        "origin": {"uplink_bytes_per_s": 20 * MB, "copies_max": 1.1},
    }
    for name, values in changes.items():
        table[name] = {**table.get(name, {}), **values}
    return table


def swarm_of(table: dict[str, Any]) -> tuple[Swarm, Rules]:
    plan: SwarmPlan = sim.parse(table).plan
    return build(plan, population(plan, 1), 1)


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = (sim.run(deploy(hosts=200, regions=2), rng_seed=7) for _ in range(2))
    assert first.facts == second.facts
    assert np.array_equal(first.arrays["finish_s"], second.arrays["finish_s"])


def test_another_seed_gives_another_run() -> None:
    first, second = (sim.run(deploy(hosts=200), rng_seed=seed) for seed in (1, 2))
    assert not np.array_equal(first.arrays["finish_s"], second.arrays["finish_s"])


@pytest.mark.parametrize("down, last", [(1.1, 1.15), (1.0, 1.20), (2.0, 1.12)])
def test_the_last_host_is_near_the_bound_and_never_under_it(down: float, last: float) -> None:
    facts = sim.run(deploy(down=down, parts=512)).facts
    assert facts["unfinished"] == 0
    assert 1.0 <= facts["last_over_bound"] <= last


def test_a_region_takes_in_little_more_than_one_copy() -> None:
    facts = sim.run(deploy(regions=4)).facts
    assert 1.0 <= facts["copies_into_region_max"] <= 1.3
    assert facts["origin_copies_per_region"] <= 1.5


def test_no_region_takes_in_more_than_its_feed_carries() -> None:
    table = deploy(regions=4, down=2.0, origin={"copies_max": 50.0})
    table["regions"]["feed_bytes_per_s"] = 3 * MB
    result = sim.run(table)
    time, crossed = result.arrays["time_s"], np.asarray(result.arrays["crossed_bytes"])
    assert (np.diff(crossed, axis=0) <= 3 * MB * np.diff(time)[:, None] + 2 * MB).all()


def test_nobody_receives_faster_than_its_downlink() -> None:
    swarm, rules = swarm_of(deploy(hosts=20, down=1.5, origin={"copies_max": 90.0}))
    advance(swarm, rules, 0, 100)
    assert 1.2 * 100 < swarm.taken_count.max() <= 1.5 * 100 + 1


def test_nobody_sends_faster_than_its_uplink() -> None:
    swarm, rules = swarm_of(deploy(hosts=300, down=2.0, origin={"copies_max": 1.0}))
    advance(swarm, rules, 0, 100)
    assert swarm.moved[2:].sum() <= 300 * 100


def test_what_a_host_has_it_was_sent_once() -> None:
    swarm, rules = swarm_of(deploy(hosts=300, regions=3))
    advance(swarm, rules, 0, 5_000)
    assert swarm.moved.sum() == 300 * 256
    assert (swarm.has_count == 256).all()


def test_the_living_finish_although_one_in_a_hundred_dies() -> None:
    table = deploy(regions=2, parts=512)
    table["hosts"] |= {"dying_share": 0.01, "dying_by_s": 500}
    facts = sim.run(table).facts
    assert facts["died"] == pytest.approx(8, abs=1)
    assert facts["unfinished"] == 0
    assert facts["p99_over_bound"] <= 1.25


def test_a_region_that_is_cut_off_finishes_after_the_others_and_soon_after_the_heal() -> None:
    cut = {"count": 2, "feed_bytes_per_s": 2 * MB, "cuts": [{"region": 1, "from_s": 20, "until_s": 600}]}
    result = sim.run(deploy(hosts=400, regions=2) | {"regions": cut})
    finish, region = result.arrays["finish_s"], result.arrays["region"]
    assert finish[region == 0].max() < 600 < finish[region == 1].min()
    assert result.facts["last_over_bound"] < 1.4


def test_those_who_come_while_the_tracker_is_away_finish_too() -> None:
    table = deploy(hosts=400, origin={"copies_max": 20.0}, tracker={"announce_s": 10, "outage_until_s": 400},
                   content={"size_bytes": 128 * MB})  # fmt: skip
    table["hosts"] |= {"join_over_s": 300}
    assert sim.run(table).facts["unfinished"] == 0


def test_racks_take_most_chunks_from_within() -> None:
    table = deploy(hosts=400, parts=128, racks={"hosts": 40, "uplink_bytes_per_s": 10 * MB}, down=1.25)
    result = sim.run(table)
    rack = result.labels["bytes_by_source"].index("peers, same rack")
    assert result.facts["unfinished"] == 0
    assert np.asarray(result.arrays["bytes_by_source"])[-1, rack] > 0.7 * 400 * 128 * MB


def test_the_letter_of_the_picking_rule_and_its_cheaper_form_end_within_two_percent() -> None:
    exact, cheap = (
        sim.run(deploy(parts=512, policy={"exact_picking": exact})).facts["last_s"] for exact in (True, False)
    )
    assert cheap == pytest.approx(exact, rel=0.02)


def test_hosts_that_never_finish_are_counted() -> None:
    facts = sim.run(deploy(hosts=50) | {"give_up_s": 50.0}).facts
    assert facts["unfinished"] == 50
