"""Where bytes should come from: LAN > rack > zone > region > remote > shield > HTTP (the shield's own, or a CDN).

Sources work in parallel; the rule only says what the dearer ones are for. A shield is asked for pieces that no peer
holds. HTTP is asked for what nobody on the peer wire will bring: pieces that none of them holds while no shield is
there, and everything when peers have brought nothing for a while.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .places import levels_shared

STALL_S: Final = 3.0
"""A peer that owes us pieces and sent nothing for so long is left (the mission's own figure)."""
ORIGIN_GRACE_S: Final = 1.0
"""Peers and shield get this long before HTTP is asked for what they don't hold: one announce and one dial."""
ORIGIN_STALL_S: Final = 3.0
"""With peers that hold what we miss but send nothing."""
ORIGIN_FETCHES_MAX: Final = 8
"""HTTP requests at once of one download."""


class Tier(IntEnum):
    """How dear a byte is from there; ascending."""

    LAN = 0
    RACK = 1
    ZONE = 2
    REGION = 3
    REMOTE = 4
    SHIELD = 5
    ORIGIN = 6


BY_LEVELS_SHARED: Final = (Tier.REMOTE, Tier.REGION, Tier.ZONE, Tier.RACK)


def tier_of(*, role: str, region: str, own_region: str, nearby: bool = False) -> Tier:
    """The tier of a peer by what it says (or proved) of itself, and whether it was heard on our LAN. Regions may name
    zones and racks (`places.py`)."""
    if role == "seeder":
        return Tier.SHIELD
    if nearby:
        return Tier.LAN
    return BY_LEVELS_SHARED[levels_shared(region, own_region)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rule looks at; durations in seconds, infinite when it never happened."""

    unheld: bool
    """Some missing piece is held by no live peer."""
    shield_alive: bool
    """A shield is connected on the peer wire and not snubbed."""
    since_change_s: float
    """Since `unheld` became true with no shield alive, or since the download began."""
    since_progress_s: float
    """Since the last byte came from a peer. (What HTTP brings is no sign that peers bring the rest: with it counted,
    HTTP rested for 3 s after each handful.)"""


def origin_scope(facts: Facts) -> str:
    """What HTTP may be asked for now: `nothing`, `unheld` pieces only, or `anything`."""
    if facts.since_progress_s >= ORIGIN_STALL_S:
        return "anything"
    if facts.unheld and not facts.shield_alive and facts.since_change_s >= ORIGIN_GRACE_S:
        return "unheld"
    return "nothing"
