"""The neighbours behind the same link as we, and which pieces we may bring in over it: see `policy/importing.py`."""

from collections.abc import Collection, Iterable, Sequence
from math import inf
from typing import Final

from p2pd.policy.importing import (
    BUCKETS,
    CONNECT_S,
    COPIES,
    IMPORTERS_TRIED,
    OPEN_S,
    own_share,
    pieces_of,
    places,
    step_s,
)
from p2pd.policy.sources import Tier
from p2pd.wire import bits as bitset
from p2pd.wire.announce import Importing

from .peerview import PeerView

GAP_KEPT: Final = 0.9
"""Of the longest wait between two new pieces, with each that comes sooner."""


class Circle:
    """`held`: pieces that somebody in it holds. `place`: how far down the places are open; 0: only the first."""

    def __init__(self, own: str, pieces: int, now: float) -> None:
        self.held = self._told = 0
        self.place = 0
        self._own, self._pieces, self._everything = own, pieces, bitset.full(pieces)
        self._fellows: dict[str, None] = {}
        self._importers: Sequence[str] = ()
        self._dialled_by = inf
        self._copies = COPIES
        self._places: list[int] | None = None
        self._importers_counted = 0
        self._mine: int | None = None
        self._for_others = 0
        self._moved_at = self._new_at = now
        self._gap_s = 0.0
        self._closes_at = now

    def __repr__(self) -> str:
        return f"<Circle of {len(self._fellows) + 1}, place {self.place}>"

    @property
    def divides(self) -> bool:
        """It has others in it, and what comes in over its link is counted."""
        return bool(self._fellows and self._copies)

    @property
    def allies(self) -> Sequence[str]:
        """The other importers, if we are one."""
        return [name for name in self._importers if name != self._own] if self._own in self._importers else ()

    def name_importers(self, importers: Sequence[str], copies: float, now: float) -> None:
        """A tracker says to whom pieces fall (nobody named: to everybody here), and how many copies may come in (0: as
        many as like to)."""
        if set(importers) != set(self._importers):
            self._dialled_by = now + CONNECT_S
            self._forget()
        self._importers, self._copies = importers, copies

    def enter(self, node: str) -> None:
        """This neighbour is in it, and may bring pieces in."""
        if node not in self._fellows:
            self._fellows[node] = None
            self._forget()

    def leave(self, node: str) -> None:
        """It is gone, or brings nothing now."""
        if node in self._fellows:
            del self._fellows[node]
            self._forget()

    def _forget(self) -> None:
        self._places = self._mine = None

    def holds(self, pieces: int, now: float) -> None:
        """Somebody in it holds these, too. Only what was never told before is a reason to wait for more: a liar that
        told and took back the same all the time kept a host waiting for ever."""
        self.held |= pieces
        if pieces & ~self._told:
            self._told |= pieces
            self._gap_s = max(now - self._new_at, GAP_KEPT * self._gap_s)
            self._new_at = self._moved_at = now

    def recount(self, holdings: Iterable[int]) -> None:
        """Somebody left or lost something: what the others hold."""
        self.held = 0
        for pieces in holdings:
            self.held |= pieces

    def brings(self, piece: int) -> None:
        """We ask for this one outside."""
        if self._places is not None and self._places[piece % BUCKETS]:
            self._for_others += 1

    def asked(self, now: float) -> None:
        """We asked somebody for something, so we don't wait in vain."""
        self._moved_at = now

    def waits(self, now: float) -> None:
        """We miss something and have asked nobody for anything: as time goes by, the next place opens."""
        left = self._for_others < own_share(self._copies, self._pieces, max(1, self._importers_counted))
        if now - self._moved_at >= step_s(self._gap_s, budget_left=left) and not self._all_open:
            self.place += 1
            self._mine = None
            self._moved_at, self._closes_at = now, now + OPEN_S

    @property
    def _all_open(self) -> bool:
        return self.place > len(self._importers) + len(self._fellows)

    def mine(self, now: float) -> int:
        """The set that falls to us now, whether or not somebody in the circle holds it."""
        if not self.divides:
            return self._everything
        if self.place and now >= self._closes_at:
            self.place, self._mine = 0, None
        if now >= self._dialled_by:
            self._dialled_by = inf
            self._forget()  # who of the importers is not connected by now does not count
        if self._mine is None:
            if self._places is None:
                self._places = self._count_places(now)
            self._mine = pieces_of([place <= self.place for place in self._places], self._pieces)
        return self._mine

    def importable(self, now: float) -> int:
        """The set that we may ask for outside now: at last also what somebody here holds, and does not give us."""
        mine = self.mine(now)
        return mine if not self.divides or self._all_open else mine & ~self.held

    def _count_places(self, now: float) -> list[int]:
        if not self._importers:
            self._importers_counted = 1 + len(self._fellows)
            return places(self._own, self._fellows)
        self._importers_counted = len(self._importers)
        if self._own in self._importers:  # who of the others is not connected by now is gone
            dialling = now < self._dialled_by < inf
            return places(self._own, [one for one in self.allies if dialling or one in self._fellows])
        others = [one for one in self._fellows if one not in self._importers]
        return [min(IMPORTERS_TRIED, len(self._importers)) + place for place in places(self._own, others)]


