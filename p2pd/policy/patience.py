"""How late a node may see what comes: what gathers meanwhile is done at once, for less processor time.

Not while a swarm is young, when news of each piece decides who passes on what, and not when a download ends and all
wait for its last pieces: there each hop would be as much later. In between, a second of requests is under way.
"""

from dataclasses import dataclass, field
from typing import Final

from .pacing import Rate

LATE_S: Final = 0.025
"""50 ms: slower by an eighth, though less processor time still. 12 ms: no gain (docs/benchmarks/swarm.md, S1)."""
YOUNG_SHARE: Final = 0.08
ENDING_SHARE: Final = 0.93
FAST_PER_S: Final = 12_500_000
"""100 Mbit/s: there more comes at once than the buffers on the way should hold, and enough for one look anyway."""
LOOK_S: Final = 0.25
"""Between two looks at how far a swarm is."""
FORGET_S: Final = 1.0
"""A swarm in which nothing moved for so long does not count."""


@dataclass(slots=True)
class Patience:
    """Of one node, in all its swarms."""

    _rate: Rate = field(default_factory=Rate)
    _shares: dict[bytes, tuple[float, float]] = field(default_factory=dict)
    """By swarm: when it was looked at, and how far it was."""

    def passed(self, swarm: bytes, count: int, now: float) -> bool:
        """So many bytes of a swarm came or left. True: it is time to look how far it is, and ask `late_s`."""
        self._rate.add(count, now)
        seen = self._shares.get(swarm)
        return seen is None or now - seen[0] >= LOOK_S

    def late_s(self, swarm: bytes, share: float, now: float) -> float:
        """How late all that comes may be seen, now that this swarm has this share (0 to 1) of its release."""
        self._shares[swarm] = (now, share)
        for one, (at, _) in list(self._shares.items()):
            if now - at > FORGET_S:
                del self._shares[one]
        amid = all(YOUNG_SHARE <= one <= ENDING_SHARE for _, one in self._shares.values())
        return LATE_S if amid and self._rate.per_s(now) < FAST_PER_S else 0.0
