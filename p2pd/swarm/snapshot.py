"""Frozen facts about a swarm, for status pages, metrics and tests."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from p2pd.policy.sources import Tier
from p2pd.wire import bits as bitset

from .books import Books
from .explain import standstill, waits_for
from .fetching import Fetching
from .ledger import Reason
from .peerview import PeerView


@dataclass(frozen=True, slots=True)
class PeerSnapshot:
    """One neighbour, known in this swarm since `joined_at`. Rates in bytes a second."""

    key: str
    joined_at: float
    tier: str
    pieces: int
    requested: int
    down_per_s: float
    up_per_s: float
    bytes_received: int
    bytes_sent: int
    snubbed: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One swarm, which we are in since `began_at`. `waits_for`: why nothing moves, '' when something does; `eta_s`
    infinite when unknown. `standstill`: why nothing would come now, should nothing come. `sources_per_s`: the most
    that each neighbour of today, and HTTP, ever brought a second, together by tier. `http_bytes`: of pieces, by why
    HTTP was asked for them; `topped_up_for`: for what it helps the peers now ('': it does not); `finish_by`: infinite
    where there is no deadline."""

    began_at: float
    pieces: int
    present: int
    missing_bytes: int
    in_flight: int
    down_per_s: float
    eta_s: float
    waits_for: str
    standstill: Reason | None
    rate_by_tier: dict[str, float]
    sources_per_s: dict[str, float]
    paused: bool
    complete: bool
    bytes_by_tier: dict[str, int]
    duplicate_bytes: int
    http_bytes: dict[str, int]
    finish_by: float
    topped_up_for: str
    peers: tuple[PeerSnapshot, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """What a swarm gets now, at a hundredth of a snapshot's price. `asked`: tiers of those who owe us pieces."""

    down_per_s: float
    neighbours: int
    asked: tuple[Tier, ...]


def pace_of(books: Books, fetching: Fetching, now: float) -> Pace:
    """Of a swarm whose brain owns these."""
    asked = tuple([peer.tier for peer in books.peers.values() if peer.requested])
    return Pace(fetching.rate.per_s(now), len(books.peers), asked)


def _peer_snapshot(peer: PeerView, now: float) -> PeerSnapshot:
    """Of one neighbour."""
    return PeerSnapshot(
        key=peer.key,
        joined_at=peer.joined_at,
        tier=peer.tier.name.lower(),
        pieces=peer.bits.bit_count(),
        requested=len(peer.requested),
        down_per_s=peer.rate.per_s(now),
        up_per_s=peer.upload_rate.per_s(now),
        bytes_received=peer.bytes_received,
        bytes_sent=peer.bytes_sent,
        snubbed=now < peer.snubbed_until,
    )


@dataclass(slots=True)
class Tallies:
    """What a brain counts for others' eyes only."""

    began_at: float
    departed_bytes: dict[Tier, int] = field(default_factory=dict)
    """What came from neighbours that are gone."""
    duplicate_bytes: int = 0

    def depart(self, peer: PeerView) -> None:
        """A neighbour goes."""
        self.departed_bytes[peer.tier] = self.departed_bytes.get(peer.tier, 0) + peer.bytes_received

    def bytes_by_tier(self, sources: Iterable[PeerView]) -> dict[Tier, int]:
        """All that ever came. `sources`: who is there now."""
        found = dict(self.departed_bytes)
        for one in sources:
            found[one.tier] = found.get(one.tier, 0) + one.bytes_received
        return {tier: count for tier, count in sorted(found.items()) if count}


def snapshot_of(books: Books, fetching: Fetching, tallies: Tallies, now: float) -> Snapshot:
    """Of a swarm whose brain owns these."""
    peers = list(books.peers.values())
    sources = [*peers, fetching.origin]
    missing_bytes = sum(books.lengths[piece] for piece in bitset.iterate(fetching.missing))
    rate = fetching.rate.per_s(now)
    return Snapshot(
        began_at=tallies.began_at,
        pieces=len(books.lengths),
        present=books.present.bit_count(),
        missing_bytes=missing_bytes,
        in_flight=len(fetching.requests.owners),
        down_per_s=rate,
        eta_s=missing_bytes / rate if rate > 1 else (float("inf") if missing_bytes else 0.0),
        waits_for=waits_for(books, fetching, now),
        standstill=standstill(books, fetching, now),
        rate_by_tier=_by_tier(sources, lambda one: one.rate.per_s(now)),
        sources_per_s=_by_tier(sources, lambda one: one.rate.peak_per_s),
        paused=fetching.paused,
        complete=books.present == fetching.everything,
        bytes_by_tier={tier.name.lower(): count for tier, count in tallies.bytes_by_tier(sources).items()},
        duplicate_bytes=tallies.duplicate_bytes,
        http_bytes=dict(fetching.http_bytes),
        finish_by=fetching.top_up.finish_by,
        topped_up_for=fetching.top_up.why,
        peers=tuple(_peer_snapshot(peer, now) for peer in peers),
    )


def _by_tier(sources: Iterable[PeerView], rate_of: Callable[[PeerView], float]) -> dict[str, float]:
    """Rates of all of a tier together; of those that ever brought something."""
    found: dict[str, float] = {}
    for one in sources:
        if one.bytes_received:
            name = one.tier.name.lower()
            found[name] = found.get(name, 0.0) + rate_of(one)
    return found
