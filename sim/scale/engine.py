"""Run a `scale` plan: build, advance in slices, and keep what a report needs."""

from collections.abc import Callable

import numpy as np

from sim.bounds import bound_s
from sim.facts import SOURCES, swarm_facts
from sim.plan import SwarmPlan
from sim.population import population
from sim.result import Result

from .build import build
from .kernel import advance
from .state import ACTIVE, COMPLETE, DIED, DONE, GONE, LIMITS, WASTED, Rules, Swarm

SLICES = 240
"""Samples over time that a run aims at."""
PATIENCE = 20.0
"""A run is given up at this many times its bound, unless the scenario says when."""


class _Tape:
    """Samples taken while the kernel runs."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.rows: dict[str, list[object]] = {
            "done": [],
            "moved": [],
            "crossed": [],
            "limits": [],
            "held": [],
            "active": [],
            "seeds": [],
        }

    def sample(self, step: int, swarm: Swarm) -> None:
        """Keep the counters as they are at the start of `step`."""
        self.steps.append(step)
        self.rows["done"].append(int(swarm.cursor[DONE]))
        self.rows["moved"].append(swarm.moved.copy())
        self.rows["crossed"].append(swarm.crossed.copy())
        self.rows["active"].append(int((swarm.state == ACTIVE).sum()))
        self.rows["seeds"].append(int((swarm.state == COMPLETE).sum()))
        self.rows["limits"].append(swarm.limits.copy())
        self.rows["held"].append(int(swarm.has_count[swarm.state != GONE].sum()))


def _run(plan: SwarmPlan, swarm: Swarm, rules: Rules, tick: Callable[[float], None]) -> _Tape:
    expected = max(8.0, (bound_s(plan) * 1.05 + 5 * plan.hosts.start_delay_s) / plan.step_s)
    limit = plan.give_up_s / plan.step_s if plan.give_up_s else PATIENCE * expected
    slice_steps = max(1, round(expected / SLICES))
    tape = _Tape()
    tape.sample(0, swarm)
    step = 0
    while step < limit:
        reached = advance(swarm, rules, step, slice_steps)
        tape.sample(reached, swarm)
        tick(min(0.99, reached / expected))
        if reached < step + slice_steps:
            break
        step = reached
    tick(1.0)
    return tape


def run(
    plan: SwarmPlan,
    *,
    name: str,
    about: str,
    settings: dict[str, object],
    rng_seed: int,
    tick: Callable[[float], None] = lambda part: None,
) -> Result:
    """Simulate the plan to its end; `tick` is told the share that is done, from 0 to 1, about 240 times."""
    swarm, rules = build(plan, population(plan, rng_seed), rng_seed)
    tape = _run(plan, swarm, rules, tick)
    chunk = plan.chunk_bytes
    finish = np.where(swarm.finish >= 0, swarm.finish * plan.step_s, np.nan)
    limits = np.array(tape.rows["limits"], dtype=np.float64)
    waited = np.diff(limits, axis=0, prepend=limits[:1])
    total = np.maximum(waited.sum(axis=1, keepdims=True), 1.0)
    arrays = {
        "time_s": np.array(tape.steps) * plan.step_s,
        "completed": np.array(tape.rows["done"]) / plan.hosts.count,
        "progress": np.array(tape.rows["held"]) / (plan.hosts.count * plan.chunks),
        "downloading": np.array(tape.rows["active"], dtype=np.float64),
        "seeds": np.array(tape.rows["seeds"], dtype=np.float64),
        "bytes_by_source": np.array(tape.rows["moved"], dtype=np.float64) * chunk,
        "crossed_bytes": np.array(tape.rows["crossed"], dtype=np.float64) * chunk,
        "limits": waited / total,
        "finish_s": finish,
        "region": swarm.region,
    }
    labels = {
        "bytes_by_source": SOURCES,
        "limits": LIMITS,
        "crossed_bytes": tuple(f"region {i}" for i in range(plan.regions.count)),
    }
    return Result(
        scenario=name,
        engine="scale",
        rng_seed=rng_seed,
        about=about,
        settings=settings,
        facts=swarm_facts(
            plan,
            finish,
            died=int(swarm.cursor[DIED]),
            bytes_by_source=arrays["bytes_by_source"][-1],
            crossed_bytes=arrays["crossed_bytes"][-1],
            wasted_bytes=float(swarm.cursor[WASTED]) * chunk,
        ),
        arrays=arrays,
        labels=labels,
    )
