"""Who takes part in a scenario: the same hosts, with the same fates, whichever engine runs it."""

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from .plan import SwarmPlan

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Population:
    """By host, in seconds from the start: `join_s`, and `dies_s` (inf: never). `speed`: share of the plan's rates.

    `latency_s`: the host's own part of the way to another, half of the plan's latency and its spread.
    """

    join_s: F64
    dies_s: F64
    speed: F64
    latency_s: F64


def population(plan: SwarmPlan, rng_seed: int) -> Population:
    """The hosts of a plan; the same seed gives the same ones."""
    hosts, rng = plan.hosts, np.random.default_rng([rng_seed, plan.hosts.count])
    join_s = rng.uniform(0.0, 1.0, hosts.count)
    join_s *= hosts.join_over_s / join_s.max()  # the last one comes at the end of the span, as the bound counts on
    if hosts.start_delay_s:
        join_s += rng.exponential(hosts.start_delay_s, hosts.count)
    speed = np.ones(hosts.count)
    speed[rng.choice(hosts.count, round(hosts.count * hosts.slow_share), replace=False)] = 1.0 / hosts.slow_factor
    dies_s = np.full(hosts.count, inf)
    dying = rng.choice(hosts.count, round(hosts.count * hosts.dying_share), replace=False)
    dies_s[dying] = join_s[dying] + rng.uniform(0.0, 1.0, len(dying)) * np.maximum(
        0.0, hosts.dying_by_s - join_s[dying]
    )
    latency_s = hosts.latency_s / 2 * (1.0 + hosts.latency_spread * rng.uniform(-1.0, 1.0, hosts.count))
    return Population(join_s, dies_s, speed, latency_s)
