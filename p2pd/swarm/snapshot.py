"""Frozen facts about a swarm, for status pages, metrics and tests."""

from dataclasses import dataclass


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
    infinite when unknown."""

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
    peers: tuple[PeerSnapshot, ...]
