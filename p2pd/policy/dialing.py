"""Whom to dial, and which of two connections to the same node to keep."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from .sources import Tier

DEGREE: Final = 16
"""Neighbours of an incomplete node in a swarm (simulated, last host to the bound: 4 1.25, 10 1.07, 20 to 32 1.03)."""
DIALLED_MIN: Final = 4
"""Of these, dialled by ourselves however many dialled us: who fills our table must not choose all our neighbours."""
OUTSIDE_RESERVED: Final = 2
"""Of these, kept for each level further out (other racks, other zones, other regions): locality is a preference, never
a wall (kraken #244: a far zone starved)."""
IMPORTER_OUTSIDE_RESERVED: Final = 8
"""The same for who brings in from there what its rack, its zone or its region lacks."""
LEVELS: Final = ((Tier.LAN, Tier.RACK, Tier.SHIELD), (Tier.ZONE,), (Tier.REGION,), (Tier.REMOTE,))
"""The nearest first. (Shields take places like others.)"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A peer that one could dial, or (`webrtc`) write to where that fails."""

    node: str
    address: str
    tier: Tier
    complete: bool = False
    webrtc: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """How many peers of a tier are neighbours: `dialled` by us (or being dialled), `accepted` from them."""

    dialled: int = 0
    accepted: int = 0


def choose_dials(
    candidates: Sequence[Candidate],
    *,
    neighbours: Mapping[Tier, Connected],
    rng: Random,
    degree: int = DEGREE,
    allies: Collection[str] = (),
    importing: Collection[Tier] = (),
) -> list[Candidate]:
    """Which of the candidates (none of them a neighbour yet) to dial.

    Shields always, and `allies`: the other importers, where we are one. Then near peers before far ones, at random
    within a level, with a few places kept for each level further out, and more for those that we import from. Who
    imports from several levels has more neighbours.
    """
    degree += IMPORTER_OUTSIDE_RESERVED * max(0, len(importing) - 1)
    chosen = [one for one in candidates if one.tier is Tier.SHIELD or one.node in allies]
    others = [one for one in candidates if one.tier is not Tier.SHIELD and one.node not in allies]
    rng.shuffle(others)
    levels = _levels(others, neighbours, degree, importing)
    room = degree
    for place, level in enumerate(levels):
        kept_outside = sum(min(outer.reserved, len(outer.candidates) + outer.there) for outer in levels[place + 1 :])
        # Far ones beyond their places, who dialled us or came first, must not keep us from nearer ones.
        wanted = max(room - kept_outside, min(room, level.reserved)) - level.there
        dialled = level.candidates[: max(0, wanted)]
        chosen += dialled
        room = max(kept_outside, room - level.there - len(dialled))
    return chosen


@dataclass(frozen=True, slots=True)
class _Level:
    candidates: Sequence[Candidate]
    there: int
    reserved: int


def _levels(
    candidates: Sequence[Candidate], neighbours: Mapping[Tier, Connected], degree: int, importing: Collection[Tier]
) -> list[_Level]:
    """The nearest first. Of those who dialled us no more count than leave us DIALLED_MIN places."""
    levels, accepted_max = list[_Level](), degree - DIALLED_MIN
    for tiers in LEVELS:
        known = [neighbours.get(tier, Connected()) for tier in tiers]
        accepted = min(accepted_max, sum(one.accepted for one in known))
        accepted_max -= accepted
        reserved = IMPORTER_OUTSIDE_RESERVED if any(tier in importing for tier in tiers) else OUTSIDE_RESERVED
        there = accepted + sum(one.dialled for one in known)
        levels.append(_Level([one for one in candidates if one.tier in tiers], there, reserved))
    return levels


def counted(near_neighbours: int, far_neighbours: int) -> int:
    """Of how many neighbours we can say that they serve us: of far ones no more than have places."""
    return near_neighbours + min(far_neighbours, OUTSIDE_RESERVED)


def keeps_new_connection(*, own_node: str, other_node: str, we_dialled_new: bool, we_dialled_old: bool) -> bool:
    """Two connections to one node: both sides must keep the same one. The one that the smaller name dialled wins; a
    second one of the same direction replaces the first (the other side must have lost it)."""
    if we_dialled_new == we_dialled_old:
        return True
    return we_dialled_new == (own_node < other_node)
