"""From what was seen to a row, and the claims."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.links import Counters
from benchmarks.swarm.rows import Outcome, Row, missed, row_of
from benchmarks.swarm.scenarios import SCENARIOS

SIZE = 1_000_000
PEERS = SCENARIOS["S1"].counted


def seen(scenario: str = "S1", **changes: Any) -> Outcome:
    counted = SCENARIOS[scenario].counted
    links = {"seed": Counters(1_050_000, 0)} | {peer: Counters(0, 1_060_000) for peer in counted}
    links |= {site.name: Counters(0, 1_200_000) for site in SCENARIOS[scenario].sites}
    times = {peer: 0.1 + number / 100 for number, peer in enumerate(counted)}
    cpu_s, rss = {"seed": 0.03, "peer1": 0.05}, {"seed": 1, "peer1": 5, "peer2": 4}
    return replace(Outcome(times, links, cpu_s_by=cpu_s, rss_bytes=rss), **changes)


def row(scenario: str = "S1", **changes: Any) -> Row:
    return row_of(SCENARIOS[scenario], "p2pd", 1, SIZE, seen(scenario, **changes))


def test_the_slowest_peer_counts() -> None:
    assert row().slowest_s == pytest.approx(0.17)
    assert row().ratio == pytest.approx(0.17 / 0.16)


def test_copies_are_what_the_wire_carried_by_the_size() -> None:
    assert (row().origin_copies, row().received_copies) == (1.05, 1.06)


def test_cpu_is_for_each_gigabyte_that_was_delivered() -> None:
    assert row().cpu_s_per_gb == pytest.approx(0.08 / (8 * 0.001))


def test_who_did_not_finish_leaves_no_ratio() -> None:
    short = row(finished_s={"peer1": 0.1})
    assert (short.finished, short.ratio, short.slowest_s, short.cpu_s_per_gb) == (1, None, None, None)


def test_a_shared_link_is_told_only_where_there_is_one() -> None:
    assert "site_copies" not in row().plain()
    assert row("S4").plain()["site_copies"] == 1.2


def test_the_slow_peers_effect_is_the_others_time_by_their_time_without_it() -> None:
    alone = row_of(SCENARIOS["S8-"], "p2pd", 1, SIZE, seen("S8-"))
    beside = row_of(SCENARIOS["S8"], "p2pd", 1, SIZE, seen("S8", finished_s=dict.fromkeys(PEERS[:7], 0.32)), alone)
    assert beside.slowdown == pytest.approx(0.32 / 0.16)
    assert missed(beside) == ["slowdown 2.000 > 1.05"]


def test_a_row_within_all_claims_misses_none() -> None:
    assert row().missed == ()


def test_every_claim_that_is_not_kept_is_named() -> None:
    late = row(finished_s=dict.fromkeys(PEERS, 0.2), links=seen().links | {"seed": Counters(1_300_000, 0)})
    assert list(late.missed) == ["ratio 1.250 > 1.15", "origin_copies 1.300 > 1.15"]


def test_who_does_not_finish_keeps_no_claim() -> None:
    assert list(row(finished_s={}).missed) == ["0 of 8 finished"]


def test_a_verified_byte_that_came_again_after_a_restart_is_a_claim_not_kept() -> None:
    assert list(row("S6", notes={"refetched_bytes": 7}).missed) == ["7 verified bytes were fetched twice"]
