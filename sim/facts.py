"""The figures that every engine tells of one release to many hosts, so that their runs can be laid side by side."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from .bounds import bound_s
from .plan import SwarmPlan
from .result import PERCENTILES, percentile_name

F64 = npt.NDArray[np.float64]

ORIGIN, SEEDER, RACK, REGION, REMOTE, HTTP = range(6)
SOURCES: Final = (
    "origin", "regional seeder", "peers, same rack", "peers, same region", "peers, other region", "HTTP",
)  # fmt: skip
"""The columns of `bytes_by_source`. Real daemons tell racks apart where `racks.named` is set."""
PEERS: Final = (RACK, REGION, REMOTE)


def swarm_facts(
    plan: SwarmPlan, finish_s: F64, *, died: int, bytes_by_source: F64, crossed_bytes: F64, wasted_bytes: float
) -> dict[str, float]:
    """`finish_s`: by host, nan for those that never did; `died`: of these, the dead. `crossed_bytes`: by region."""
    finished, bound, size = np.sort(finish_s[np.isfinite(finish_s)]), bound_s(plan), plan.chunks * plan.chunk_bytes
    facts: dict[str, float] = {
        "hosts": plan.hosts.count,
        "chunks": plan.chunks,
        "size_bytes": size,
        "completed": float(len(finished)),
        "died": float(died),
        "unfinished": float(plan.hosts.count - died - len(finished)),
        "bound_s": bound,
    }
    for percent in PERCENTILES if len(finished) else ():
        at = finished[min(len(finished) - 1, math.ceil(percent / 100 * len(finished)) - 1)]
        facts[percentile_name(percent) + "_s"] = float(at)
        facts[percentile_name(percent) + "_over_bound"] = float(at / bound)
    if len(finished):
        facts["last_s"] = float(finished[-1])
        facts["last_over_bound"] = float(finished[-1] / bound)
    moved = float(bytes_by_source.sum())
    facts["origin_copies"] = float(bytes_by_source[ORIGIN] / size)
    facts["origin_copies_per_region"] = facts["origin_copies"] / plan.regions.count
    facts["seeder_copies"] = float((bytes_by_source[SEEDER] + bytes_by_source[HTTP]) / size)
    facts["copies_into_region_mean"] = float(crossed_bytes.mean() / size)
    facts["copies_into_region_max"] = float(crossed_bytes.max() / size)
    facts["share_from_peers"] = float(bytes_by_source[list(PEERS)].sum() / moved) if moved else 0.0
    facts["wasted_chunks"] = wasted_bytes / plan.chunk_bytes
    facts["transfers"] = moved / plan.chunk_bytes
    return facts
