"""How much work one connection may ask for; what goes beyond is made to wait, so that others are served. Pure."""

from typing import Final

from p2pd.wire.announce import Announce, AnyTrackerMessage, Certify
from p2pd.wire.attestation import Quote

WORK_PER_S: Final = 50.0
"""A node says two or three things in five seconds; a regional tracker sends batches of reports."""
WORK_SAVED_MAX: Final = 200.0
"""A beginning, a burst of changes: four seconds' worth are free."""
CERTIFICATE_WORK: Final = 50.0
"""Three signatures and a durable write: one a second on a connection."""
QUOTE_WORK: Final = 5.0
"""A signature to be checked, and perhaps all goals to be said again."""
HANDOUTS_PER_WORK: Final = 4
"""So many handouts cost as much as one plain message."""


def work_of(message: AnyTrackerMessage) -> float:
    """What a message costs us, in plain messages."""
    if isinstance(message, Certify):
        return CERTIFICATE_WORK
    if isinstance(message, Quote):
        return QUOTE_WORK
    if isinstance(message, Announce):
        return 1.0 + sum(1 for status in message.swarms if status.wanted) / HANDOUTS_PER_WORK
    return 1.0


class Allowance:
    """One connection's. `spend` tells how long it must rest before the next message is read."""

    def __init__(self, now: float) -> None:
        self._saved = WORK_SAVED_MAX
        self._at = now

    def spend(self, work: float, now: float) -> float:
        """Seconds to rest after this much work."""
        self._saved = min(WORK_SAVED_MAX, self._saved + (now - self._at) * WORK_PER_S) - work
        self._at = now
        return max(0.0, -self._saved / WORK_PER_S)