class Circles:
    """Those of one swarm, one within the other: our LAN's, our rack's, our zone's and our region's. What comes into a
    zone or a rack is divided only where a tracker says so."""

    def __init__(self, own: str, pieces: int, now: float) -> None:
        self.lan, self.rack, self.zone, self.region = (Circle(own, pieces, now) for _ in range(4))
        self._all = (self.lan, self.rack, self.zone, self.region)
        self._within = tuple([self._all[tier:] for tier in Tier])
        """Those that a peer of a tier is in, the smallest first."""
        self._crossed = tuple([self._all[:tier][::-1] if tier is not Tier.SHIELD else () for tier in Tier])
        """Those over whose links a byte from there comes, the largest first."""
        self._everything = bitset.full(pieces)
        self.name_importers((), COPIES, (), now)

    def __repr__(self) -> str:
        return f"<Circles {self.lan!r}, {self.rack!r}, {self.zone!r}, {self.region!r}>"

    def name_importers(self, importers: Sequence[str], copies: float, inner: Iterable[Importing], now: float) -> None:
        """A tracker says who brings pieces into our region, and into our zone and rack."""
        self.region.name_importers(importers, copies, now)
        told = {one.level: one for one in inner}
        for level, circle in (("zone", self.zone), ("rack", self.rack)):
            one = told.get(level, Importing(level, (), 0.0))
            circle.name_importers(one.importers, one.copies, now)

    @property
    def allies(self) -> Collection[str]:
        """The other importers, of whatever we are one of."""
        return dict.fromkeys(name for circle in self._all for name in circle.allies)

    @property
    def importing(self) -> Collection[Tier]:
        """From which tiers we bring pieces in for many others."""
        beyond = ((self.rack, Tier.ZONE), (self.zone, Tier.REGION), (self.region, Tier.REMOTE))
        return [tier for circle, tier in beyond if circle.allies]

    def around(self, tier: Tier) -> Circle | None:
        """Whose division counts for what comes from there: of the circles over whose links it comes, the largest that
        divides. None if none does, or if a shield names what is to come."""
        for circle in self._crossed[tier]:
            if circle.divides:
                return circle
        return None

    def mine(self, now: float) -> int:
        """The set that we may ask HTTP for, whether or not somebody around us holds it."""
        circle = self.around(Tier.ORIGIN)
        return self._everything if circle is None else circle.mine(now)

    def enter(self, peer: PeerView, now: float) -> None:
        """A neighbour joined the swarm. Who has everything brings nothing in."""
        for circle in self._within[peer.tier]:
            circle.holds(peer.bits, now)
            if peer.bits != self._everything:
                circle.enter(peer.key)

    def holds(self, peer: PeerView, pieces: int, few: bool, now: float) -> None:
        """It holds these, too: `few` count one by one."""
        within = self._within[peer.tier]
        if peer.doubted or not within or pieces & within[0].held == pieces:
            return  # most news is none here: what the smallest knows, all know
        for circle in within:
            new = pieces & ~circle.held
            for each in (1 << piece for piece in bitset.iterate(new)) if few else (new,):
                circle.holds(each, now)

    def leave(self, peer: PeerView) -> None:
        """It left; `recount` follows."""
        for circle in self._within[peer.tier]:
            circle.leave(peer.key)

    def recount(self, peers: Iterable[PeerView]) -> None:
        """Somebody left or lost something, or is doubted; these are there now."""
        trusted = [peer for peer in peers if not peer.doubted]
        for circle in self._all:
            circle.recount(peer.bits for peer in trusted if circle in self._within[peer.tier])

    def look(self, now: float, *, idle: bool, sources: Collection[Tier]) -> None:
        """Now and then while something is missing. `idle`: nobody owes us anything. `sources`: who could be asked."""
        waiting = [self.around(tier) for tier in sources] if idle else ()
        for circle in self._all:
            if circle in waiting:
                circle.waits(now)
            else:
                circle.asked(now)
