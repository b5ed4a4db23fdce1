"""Scenarios: a TOML file says an engine and what it should simulate.

    name = "two-rooms"
    engine = "scale"                 # fleet | quick | scale | cohort
    about = "One line that says what question this answers."

    [hosts]
    count = 2_000
    uplink_bytes_per_s = "1 Gbit/s"

What may stand in it is the dataclass of its engine (`sim/scale/plan.py`, `sim/cohort/plan.py`): units in strings,
unknown keys refused with the nearest known one.
"""

import copy
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from .errors import ScenarioError
from .reading import read


@dataclass(frozen=True)
class Engine:
    """Where an engine lives: the module and name of its plan's class, and the module whose `run` runs a plan."""

    plan: tuple[str, str]
    module: str
    what: str


_SWARM: Final = ("sim.plan", "SwarmPlan")
ENGINES: Final[dict[str, Engine]] = {
    "fleet": Engine(_SWARM, "sim.fleet.engine", "one release to real daemons, trackers and seeders, in virtual time"),
    "quick": Engine(_SWARM, "sim.quick.engine", "one release to the daemon's brains on a heap, without its bodies"),
    "scale": Engine(_SWARM, "sim.scale.engine", "one release to many hosts, chunk by chunk"),
    "cohort": Engine(("sim.cohort.plan", "CohortPlan"), "sim.cohort.engine", "a rollout to hundreds of millions"),
}
"""Engines by the name in a scenario. A new engine is a new row."""
_HEAD: Final = ("name", "engine", "about", "rng_seed")


@dataclass(frozen=True)
class Scenario:
    """A checked scenario. `plan` is of the class that its engine names; `settings` is the table it was read from."""

    name: str
    engine: str
    about: str
    rng_seed: int
    plan: Any
    settings: Mapping[str, object]


def parse(table: Mapping[str, object], where: str = "scenario") -> Scenario:
    """A scenario from a table; ScenarioError says which key is wrong, and what would do."""
    for key in ("name", "engine"):
        if not isinstance(table.get(key), str):
            raise ScenarioError(f"{where}: {key} is missing; a scenario begins with name, engine and about")
    engine = str(table["engine"])
    if engine not in ENGINES:
        raise ScenarioError(f"{where}: no engine {engine!r} here; there are {', '.join(ENGINES)}")
    rng_seed = table.get("rng_seed", 1)
    if not isinstance(rng_seed, int) or isinstance(rng_seed, bool):
        raise ScenarioError(f"{where}: rng_seed: {rng_seed!r} is not a whole number")
    module, name = ENGINES[engine].plan
    body = {key: value for key, value in table.items() if key not in _HEAD}
    try:
        plan = read(getattr(import_module(module), name), body)
    except ScenarioError as error:
        raise ScenarioError(f"{where}: {error}") from None
    return Scenario(str(table["name"]), engine, str(table.get("about", "")), rng_seed, plan, dict(table))


def built_in() -> dict[str, Path]:
    """The scenarios that come with the simulator, by name."""
    folder = Path(str(files("sim") / "scenarios"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_table(name_or_path: str) -> dict[str, object]:
    """The table of a built-in scenario's name or of a TOML file's path."""
    known = built_in()
    path = known.get(name_or_path, Path(name_or_path))
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = difflib.get_close_matches(name_or_path, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}, or give a file's path"
        raise ScenarioError(f"no scenario {name_or_path!r}; {hint}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ScenarioError(f"{path}: {error}") from None


def load(name_or_path: str) -> Scenario:
    """The scenario of this name, or in this file."""
    return parse(load_table(name_or_path), name_or_path)


def setting(text: str) -> object:
    """A value given on the command line: TOML where it is, else text (`4 MiB` needs no quotes)."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def changed(table: Mapping[str, object], key: str, value: object) -> dict[str, object]:
    """The table with the dotted key set, as in `hosts.count`; ScenarioError if the path runs through a value."""
    copied = copy.deepcopy(dict(table))
    *folders, last = key.split(".")
    inner: Any = copied
    for folder in folders:
        inner = inner.setdefault(folder, {})
        if not isinstance(inner, dict):
            raise ScenarioError(f"{key}: {folder!r} is a value, not a table")
    inner[last] = value
    return copied
