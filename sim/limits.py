"""What kept a host from going faster, as far as its own brain can tell."""

from typing import Final

from p2pd.policy.sources import Tier
from p2pd.swarm.snapshot import Pace

LIMITS: Final = (
    "own downlink", "peers' uplinks", "peers have nothing new", "shields and the lines to them", "knows no peers",
    "not in the swarm yet",
)  # fmt: skip
DOWNLINK, UPLINKS, NOTHING_NEW, SHIELDS, NO_PEERS, OUTSIDE = range(6)
FULL: Final = 0.9
"""A downlink that carries so much of what it could is what limits."""
LOOKED_AT_MAX: Final = 20
"""Hosts, evenly spread: each look costs as much as a message."""
LOOKS: Final = 400
"""Hosts that are looked at while time doubles, or a little more."""


def limit_of(seen: Pace | None, downlink_bytes_per_s: float) -> int:
    """The place in LIMITS for a host that misses pieces. `seen`: its part in the swarm, None before it has one."""
    if seen is None:
        return OUTSIDE
    if not seen.neighbours:
        return NO_PEERS
    if seen.down_per_s >= FULL * downlink_bytes_per_s:
        return DOWNLINK
    if not seen.asked:
        return NOTHING_NEW
    return SHIELDS if all(tier is Tier.SHIELD for tier in seen.asked) else UPLINKS
