"""Results survive being saved, and pages stand alone."""

import re
import tomllib
import xml.dom.minidom
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.report import compare_page, page, sweep_page
from sim.report.svg import apart, clock, lasting, ticks, time_ticks
from sim.scenario import changed, load_table
from tests.sim.test_scenario import SMALL


@pytest.fixture(scope="module")
def result() -> sim.Result:
    return sim.run(tomllib.loads(SMALL))


@pytest.fixture(scope="module")
def rollout() -> sim.Result:
    table = load_table("os-rollout-500m")
    for key, value in {"step_s": "1 h", "sample_devices": 2_000, "lans": [{"size": 2, "share": 1.0}]}.items():
        table = changed(table, key, value)
    return sim.run(table)


def test_a_result_is_the_same_after_a_round_trip(result: sim.Result, tmp_path: Path) -> None:
    result.save(str(tmp_path / "run.npz"))
    again = sim.Result.load(str(tmp_path / "run.npz"))
    assert (again.summary(), again.labels, again.settings) == (result.summary(), result.labels, result.settings)
    for name, array in result.arrays.items():
        assert np.array_equal(again.arrays[name], array, equal_nan=array.dtype.kind == "f")


def test_another_file_is_not_taken_for_a_result(tmp_path: Path) -> None:
    (tmp_path / "other.npz").write_bytes(b"hello")
    with pytest.raises(sim.ResultError, match="not a saved result"):
        sim.Result.load(str(tmp_path / "other.npz"))


def test_percentiles_and_the_share_of_completed_hosts_agree(result: sim.Result) -> None:
    finish = np.sort(result.arrays["finish_s"])
    assert result.facts["p50_s"] == finish[9]
    assert result.facts["last_s"] == finish[-1]
    assert result.arrays["completed"][-1] == 1.0


def test_the_bytes_by_source_add_up_to_one_release_for_each_host(result: sim.Result) -> None:
    assert result.arrays["bytes_by_source"][-1].sum() == 20 * 64 * 1024**2


@pytest.mark.parametrize("which", ["result", "rollout"])
def test_a_page_needs_no_network_and_all_its_pictures_are_sound(which: str, request: pytest.FixtureRequest) -> None:
    text = page(request.getfixturevalue(which))
    assert not re.search(r"https?://|<script|<link|@import|url\(", text)
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) >= 5
    for picture in pictures:
        xml.dom.minidom.parseString(picture)
        assert not re.search(r"\b(nan|inf)\b", picture)


def test_a_page_draws_the_bound_and_the_percentiles(result: sim.Result) -> None:
    text = page(result)
    assert f"bound {lasting(result.facts['bound_s'])}" in text
    assert all(f">{name}</text>" in text for name in ("p50", "p90", "p99", "last"))


def test_a_page_shows_when_something_was_away() -> None:
    table = tomllib.loads(SMALL)
    table["regions"] = {**table.get("regions", {}), "count": 2, "cuts": [{"region": 1, "from_s": 1, "until_s": "3 s"}]}
    assert "region 1 is cut off" in page(sim.run({**table, "tracker": {"outage_until_s": "5 s"}}))


def test_a_page_says_whether_brains_were_compiled() -> None:
    quick = sim.run(changed(tomllib.loads(SMALL), "engine", "quick"), interpreted=True)
    assert re.search(r"compiled</td>\s*<td[^>]*>false<", page(quick))


def test_a_page_says_how_much_each_source_gave_in_all(result: sim.Result) -> None:
    assert re.search(r"peers, same region: [\d.]+ GB, [\d.]+ %", page(result))


@pytest.mark.parametrize("seconds, words", [(45, "45 s"), (120, "2 min"), (135, "2:15 min"), (5400, "1.5 h")])
def test_a_moment_is_told_as_a_clock_would(seconds: float, words: str) -> None:
    assert clock(seconds) == words


def test_a_page_stays_small(result: sim.Result) -> None:
    assert len(page(result)) < 150_000


def test_a_page_escapes_what_a_scenario_says() -> None:
    text = page(sim.run(changed(tomllib.loads(SMALL), "about", "<script>alert(1)</script>")))
    assert "<script>" not in text


def test_runs_are_compared_on_one_page(result: sim.Result) -> None:
    assert "policy.degree = 8" in sweep_page("policy.degree", [("8", result), ("16", result)])
    assert "before · after" in compare_page([("before", result), ("after", result)])


def test_ticks_are_round_and_within() -> None:
    assert ticks(0.0, 1.06) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert time_ticks(0.0, 190.0, 6) == [0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0]


def test_labels_are_moved_apart_and_stay_inside() -> None:
    assert apart([10.0, 11.0, 12.0], 5.0, 0.0, 18.0) == [8.0, 13.0, 18.0]


@pytest.mark.parametrize(
    "seconds, words", [(86.42, "86.4 s"), (187, "3 min 07 s"), (7500, "2 h 05 min"), (320_000, "3 d 17 h")]
)
def test_a_length_of_time_is_told_in_two_units(seconds: float, words: str) -> None:
    assert lasting(seconds) == words
