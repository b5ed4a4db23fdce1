"""Chaos bites: each bug that is planted in a copy of the source is found, by a rule that fits it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.sim.fleet.planted import PLANTED, Planted

SEEDS_MAX = 500
SEARCH = """
import json, sys
from sim.chaos import run_seed
first = int(sys.argv[1])
for rng_seed in (first, *range(1, int(sys.argv[2]) + 1)):
    outcome = run_seed(rng_seed)
    if not outcome.ok:
        print(json.dumps({"rng_seed": rng_seed, "rule": outcome.rule, "violation": outcome.violation}))
        break
"""


def plant(bug: Planted, folder: Path) -> None:
    """A copy of the packages with the bug in it."""
    for package in ("manifests", "p2pd", "seeder", "sim", "tracker"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / bug.file
    source = path.read_text(encoding="utf-8")
    assert source.count(bug.before) == 1, f"{bug.file} has changed: plant this bug anew"
    path.write_text(source.replace(bug.before, bug.after), encoding="utf-8")


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_bug_is_found(bug: Planted, tmp_path: Path) -> None:
    plant(bug, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", SEARCH, str(bug.first), str(SEEDS_MAX)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout, f"not found in {SEEDS_MAX} seeds"
    found = json.loads(done.stdout)
    assert found["rule"] in bug.rules, found
