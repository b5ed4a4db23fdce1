"""What the demo claims, and whether it is so."""

from dataclasses import asdict, dataclass
from typing import Final

ORIGIN_COPIES_MAX: Final = 1.3
PEER_SHARE_MIN: Final = 0.85
SECOND_RELEASE_SHARE_MAX: Final = 0.12


@dataclass
class Figures:
    """What was measured; the JSON that `make demo JSON=path` writes. Filled in as the story goes."""

    nodes: int
    artifact_bytes: int = 0
    """Of release 1."""
    seconds: float = 0.0
    """From the first command to the last verdict."""
    origin_copies: float = float("inf")
    """Bytes that left the seeder for release 1, in artifacts."""
    peer_share: float = 0.0
    """Of the bytes fetched for release 1, those from other daemons."""
    second_release_fetched_share: float = 1.0
    """The most that any daemon fetched for release 2, of its size."""
    unhealthy_release_reverted: bool = False
    rollback_ok: bool = False
    refetched_verified_bytes: int = -1
    """By the daemon that was killed; -1: not measured."""
    all_digests_ok: bool = False
    duplicate_bytes: int = 0
    """Fetched twice at once by racing two sources for the last pieces: the price of hedging."""
    killed_at_share: float = 0.0
    """How far the daemon was when it was killed."""
    release_1_seconds: float = 0.0
    release_2_seconds: float = 0.0
    revert_seconds: float = 0.0
    rollback_seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Claim:
    """One promise: what, what was measured, what was promised, and whether it holds."""

    text: str
    measured: str
    promised: str
    holds: bool


def claims(figures: Figures) -> list[Claim]:
    """All promises of the demo against what was measured."""
    copies, peers = figures.origin_copies, figures.peer_share
    change, again = figures.second_release_fetched_share, figures.refetched_verified_bytes
    return [
        Claim("the origin sent about one copy to all", f"{copies:.3f}", f"<= {ORIGIN_COPIES_MAX}",
              copies <= ORIGIN_COPIES_MAX),
        Claim("the rest came from peers", f"{peers:.1%}", f">= {PEER_SHARE_MIN:.0%}", peers >= PEER_SHARE_MIN),
        Claim("of release 2 only the change travelled", f"{change:.1%}", f"<= {SECOND_RELEASE_SHARE_MAX:.0%}",
              change <= SECOND_RELEASE_SHARE_MAX),
        Claim("after kill -9 nothing verified was fetched again", f"{again} bytes", "0 bytes", again == 0),
        _promise("the unhealthy release went away by itself", figures.unhealthy_release_reverted),
        _promise("a rollback brought release 1 back", figures.rollback_ok),
        _promise("every file on every host has its digest", figures.all_digests_ok),
    ]  # fmt: skip


def passed(figures: Figures) -> bool:
    """Does every claim hold, and was the story told to its end?"""
    return not figures.error and all(claim.holds for claim in claims(figures))


def as_json(figures: Figures) -> dict[str, object]:
    """The figures as plain values; what was not measured is null."""
    return {name: None if value == float("inf") else value for name, value in asdict(figures).items()} | {
        "passed": passed(figures)
    }


def refetched(verified_before_kill: int, resumed: int, size: int, stored: int) -> int:
    """Bytes that a restarted daemon fetched although they had been verified before.

    What it had verified but did not find again, and what it `stored` in both its lives beyond one copy.
    """
    return max(0, verified_before_kill - resumed) + max(0, stored - size)


def _promise(text: str, kept: bool) -> Claim:
    return Claim(text, "yes" if kept else "no", "yes", kept)
