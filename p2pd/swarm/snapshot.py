"""Frozen facts about a swarm, for status pages, metrics and tests."""

from dataclasses import dataclass

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
    infinite when unknown. `http_bytes`: of pieces, by why HTTP was asked for them; `topped_up_for`: for what it
    helps the peers now ('': it does not); `finish_by`: infinite where there is no deadline."""

    began_at: float
    pieces: int
    present: int
    missing_bytes: int
    in_flight: int
    down_per_s: float
    eta_s: float
    waits_for: str
    paused: bool
    complete: bool
    bytes_by_tier: dict[str, int]
    duplicate_bytes: int
    http_bytes: dict[str, int]
    finish_by: float
    topped_up_for: str
    peers: tuple[PeerSnapshot, ...]


def peer_snapshot(peer: PeerView, now: float) -> PeerSnapshot:
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
