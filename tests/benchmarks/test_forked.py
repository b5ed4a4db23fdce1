"""A command that is imported once, and started often, is a process of its own each time."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.forked import CRASHED, Forking


@pytest.fixture(scope="module")
def forking() -> Iterator[Forking]:
    with Forking("tests.benchmarks.napping") as started:
        yield started


@pytest.mark.parametrize("code", [0, 3])
def test_what_a_command_exits_with_and_prints_is_seen(forking: Forking, tmp_path: Path, code: int) -> None:
    out = tmp_path / "out"
    assert forking.start(["nap", "0", str(code)], out, tmp_path / "complaints").wait() == code
    assert out.read_text() == "napped 0 s\n"


def test_a_command_that_is_killed_says_so(forking: Forking, tmp_path: Path) -> None:
    running = forking.start(["nap", "600", "0"], tmp_path / "out", tmp_path / "complaints")
    assert not running.ended
    running.kill()
    assert running.wait() == -signal.SIGKILL


def test_killing_what_has_ended_changes_nothing(forking: Forking, tmp_path: Path) -> None:
    running = forking.start(["nap", "0", "5"], tmp_path / "out", tmp_path / "complaints")
    while not running.ended:
        pass
    running.kill()
    assert running.wait() == 5


def test_an_exception_ends_the_command_and_is_told(forking: Forking, tmp_path: Path) -> None:
    complaints = tmp_path / "complaints"
    assert forking.start(["nap", "soon", "0"], tmp_path / "out", complaints).wait() == CRASHED
    assert "could not convert" in complaints.read_text()
