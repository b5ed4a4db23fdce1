"""Whom to name to whom: locality as a preference with a reserved share of outside peers, never as a filter.

A strict preference for the own region starves regions that nobody in possession is near to (uber/kraken #244), so a
share of every handout is from each level further out (other racks, other zones, other regions) that has anybody.
Whoever misses pieces is told of the origin shields too; whoever has them all is told only of those who miss some.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from p2pd.policy.importing import IMPORTERS_MAX
from p2pd.policy.places import LEVELS, around, region_of
from p2pd.wire.announce import Importing

from .registry import Members, Swarm
from .roster import Roster

OUTSIDE_SHARE: Final = 0.2
"""Of a handout, from each level further out: 2 of 10, enough for every rack, zone and region to have several ways to
get each piece."""
SEEDERS_SHARE: Final = 0.25
"""Of a handout, at most this for origin shields (but at least one)."""
COMPLETE_SHARE: Final = 0.5
"""Of the peers named to one who misses pieces, those who have all; the others bring it into the mesh."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `region` may name its zone and rack, too."""

    name: str
    region: str
    complete: bool


@dataclass(frozen=True, slots=True)
class _But:
    """Names that are not to be drawn: the asker's, and those of a place within."""

    name: str
    roster: Roster

    def __contains__(self, name: object) -> bool:
        return name == self.name or (isinstance(name, str) and name in self.roster)


_Draw = Callable[[int], list[str]]


def choose(swarm: Swarm, asker: Asker, wanted: int, rng: Random) -> list[str]:
    """Names of up to `wanted` members, never the asker: shields first, then its rack, its zone, its region, others."""
    shields = [] if asker.complete else _shields(swarm, asker, wanted, rng)
    wanted -= len(shields)
    levels, outside = _levels(swarm, asker, rng)
    hands = _fill([*levels, outside] if outside else levels, wanted)
    near, far = hands[: len(levels)], [name for hand in hands[len(levels) :] for name in hand]
    count, allies = sum(map(len, near)), _allies(swarm, asker)
    if allies and len(allies) < count:  # the asker is an importer, and may be new: it must know the others
        near = [list(dict.fromkeys([*allies, *(name for hand in reversed(near) for name in hand)]))[:count]]
    return shields + [name for hand in near for name in hand] + far


def importers(swarm: Swarm, place: str) -> tuple[str, ...]:
    """Who of this region, zone or rack brings pieces in; nobody where all know each other, so that no one needs to be
    named."""
    here = swarm.at(place)
    few = len(here.complete) + len(here.incomplete) <= IMPORTERS_MAX
    return () if few else tuple(here.importers)


def importing(swarm: Swarm, place: str, copies_per_link: Sequence[float]) -> list[Importing]:
    """Who brings pieces into the region of this place, its zone and its rack, and how many copies may come, as the
    operator says (by LEVELS; 0: any number): the region always, the others where there is a bound."""
    found = list[Importing]()
    for level, within, copies in zip(LEVELS, around(place), copies_per_link, strict=False):
        if copies or not found:
            found.append(Importing(level, importers(swarm, within) if copies else (), copies))
    return found


def _allies(swarm: Swarm, asker: Asker) -> list[str]:
    """The other importers of each place of which the asker is one."""
    named = [importers(swarm, place) for place in around(asker.region)]
    return list(dict.fromkeys(name for names in named if asker.name in names for name in names if name != asker.name))


def _levels(swarm: Swarm, asker: Asker, rng: Random) -> tuple[list[_Draw], _Draw | None]:
    """Where the asker's own places can be drawn from, the nearest first, each without those before; and the other
    regions, if there is anybody."""
    draws, inner = list[_Draw](), Members()
    for place in reversed(around(asker.region)):
        here = swarm.at(place)
        if not draws or len(here) > len(inner):
            draws.append(partial(_mixed, here, asker, rng=rng, inner=inner))
        inner = here
    home = region_of(asker.region)
    elsewhere = [region for region in swarm.regions if region != home]
    return draws, partial(_from_all, swarm, elsewhere, asker, rng=rng) if elsewhere else None


def _fill(draws: Sequence[_Draw], wanted: int) -> list[list[str]]:
    """A hand from each: most from the nearest, a share from each further out; what one lacks the next ones make up for,
    and at last the near ones again."""
    share, hands = max(1, round(wanted * OUTSIDE_SHARE)), list[list[str]]()
    left = wanted
    for beyond, draw in zip(reversed(range(len(draws))), draws, strict=True):
        hands.append(draw(left - min(share * beyond, max(0, left - 1))))
        left -= len(hands[-1])
    for place, draw in enumerate(draws[:-1] or draws):
        if left > 0:
            again = draw(len(hands[place]) + left)
            left -= len(again) - len(hands[place])
            hands[place] = again
    return hands


def _shields(swarm: Swarm, asker: Asker, wanted: int, rng: Random) -> list[str]:
    """Nearest first."""
    room, home = min(wanted, max(1, int(wanted * SEEDERS_SHARE))), region_of(asker.region)
    chosen: list[str] = []
    for place in (*reversed(around(asker.region)), *(region for region in swarm.regions if region != home)):
        known = [asker.name, *chosen]
        chosen += swarm.at(place).seeders.draw(room - len(chosen), rng, known, spare=len(known))
    return chosen


def _mixed(members: Members, asker: Asker, count: int, rng: Random, inner: Members) -> list[str]:
    """Some who have all pieces and some who don't, none of them `inner`; of one kind more where the other has too
    few."""

    def draw(roster: Roster, within: Roster, count: int) -> list[str]:
        return roster.draw(count, rng, _But(asker.name, within) if within else (asker.name,), spare=1 + len(within))

    if asker.complete:
        return draw(members.incomplete, inner.incomplete, count)
    complete = draw(members.complete, inner.complete, round(count * COMPLETE_SHARE))
    incomplete = draw(members.incomplete, inner.incomplete, count - len(complete))
    if len(complete) + len(incomplete) < count:
        complete = draw(members.complete, inner.complete, count - len(incomplete))
    return complete + incomplete


def _from_all(swarm: Swarm, regions: list[str], asker: Asker, count: int, rng: Random) -> list[str]:
    """As evenly from these regions as they allow."""
    if count <= 0 or not regions:
        return []
    asked = rng.sample(regions, min(len(regions), count))
    each = -(-count // len(asked))
    dealt = _deal([_mixed(swarm.regions[region], asker, each, rng, Members()) for region in asked])
    if len(dealt) < count and len(asked) > 1:
        dealt = _deal([_mixed(swarm.regions[region], asker, count, rng, Members()) for region in regions])
    return dealt[:count]


def _deal(hands: list[list[str]]) -> list[str]:
    """One from each in turn."""
    longest = max(map(len, hands))
    return [names[turn] for turn in range(longest) for names in hands if turn < len(names)]
