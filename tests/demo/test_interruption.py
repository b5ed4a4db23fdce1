"""Ctrl-C ends the demo at once, and nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house.source import ROOT


def session_members(session: int) -> list[int]:
    """Processes of a session; those that ended and wait to be reaped do not count."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, theirs = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(theirs) == session and state != "Z":
                found.append(int(entry.name))
    return found


def gone_within(seconds: float, session: int) -> bool:
    """Python's own helper of process pools sees the end of its parent a moment later."""
    deadline = time.monotonic() + seconds
    while session_members(session) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not session_members(session)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_is_gone_with_all_that_it_made(number: signal.Signals, tmp_path: Path) -> None:
    place = tmp_path / "demo"
    argv = [sys.executable, "-u", "-m", "demo", "--directory", str(place)]
    demo = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert demo.stderr is not None
    assert "Make release 1" in demo.stderr.readline()
    os.killpg(demo.pid, number)  # a terminal sends Ctrl-C to the whole group
    _, words = demo.communicate(timeout=180)
    assert demo.returncode == 130, words
    assert "Nothing of it runs any more" in words
    assert gone_within(5.0, demo.pid)
    assert not place.exists()


def test_a_directory_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    argv = [sys.executable, "-m", "demo", "--directory", str(tmp_path)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "not the demo's" in done.stderr
    assert (tmp_path / "precious").read_text() == "mine"
