"""Whom to dial, and which of two connections to the same node to keep."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from .sources import Tier

DEGREE: Final = 16
"""Neighbours of an incomplete node in a swarm (simulated, last host to the bound: 4 1.25, 10 1.07, 20 to 32 1.03)."""
DIALLED_MIN: Final = 4
"""Of these, dialled by ourselves however many dialled us: who fills our table must not choose all our neighbours."""
OUTSIDE_RESERVED: Final = 2
"""Of these, kept for other regions: locality is a preference, never a wall (kraken #244: a far zone starved)."""
IMPORTER_OUTSIDE_RESERVED: Final = 8
"""The same for who brings in what the region lacks."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A peer that one could dial, or (`webrtc`) write to where that fails."""

    node: str
    address: str
    tier: Tier
    complete: bool = False
    webrtc: bool = False


def choose_dials(
    candidates: Sequence[Candidate],
    *,
    dialled: int,
    accepted: int,
    rng: Random,
    degree: int = DEGREE,
    allies: Collection[str] = (),
    far_neighbours: int = 0,
) -> list[Candidate]:
    """Which of the candidates (none of them a neighbour yet) to dial, having dialled and accepted so many already, and
    besides so many from other regions.

    Shields always, and `allies`: the other importers, where we are one. Then near peers before far ones at random
    within a tier, with a few places kept for far ones, and more of them for an importer.
    """
    always = [one for one in candidates if one.tier is Tier.SHIELD or one.node in allies]
    others = [one for one in candidates if one.tier is not Tier.SHIELD and one.node not in allies]
    rng.shuffle(others)
    near = [one for one in others if one.tier < Tier.REMOTE]
    far = [one for one in others if one.tier is Tier.REMOTE]
    room = max(0, degree - dialled - min(accepted, degree - DIALLED_MIN))
    reserved = IMPORTER_OUTSIDE_RESERVED if allies else OUTSIDE_RESERVED
    chosen = near[: max(0, room - min(reserved, len(far) + far_neighbours))]
    # Far ones beyond their places, who dialled us or came first, must not keep us from our own region.
    far_room = max(min(room, reserved) - far_neighbours, room - far_neighbours - len(chosen))
    return always + chosen + far[: max(0, far_room)]


def counted(near_neighbours: int, far_neighbours: int) -> int:
    """Of how many neighbours we can say that they serve us: of far ones no more than have places."""
    return near_neighbours + min(far_neighbours, OUTSIDE_RESERVED)


def keeps_new_connection(*, own_node: str, other_node: str, we_dialled_new: bool, we_dialled_old: bool) -> bool:
    """Two connections to one node: both sides must keep the same one. The one that the smaller name dialled wins; a
    second one of the same direction replaces the first (the other side must have lost it)."""
    if we_dialled_new == we_dialled_old:
        return True
    return we_dialled_new == (own_node < other_node)
