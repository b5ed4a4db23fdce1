"""Whom to name to whom: locality as a preference with a reserved share of outside peers, never as a filter.

A strict preference for the own region starves regions that nobody in possession is near to (uber/kraken #244), so a
share of every handout is from outside as long as there is anybody. Whoever misses pieces is told of the origin shields
too; whoever has them all is told only of those who miss some.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from p2pd.policy.importing import IMPORTERS_MAX

from .registry import Members, Swarm

OUTSIDE_SHARE: Final = 0.2
"""Of a handout, from other regions: 2 of 10, enough for every region to have several ways to get each piece."""
SEEDERS_SHARE: Final = 0.25
"""Of a handout, at most this for origin shields (but at least one)."""
COMPLETE_SHARE: Final = 0.5
"""Of the peers named to one who misses pieces, those who have all; the others bring it into the mesh."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks."""

    name: str
    region: str
    complete: bool


def choose(swarm: Swarm, asker: Asker, wanted: int, rng: Random) -> list[str]:
    """Names of up to `wanted` members, never the asker: shields first, then its region, then others."""
    shields = [] if asker.complete else _shields(swarm, asker, wanted, rng)
    wanted -= len(shields)
    elsewhere = [region for region in swarm.regions if region != asker.region]
    outside = max(1, round(wanted * OUTSIDE_SHARE)) if elsewhere and wanted > 1 else 0
    here = swarm.regions.get(asker.region, Members())
    near = _mixed(here, asker, wanted - outside, rng)
    far = _from_all(swarm, elsewhere, asker, wanted - len(near), rng)
    if len(near) + len(far) < wanted:
        near = _mixed(here, asker, wanted - len(far), rng)
    allies = [name for name in importers(swarm, asker.region) if name != asker.name]
    if len(allies) < min(len(here.importers), len(near)):  # the asker is one, and new: it must know the others
        near = list(dict.fromkeys([*allies, *near]))[: len(near)]
    return shields + near + far


def importers(swarm: Swarm, region: str) -> tuple[str, ...]:
    """Who of this region brings pieces in; nobody where all know each other, so that no one needs to be named."""
    here = swarm.regions.get(region)
    few = here is None or len(here.complete) + len(here.incomplete) <= IMPORTERS_MAX
    return () if here is None or few else tuple(here.importers)


def _shields(swarm: Swarm, asker: Asker, wanted: int, rng: Random) -> list[str]:
    """Nearest first."""
    room = min(wanted, max(1, int(wanted * SEEDERS_SHARE)))
    chosen: list[str] = []
    for region in sorted(swarm.regions, key=lambda region: region != asker.region):
        chosen += swarm.regions[region].seeders.draw(room - len(chosen), rng, (asker.name,), spare=1)
    return chosen


def _mixed(members: Members, asker: Asker, count: int, rng: Random) -> list[str]:
    """Some who have all pieces and some who don't; of one kind more where the other has too few."""
    without = (asker.name,)
    if asker.complete:
        return members.incomplete.draw(count, rng, without, spare=1)
    complete = members.complete.draw(round(count * COMPLETE_SHARE), rng, without, spare=1)
    incomplete = members.incomplete.draw(count - len(complete), rng, without, spare=1)
    if len(complete) + len(incomplete) < count:
        complete = members.complete.draw(count - len(incomplete), rng, without, spare=1)
    return complete + incomplete


def _from_all(swarm: Swarm, regions: list[str], asker: Asker, count: int, rng: Random) -> list[str]:
    """As evenly from these regions as they allow."""
    if count <= 0 or not regions:
        return []
    asked = rng.sample(regions, min(len(regions), count))
    each = -(-count // len(asked))
    dealt = _deal([_mixed(swarm.regions[region], asker, each, rng) for region in asked])
    if len(dealt) < count and len(asked) > 1:
        dealt = _deal([_mixed(swarm.regions[region], asker, count, rng) for region in regions])
    return dealt[:count]


def _deal(hands: list[list[str]]) -> list[str]:
    """One from each in turn."""
    longest = max(map(len, hands))
    return [names[turn] for turn in range(longest) for names in hands if turn < len(names)]
