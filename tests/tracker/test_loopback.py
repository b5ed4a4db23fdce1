"""A real tracker process on loopback, and kill -9."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READY_S = 20.0
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("P2P")}


@contextmanager
def serving(directory: Path, *flags: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process and its address; killed at the end of the block."""
    command = [sys.executable, "-m", "tracker", "serve", "--listen", "127.0.0.1:0", "--state-directory",
               str(directory), "--quiet", "--insecure", *flags]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["listen"]
        finally:
            process.kill()


def command(address: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of an operator's command, in a process of its own."""
    line = [sys.executable, "-m", "tracker", *arguments, "--json", "--tracker", address]
    line += [] if "/" in address else ["--insecure"]
    done = subprocess.run(line, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=READY_S, check=False)
    return done.returncode, json.loads(done.stdout or "{}")


def test_what_was_answered_done_survives_kill_9(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address):
        code, goal = command(address, "deploy", "web", "web@1")
        process.send_signal(signal.SIGKILL)
        process.wait(READY_S)
    with serving(tmp_path) as (_, address):
        _, status = command(address, "status", "web")
    assert (code, goal["revision"]) == (0, 1)
    assert [found["release"] for found in status["services"][0]["goals"]] == ["web@1"]


def test_sigterm_ends_it_in_order(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(READY_S) == 0


def test_a_second_tracker_on_one_directory_is_refused(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "tracker", "serve", "--listen", "127.0.0.1:0", "--state-directory", str(tmp_path),
            "--insecure"]  # fmt: skip
    with serving(tmp_path):
        second = subprocess.run(
            line, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=READY_S, check=False
        )
    assert second.returncode == 1
    assert "in use by another tracker" in second.stderr.splitlines()[-1]


def test_exit_codes_tell_refused_from_unreachable(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address):
        refused, _ = command(address, "rollback", "web")
        process.kill()
        process.wait(READY_S)
        unreachable, _ = command(address, "status")
    assert (refused, unreachable) == (1, 4)
