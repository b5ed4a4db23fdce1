"""Run a `scale` plan: build, advance in slices, and keep what a report needs."""

import math
from collections.abc import Callable

import numpy as np

from sim.bounds import fluid_bound_s
from sim.result import PERCENTILES, Result, percentile_name

from .build import build
from .kernel import advance
from .plan import ScalePlan
from .state import ACTIVE, COMPLETE, DIED, DONE, GONE, LIMITS, SOURCES, WASTED, Rules, Swarm

SLICES = 240
"""Samples over time that a run aims at."""
PATIENCE = 20.0
"""A run is given up at this many times its bound, unless the scenario says when."""


def bound_s(plan: ScalePlan) -> float:
    """The fluid bound of a plan, with feeds, cuts, racks and joins: no policy can have all hosts done sooner."""
    hosts = plan.hosts
    slow = 1.0 / hosts.slow_factor if hosts.slow_share else 1.0
    uplinks = hosts.count * hosts.uplink_bytes_per_s * (1.0 - hosts.slow_share + hosts.slow_share * slow)
    seeders = plan.regions.count * plan.seeders.per_region * plan.seeders.uplink_bytes_per_s
    source = plan.origin.uplink_bytes_per_s + seeders
    bound = fluid_bound_s(plan.content.size_bytes, hosts.count, source, uplinks, hosts.downlink_bytes_per_s * slow)
    if not seeders:
        bound = max(bound, plan.content.size_bytes / plan.regions.feed_bytes_per_s)
        for cut in plan.regions.cuts:
            through_s = plan.content.size_bytes / plan.regions.feed_bytes_per_s
            if cut.from_s < through_s < math.inf:
                bound = max(bound, through_s + cut.until_s - cut.from_s)
    if plan.racks.hosts:
        bound = max(bound, plan.content.size_bytes / plan.racks.uplink_bytes_per_s)
    return max(bound, hosts.join_over_s + plan.content.size_bytes / hosts.downlink_bytes_per_s)


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


def _run(plan: ScalePlan, swarm: Swarm, rules: Rules, tick: Callable[[float], None]) -> _Tape:
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


def _facts(plan: ScalePlan, swarm: Swarm) -> dict[str, float]:
    finished = np.sort(swarm.finish[swarm.finish >= 0]) * plan.step_s
    bound = bound_s(plan)
    alive = plan.hosts.count - int(swarm.cursor[DIED])
    facts: dict[str, float] = {
        "hosts": plan.hosts.count,
        "chunks": plan.chunks,
        "completed": float(len(finished)),
        "died": float(swarm.cursor[DIED]),
        "unfinished": float(alive - len(finished)),
        "bound_s": bound,
    }
    for percent in PERCENTILES if len(finished) else ():
        at = finished[min(len(finished) - 1, math.ceil(percent / 100 * len(finished)) - 1)]
        facts[percentile_name(percent) + "_s"] = float(at)
        facts[percentile_name(percent) + "_over_bound"] = float(at / bound)
    if len(finished):
        facts["last_s"] = float(finished[-1])
        facts["last_over_bound"] = float(finished[-1] / bound)
    origin = float(swarm.sent[swarm.source_region < 0].sum())
    facts["origin_copies"] = origin / plan.chunks
    facts["origin_copies_per_region"] = origin / plan.chunks / plan.regions.count
    facts["copies_into_region_mean"] = float(swarm.crossed.mean() / plan.chunks)
    facts["copies_into_region_max"] = float(swarm.crossed.max() / plan.chunks)
    moved = float(swarm.moved.sum())
    facts["share_from_peers"] = float(swarm.moved[2:].sum() / moved) if moved else 0.0
    facts["wasted_chunks"] = float(swarm.cursor[WASTED])
    facts["transfers"] = moved
    return facts


def run(
    plan: ScalePlan,
    *,
    name: str,
    about: str,
    settings: dict[str, object],
    rng_seed: int,
    tick: Callable[[float], None] = lambda part: None,
) -> Result:
    """Simulate the plan to its end; `tick` is told the share that is done, from 0 to 1, about 240 times."""
    swarm, rules = build(plan, rng_seed)
    tape = _run(plan, swarm, rules, tick)
    chunk = plan.content.chunk_bytes
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
        facts=_facts(plan, swarm),
        arrays=arrays,
        labels=labels,
    )
