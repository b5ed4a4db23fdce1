"""Why a download does not move: a reason to count by, and words for a person."""

from p2pd.policy.citizenship import rule_of
from p2pd.policy.sources import ORIGIN_GRACE_S, Tier

from .books import Books
from .fetching import Fetching
from .ledger import Reason

MOVING_S = 1.0
"""Bytes within the last second: it moves."""
CAPPED_S = 1.0
"""Our own cap kept us from reading within this."""


def standstill(books: Books, fetching: Fetching, now: float) -> Reason | None:
    """Why nothing would come now; None when all that is wanted is here. It does not say whether something comes."""
    missing, peers = books.missing, books.peers.values()
    if not missing:
        return Reason.VERIFYING if books.verifying else None
    if fetching.paused:
        return Reason.PAUSED
    if fetching.held_back and not any(peer.tier is Tier.LAN for peer in peers):
        return Reason(rule_of(fetching.held_back))
    if now - fetching.capped_at < CAPPED_S:
        return Reason.CAPPED
    if fetching.origin.requested or any(peer.requested for peer in peers):
        return Reason.SILENT
    if not peers:
        return Reason.NO_PEER
    holders = [peer for peer in peers if peer.bits & missing]
    if not holders:
        return Reason.UNHELD
    holders = [peer for peer in holders if now >= peer.snubbed_until]
    if not holders:
        return Reason.SNUBBED
    ours = any(peer.bits & missing & fetching.importable(peer, now) for peer in holders)
    return Reason.CHOKED if ours else Reason.LEFT


def waits_for(books: Books, fetching: Fetching, now: float) -> str:
    """'' while bytes arrive or nothing is missing."""
    silent_s, reason, peers = now - fetching.progress_at, standstill(books, fetching, now), books.peers.values()
    if reason is Reason.PAUSED:
        return "paused by the user"
    if reason is None or reason is Reason.VERIFYING or silent_s < MOVING_S:
        return ""
    match reason:
        case Reason.CAPPED:
            return "our own cap, or what others leave of the link"
        case Reason.SILENT:
            names = ", ".join([peer.key[:8] for peer in peers if peer.requested][:3]) or "the HTTP origin"
            return f"an answer from {names} ({silent_s:.0f} s without a byte)"
        case Reason.NO_PEER:
            return f"a peer: none is known that has this release{_origin_words(fetching)}"
        case Reason.UNHELD:
            shields = sum(peer.tier is Tier.SHIELD for peer in peers)
            seeker = f"asked {shields} shield(s) for them" if shields else "no shield is connected"
            words = f"{fetching.unheld.bit_count()} of {fetching.missing.bit_count()} missing pieces"
            return f"{words} that none of {len(peers)} peers holds; {seeker}{_origin_words(fetching)}"
        case Reason.LEFT:
            return "what others behind our shared link are to bring in: it is asked for elsewhere soon"
        case Reason.CHOKED | Reason.SNUBBED:
            return f"{len(peers)} peer(s) that hold the missing pieces but are busy or were silent for too long"
        case _:
            return f"leave to use the link: {fetching.held_back}"


def _origin_words(fetching: Fetching) -> str:
    if fetching.origin_usable:
        return f"; HTTP is asked {ORIGIN_GRACE_S:.0f} s after that"
    return "; no HTTP origin answers"
