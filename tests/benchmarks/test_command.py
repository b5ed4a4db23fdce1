"""What the commands have in common."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks import command
from benchmarks.links import BenchmarkError


@dataclass(frozen=True)
class Figure:
    name: str
    missed: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        return {"name": self.name}


def run(*rows: Figure | BaseException, as_json: bool = False) -> int:
    def give() -> Iterator[Figure]:
        for row in rows:
            if isinstance(row, BaseException):
                raise row
            yield row

    return command.run("bench", give(), lambda row: row.name, as_json=as_json)


def test_kept_claims_are_exit_code_0_and_others_1() -> None:
    assert run(Figure("a")) == 0
    assert run(Figure("a"), Figure("b", ("too slow",))) == 1


def test_json_is_one_list_on_standard_output_and_words_go_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    run(Figure("a"), Figure("b"), as_json=True)
    said = capsys.readouterr()
    assert json.loads(said.out) == [{"name": "a"}, {"name": "b"}]
    assert said.err.split() == ["a", "b"]


def test_rows_before_an_interruption_are_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Figure("a"), KeyboardInterrupt(), as_json=True) == 130
    assert json.loads(capsys.readouterr().out) == [{"name": "a"}]


def test_what_cannot_be_measured_is_one_line_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(BenchmarkError("needs root: run it with sudo")) == 1
    assert capsys.readouterr().err == "bench: needs root: run it with sudo\n"


def test_a_system_that_there_is_not_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    made = command.parser("benchmarks.x", "about", "example")
    command.add_systems(made, ["p2pd", "aria2"], ["p2pd"])
    with pytest.raises(SystemExit, match="2"):
        made.parse_args(["--systems", "p2pd,bittorrent"])
    assert "there are p2pd, aria2" in capsys.readouterr().err


def test_random_content_has_the_size_that_was_asked_for_and_goes_away() -> None:
    with command.random_content(2**24 + 5, None) as content:
        assert content.stat().st_size == 2**24 + 5
    assert not content.exists()
