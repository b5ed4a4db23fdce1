"""The engine fleet compiled: the same trace as the sources, told apart from them in what it says."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.native.building import build
from sim.native.group import BRAINS, FLEET, ROOT

BENCHMARK = ("-m", "benchmarks.fleet", "--daemons", "6", "--chunks", "40", "--json")
SCENARIO = """\
name = "two regions"
engine = "fleet"
[content]
size_bytes = "1 MiB"
chunk_bytes = "64 KiB"
[hosts]
count = 6
uplink_bytes_per_s = "8 Mbit/s"
downlink_bytes_per_s = "16 Mbit/s"
latency_s = "3 ms"
join_over_s = 2.0
[regions]
count = 2
[origin]
uplink_bytes_per_s = 0
[seeders]
per_region = 1
uplink_bytes_per_s = "8 Mbit/s"
[tracker]
outage_from_s = 1.0
outage_until_s = 3.0
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the engine fleet in it, compiled in a hurry."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        build(FLEET, opt_level=0)
    return cache


def said(cache: Path, *arguments: str) -> dict[str, Any]:
    """What the command prints as JSON."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_compiled_daemons_leave_the_same_trace(made: Path) -> None:
    compiled, interpreted = said(made, *BENCHMARK), said(made, *BENCHMARK, "--interpreted")
    assert (compiled["compiled"], interpreted["compiled"]) == (True, False)
    for what in ("trace", "simulated_s", "messages_per_delivery", "events_per_delivery"):
        assert compiled[what] == interpreted[what], what


def test_a_scenario_in_which_daemons_are_started_late_and_trackers_crash_ends_alike(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(SCENARIO)
    compiled = said(made, "-m", "sim", "run", str(path), "--json")
    interpreted = said(made, "-m", "sim", "run", str(path), "--json", "--interpreted")
    assert (compiled.pop("compiled"), interpreted.pop("compiled")) == (True, False)
    assert compiled == interpreted


@pytest.mark.parametrize("name", sorted({*BRAINS.compiled_files(), *FLEET.compiled_files()}))
def test_nothing_compiled_has_a_cached_property_which_would_be_computed_anew_each_time(name: str) -> None:
    assert "cached_property" not in (ROOT / name).read_text()


def test_a_module_that_is_no_longer_compiled_leads_to_another_folder() -> None:
    assert replace(FLEET, kept=(*FLEET.kept, "sim/trace.py")).digest() != FLEET.digest()


def test_what_both_engines_run_is_compiled_for_both() -> None:
    brains = {name for name in BRAINS.compiled_files() if not name.startswith("sim/")}
    assert brains <= set(FLEET.compiled_files())


@pytest.mark.parametrize("name", FLEET.kept)
def test_what_stays_source_is_named_for_a_file_that_is_there(name: str) -> None:
    assert name in FLEET.all_files()
    assert name not in FLEET.compiled_files()
