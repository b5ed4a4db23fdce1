"""What the demo claims, and whether it is so."""

from dataclasses import asdict, dataclass
from typing import Final

ORIGIN_COPIES_MAX: Final = 1.3
PEER_SHARE_MIN: Final = 0.85
SECOND_RELEASE_SHARE_MAX: Final = 0.12


@dataclass
class Figures:
    """What was measured; the JSON that `make demo JSON=path` writes. Filled in as the story goes; None: not yet."""

    nodes: int
    artifact_bytes: int = 0
    """Of release 1."""
    seconds: float = 0.0
    """From the first command to the last verdict."""
    origin_copies: float | None = None
    """Bytes that left the seeder for release 1, in artifacts."""
    peer_share: float | None = None
    """Of the bytes fetched for release 1, those from other daemons."""
    second_release_fetched_share: float | None = None
    """The most that any daemon fetched for release 2, of its size."""
    unhealthy_release_reverted: bool | None = None
    rollback_ok: bool | None = None
    refetched_verified_bytes: int | None = None
    """By the daemon that was killed."""
    all_digests_ok: bool | None = None
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
        _claim("the origin sent about one copy to all", copies, "{:.3f}", f"<= {ORIGIN_COPIES_MAX}",
               copies is not None and copies <= ORIGIN_COPIES_MAX),
        _claim("the rest came from peers", peers, "{:.1%}", f">= {PEER_SHARE_MIN:.0%}",
               peers is not None and peers >= PEER_SHARE_MIN),
        _claim("of release 2 only the change travelled", change, "{:.1%}", f"<= {SECOND_RELEASE_SHARE_MAX:.0%}",
               change is not None and change <= SECOND_RELEASE_SHARE_MAX),
        _claim("after kill -9 nothing verified was fetched again", again, "{} bytes", "0 bytes", again == 0),
        _promise("the unhealthy release went away by itself", figures.unhealthy_release_reverted),
        _promise("a rollback brought release 1 back", figures.rollback_ok),
        _promise("every file on every host has its digest", figures.all_digests_ok),
    ]  # fmt: skip


def passed(figures: Figures) -> bool:
    """Does every claim hold, and was the story told to its end?"""
    return not figures.error and all(claim.holds for claim in claims(figures))


def as_json(figures: Figures) -> dict[str, object]:
    """The figures as plain values; what was not measured is null."""
    return asdict(figures) | {"passed": passed(figures)}


def refetched(verified_before_kill: int, resumed: int, size: int, stored: int) -> int:
    """Bytes that a restarted daemon fetched although they had been verified before.

    What it had verified but did not find again, and what it `stored` in both its lives beyond one copy.
    """
    return max(0, verified_before_kill - resumed) + max(0, stored - size)


def _claim(text: str, value: float | None, form: str, promised: str, holds: bool) -> Claim:
    return Claim(text, "not measured" if value is None else form.format(value), promised, holds)


def _promise(text: str, kept: bool | None) -> Claim:
    measured = "not measured" if kept is None else "yes" if kept else "no"
    return Claim(text, measured, "yes", bool(kept))
