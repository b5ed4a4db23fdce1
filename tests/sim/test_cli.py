"""`p2p-sim` at a terminal and in a script."""

import json
from pathlib import Path

import pytest

from sim.cli import main
from tests.sim.test_scenario import SMALL


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return str(path)


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def test_list_names_engines_and_questions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    scenarios = answer(capsys)["scenarios"]
    assert isinstance(scenarios, list)
    assert {"name", "engine", "about"} == set(scenarios[0])


def test_run_tells_the_figures_and_repeats_with_the_same_seed(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", small, "--rng-seed", "3", "--json"]) == 0
    first = answer(capsys)
    assert first["completed"] == 20
    main(["run", small, "--rng-seed", "3", "--json"])
    assert answer(capsys) == first


def test_run_prints_a_table_for_a_person(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", small]) == 0
    assert "last_over_bound" in capsys.readouterr().out


def test_a_setting_can_be_changed_with_its_unit(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", small, "--set", "hosts.count=5", "--set", "content.chunk_bytes=2 MiB", "--json"]) == 0
    facts = answer(capsys)
    assert (facts["hosts"], facts["chunks"]) == (5, 32)


def test_hosts_that_never_finish_are_exit_code_1(small: str) -> None:
    assert main(["run", small, "--set", "give_up_s=0.1", "--json"]) == 1


def test_a_sweep_runs_the_scenario_for_each_value(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", small, "--vary", "hosts.count=4,8", "--json"]) == 0
    runs = answer(capsys)["runs"]
    assert isinstance(runs, list)
    assert [(run["value"], run["hosts"]) for run in runs] == [("4", 4), ("8", 8)]


def test_a_sweep_with_one_wrong_value_runs_nothing(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", small, "--vary", "hosts.count=4,none"]) == 2
    assert "hosts.count=none: hosts.count: 'none' is not a whole number" in capsys.readouterr().err


def test_a_scenario_runs_on_another_engine_with_the_same_figures_to_read(
    small: str, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {}
    for engine in ("quick", "scale"):
        assert main(["run", small, "--engine", engine, "--json"]) == 0
        facts[engine] = answer(capsys)
        assert facts[engine]["engine"] == engine
    assert set(facts["scale"]) <= set(facts["quick"])


def test_two_engines_are_compared_by_name(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "both.html"
    assert main(["compare", f"{small}@quick", f"{small}@scale", "--report", str(report), "--json"]) == 0
    runs = answer(capsys)["runs"]
    assert isinstance(runs, list)
    assert [run["engine"] for run in runs] == ["quick", "scale"]
    assert "@quick" in report.read_text()


def test_saved_runs_are_compared(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, count in (("before", 4), ("after", 8)):
        main(["run", small, "--set", f"hosts.count={count}", "--save", str(tmp_path / f"{name}.npz"), "--quiet"])
    report = tmp_path / "both.html"
    paths = [str(tmp_path / f"{name}.npz") for name in ("before", "after")]
    assert main(["compare", *paths, "--report", str(report), "--json"]) == 0
    runs = answer(capsys)["runs"]
    assert isinstance(runs, list)
    assert [run["hosts"] for run in runs] == [4, 8]
    assert report.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run", "flash-croud"], "did you mean 'flash-crowd'?"),
        (["run", "flash-crowd", "--set", "hosts.cuont=3"], "did you mean 'count'?"),
        (["run", "flash-crowd", "--set", "hosts.count"], "is not KEY=VALUE"),
        (["run", "flash-crowd", "--engine", "fleet"], "real daemons are too many"),
        (["run", "flash-crowd", "--engine", "abacus"], "no engine 'abacus' here"),
        (["compare", "nothing.npz", "flash-crowd"], "not a saved result"),
    ],
)
def test_a_usage_error_is_one_line_that_helps(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
