"""How much a peer may say: what goes beyond is made to wait, so that nobody's chatter takes the time of a download.

Measured: eight peers that send pings as fast as they can brought a download to a standstill; each small message costs
some 40 us. So each connection may say so much a second, and more for every piece that passes on it: whoever
exchanges pieces is never held up, whoever only talks gets 0.6 % of a core.
"""

from typing import Final

from p2pd.wire.connection import About, BlockReceived, Event, Joined
from p2pd.wire.messages import Have, Lost, ManifestRequest, Want

WORK_PER_S: Final = 150.0
WORK_SAVED_MAX: Final = 1_000.0
"""A beginning: joining hundreds of swarms, a set of pieces, requests for a full queue."""
WORK_PER_PIECE: Final = 8.0
"""Earned by each that passes, either way: it was asked for, perhaps in vain at first, and several are told of it."""
REST_WORK: Final = 10.0
"""Saved before such a one is heard again: fewer wake-ups."""
PIECES_PER_WORK: Final = 16
JOINED_PIECES_PER_WORK: Final = 1_024
_NAMING: Final = (Have, Lost, Want)
MANIFEST_WORK: Final = 16.0
"""A quarter of a MiB is read and sent for it."""


class Hearing:
    """Of one connection. `spend` tells how long to rest before it is heard again."""

    __slots__ = ("_at", "_saved")

    def __init__(self, now: float) -> None:
        self._saved, self._at = WORK_SAVED_MAX, now

    def __repr__(self) -> str:
        return f"<Hearing {self._saved:.0f}>"

    def earn(self) -> None:
        """A piece has passed."""
        self._saved = min(WORK_SAVED_MAX, self._saved + WORK_PER_PIECE)

    def spend(self, event: Event, now: float) -> float:
        """Seconds to rest after this, mostly 0."""
        if isinstance(event, BlockReceived):
            return 0.0
        self._saved = min(WORK_SAVED_MAX, self._saved + (now - self._at) * WORK_PER_S) - work_of(event)
        self._at = now
        return (REST_WORK - self._saved) / WORK_PER_S if self._saved < 0 else 0.0


def work_of(event: Event) -> float:
    """What it costs us, in small messages."""
    if isinstance(event, About):
        said = event.message
        return 1.0 + len(said.pieces) / PIECES_PER_WORK if isinstance(said, _NAMING) else 1.0
    if isinstance(event, Joined):
        return 1.0 + event.pieces / JOINED_PIECES_PER_WORK
    return MANIFEST_WORK if isinstance(event, ManifestRequest) else 1.0
