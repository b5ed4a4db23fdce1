"""When a node announces: at once if something changed that others act upon, else when its tracker asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Final

from p2pd.wire.announce import SWARMS_MAX, SwarmStatus

from .backoff import jittered
from .dialing import DEGREE

INTERVAL_S: Final = 30.0
"""Until the tracker says otherwise."""
INTERVAL_S_MIN: Final = 1.0
INTERVAL_S_MAX: Final = 3_600.0
"""What a tracker may ask for; beyond it is a mistake of its own."""
GAP_S: Final = 1.0
"""Between announces, however much happens: changes are gathered. Only one may come before that, for a download that is
wanted a moment after something else was announced must not wait for its peers."""
GATHER_S: Final = 0.02
"""What changes within so much is told at once: ten services that are deployed together are one announce."""

PEERS_WANTED: Final = 32
"""Named to a newcomer: twice the degree, for some of them will not answer."""
PEERS_REFRESHED: Final = 4
"""Named in each interval to whoever has neighbours enough: the mesh stays fresh, a handout costs a tracker little."""


def peers_wanted(*, complete: bool, neighbours: int) -> int:
    """How many peers of a swarm to ask for. Whoever has everything is found by those who miss something."""
    if complete:
        return 0
    return PEERS_REFRESHED if neighbours >= DEGREE else PEERS_WANTED


def matters(old: Sequence[SwarmStatus], new: Sequence[SwarmStatus]) -> bool:
    """Whether a change is worth an announce now: joined, left, completed, damaged, or in want of peers anew."""
    before = {status.swarm: status for status in old}
    if before.keys() != {status.swarm for status in new}:
        return True
    return any(
        _is_complete(status) != _is_complete(before[status.swarm])
        or (status.wanted and not before[status.swarm].wanted)
        for status in new
    )


def fitting(swarms: Sequence[SwarmStatus]) -> tuple[SwarmStatus, ...]:
    """What one announce can hold; where there are too many, those that want peers go first."""
    if len(swarms) <= SWARMS_MAX:
        return tuple(swarms)
    return tuple(sorted(swarms, key=lambda status: -status.wanted)[:SWARMS_MAX])


def _is_complete(status: SwarmStatus) -> bool:
    return 0 < status.pieces == status.have


@dataclass(slots=True)
class AnnouncePace:
    """Tells when the next announce is due, on the clock of its caller."""

    rng: Random = field(repr=False)
    interval_s: float = INTERVAL_S
    _pause_s: float = INTERVAL_S
    _last: float = -inf
    _gap_ends: float = -inf
    _changed_at: float = inf

    @property
    def due(self) -> float:
        """When to announce next; in the past if nothing was announced on this connection."""
        return max(self._gap_ends - GAP_S, min(self._changed_at + GATHER_S, self._last + self._pause_s))

    def connected(self) -> None:
        """A new connection: the tracker knows nothing of us."""
        self._last = self._gap_ends = -inf

    def changed(self, now: float) -> None:
        """Something that matters changed."""
        self._changed_at = min(self._changed_at, now)

    def announced(self, now: float) -> None:
        """An announce was sent."""
        self._last, self._gap_ends = now, max(now, self._gap_ends) + GAP_S
        self._changed_at = inf
        self._pause_s = jittered(self.interval_s, self.rng)

    def renewed(self, interval_s: float) -> None:
        """The tracker said how soon it wants to hear from us again."""
        self.interval_s = min(max(interval_s, INTERVAL_S_MIN), INTERVAL_S_MAX)
        self._pause_s = jittered(self.interval_s, self.rng)
