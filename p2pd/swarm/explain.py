"""Why a download does not move, in words for a person."""

from p2pd.policy.sources import ORIGIN_GRACE_S, Tier

from .fetching import Fetching
from .peerview import PeerView

MOVING_S = 1.0
"""Bytes within the last second: it moves."""


def waits_for(fetching: Fetching, peers: list[PeerView], now: float) -> str:
    """'' while bytes arrive or nothing is missing."""
    missing = fetching.missing.bit_count()
    if not missing:
        return ""
    if fetching.paused:
        return "paused by the user"
    silent_s = now - fetching.progress_at
    if silent_s < MOVING_S:
        return ""
    if fetching.held_back and not any(peer.tier is Tier.LAN for peer in peers):
        return f"leave to use the link: {fetching.held_back}"
    owing = [peer for peer in peers if peer.requested]
    if owing or fetching.origin.requested:
        names = ", ".join(peer.key[:8] for peer in owing[:3]) or "the HTTP origin"
        return f"an answer from {names} ({silent_s:.0f} s without a byte)"
    if not peers:
        return f"a peer: none is known that has this release{_origin_words(fetching)}"
    unheld = fetching.unheld.bit_count()
    if unheld:
        shields = sum(peer.tier is Tier.SHIELD for peer in peers)
        seeker = f"asked {shields} shield(s) for them" if shields else "no shield is connected"
        words = f"{unheld} of {missing} missing pieces that none of {len(peers)} peers holds"
        return f"{words}; {seeker}{_origin_words(fetching)}"
    return f"{len(peers)} peer(s) that hold the missing pieces but are busy or were silent for too long"


def _origin_words(fetching: Fetching) -> str:
    if fetching.origin_usable:
        return f"; HTTP is asked {ORIGIN_GRACE_S:.0f} s after that"
    return "; no HTTP origin answers"
