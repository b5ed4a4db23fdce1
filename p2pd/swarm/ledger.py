"""Where the seconds of a download went: how long it moved, and for which reasons it did not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a download does not move. Metrics are labelled with these."""

    PAUSED = "paused"
    METERED = "metered"
    BATTERY = "battery"
    SCHEDULE = "schedule"
    BUDGET = "budget"
    CAPPED = "capped"
    YIELDING = "yielding"
    MANIFEST = "manifest"
    TRACKER = "tracker"
    NO_PEER = "no peer"
    UNHELD = "unheld"
    HTTP_RESTS = "http rests"
    CHOKED = "choked"
    SNUBBED = "snubbed"
    LEFT = "left to others"
    SILENT = "silent"
    DISK = "disk"
    VERIFYING = "verifying"
    PATCHING = "patching"
    FALLBACK = "fallback"


WORDS: Final[Mapping[Reason, str]] = {
    Reason.PAUSED: "paused by the user",
    Reason.METERED: "the network is metered",
    Reason.BATTERY: "the machine runs on battery",
    Reason.SCHEDULE: "the schedule forbids it",
    Reason.BUDGET: "a budget was used up",
    Reason.CAPPED: "capped",
    Reason.YIELDING: "yielded to others on the link",
    Reason.MANIFEST: "the manifest did not come",
    Reason.TRACKER: "no peer is known and no tracker answers",
    Reason.NO_PEER: "no peer is known",
    Reason.UNHELD: "no peer has the missing pieces",
    Reason.HTTP_RESTS: "all that is left is HTTP, which failed and is left alone for a while",
    Reason.CHOKED: "all peers that have the missing pieces are busy",
    Reason.SNUBBED: "all peers that have the missing pieces were silent for too long",
    Reason.LEFT: "others behind the shared link are to bring in what is missing",
    Reason.SILENT: "who was asked said nothing",
    Reason.DISK: "the disk has no room, or fails",
    Reason.VERIFYING: "pieces are verified and written",
    Reason.PATCHING: "pieces are made from a pack",
    Reason.FALLBACK: "a pack is missing and fallback_bytes_max is used up",
}


@dataclass(slots=True)
class Ledger:
    """Seconds, each either moved or stood still for one reason."""

    moved_s: float = 0.0
    still_s: dict[Reason, float] = field(default_factory=dict)

    def note(self, seconds: float, reason: Reason | None) -> None:
        """So long it stood still, or (None) moved."""
        if reason is None:
            self.moved_s += seconds
        else:
            self.still_s[reason] = self.still_s.get(reason, 0.0) + seconds

    @property
    def standstill_s(self) -> float:
        """All together."""
        return sum(self.still_s.values())

    def by_reason(self) -> dict[str, float]:
        """The longest first."""
        return {reason.value: seconds for reason, seconds in self._sorted()}

    def words(self) -> str:
        """For a person; '' when it always moved."""
        parts = [f"{seconds:.0f} s {WORDS[reason]}" for reason, seconds in self._sorted() if seconds >= 0.5]
        return f"{self.standstill_s:.0f} s without progress: {', '.join(parts)}" if parts else ""

    def _sorted(self) -> list[tuple[Reason, float]]:
        return sorted(self.still_s.items(), key=lambda one: -one[1])
