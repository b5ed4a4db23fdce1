"""How soon a node should announce again: seconds while it downloads, and no oftener than the tracker can bear."""

from collections.abc import Iterable
from dataclasses import dataclass

from p2pd.wire.announce import SwarmStatus

from .registry import is_complete


@dataclass(frozen=True, slots=True)
class IntervalLimits:
    """`busy_s` while something is missing, `idle_s` else; longer, up to `max_s`, so that all nodes together announce
    at most `announces_per_s_max` times a second.
    """

    busy_s: float
    idle_s: float
    max_s: float
    announces_per_s_max: float


def announce_interval_s(swarms: Iterable[SwarmStatus], nodes: int, limits: IntervalLimits) -> float:
    """Seconds until this node should announce again, one of `nodes` that do."""
    wish_s = limits.idle_s if all(map(is_complete, swarms)) else limits.busy_s
    return min(limits.max_s, max(wish_s, nodes / limits.announces_per_s_max))
