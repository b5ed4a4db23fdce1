"""Every command answers --help at once, and is a module too."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT, plant, project

HELP_CPU_S_MAX = 0.3
"""A person types --help often; what it costs shows which heavy modules are loaded at start."""
COMMANDS = {name: target.split(".")[0] for name, target in project()["project"]["scripts"].items()}


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(module: str, flag: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, flag]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=30, check=False)


def help_cpu_s(module: str, directory: Path = ROOT) -> float:
    """What `python -m module --help` costs: user and system seconds, the best of three."""
    costs = []
    for _ in range(3):
        before = cpu_s()
        run(module, "--help", directory)
        costs.append(cpu_s() - before)
    return min(costs)


def test_every_command_line_of_ours_is_installed() -> None:
    there = {package for package in PACKAGES if (ROOT / package / "cli.py").exists()}
    assert there == set(COMMANDS.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_an_example(command: str) -> None:
    done = run(COMMANDS[command], "--help")
    assert done.returncode == 0, done.stderr
    assert command in done.stdout.lower().partition("example")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_costs_nothing(command: str) -> None:
    assert help_cpu_s(COMMANDS[command]) < HELP_CPU_S_MAX


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_flag_is_a_usage_error(command: str) -> None:
    done = run(COMMANDS[command], "--no-such-flag")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_slow_command_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "slow.py", "import time\nwhile time.process_time() < 0.35: pass\n")
    assert help_cpu_s("slow", tmp_path) >= HELP_CPU_S_MAX
