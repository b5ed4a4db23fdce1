"""The swarm simulator: `run(scenario)` gives a `Result` with arrays.

    import sim
    result = sim.run("flash-crowd")
    result.facts["last_over_bound"], result.arrays["completed"]

Four engines, one front end: `fleet` and `quick` run the daemon's own code, `scale` and `cohort` are models for what is
too large to run. `docs/simulator.md` says what each leaves out.
"""

from collections.abc import Callable, Mapping

from .errors import ResultError, ScenarioError, SimError
from .result import Result
from .scenario import ENGINES, Scenario, load, parse

__all__ = ["Result", "ResultError", "Scenario", "ScenarioError", "SimError", "load", "parse", "run"]


def _quiet(part: float) -> None:
    """Nobody watches."""


def run(
    scenario: Scenario | str | Mapping[str, object],
    *,
    rng_seed: int | None = None,
    tick: Callable[[float], None] = _quiet,
    like: Result | None = None,
    interpreted: bool = False,
) -> Result:
    """Run a scenario: a built-in one's name, a TOML file's path, a table, or a `Scenario`.

    `rng_seed` replaces the scenario's own; `tick` is told the share that is done, 0 to 1. `like`, for the engine
    `quick`: a run of the same scenario and seed by `fleet`, whose meetings are taken over. `interpreted`: these two
    engines run the sources even if `p2p-sim compile` was here. Raises ScenarioError.
    """
    from importlib import import_module

    if isinstance(scenario, str):
        scenario = load(scenario)
    elif not isinstance(scenario, Scenario):
        scenario = parse(scenario)
    seed = scenario.rng_seed if rng_seed is None else rng_seed
    more = {} if like is None else {"like": like.arrays}
    if more and scenario.engine != "quick":
        raise ScenarioError(f"like: the engine {scenario.engine} has meetings of its own; take quick")
    if not interpreted:
        from .native import GROUPS, serve

        if scenario.engine in GROUPS:
            serve(GROUPS[scenario.engine])
    result: Result = import_module(ENGINES[scenario.engine].module).run(
        scenario.plan,
        name=scenario.name,
        about=scenario.about,
        settings=dict(scenario.settings),
        rng_seed=seed,
        tick=tick,
        **more,
    )
    return result
