"""How many strangers a second are let in to the doorstep: each costs a millisecond before anybody knows who it is.

A daemon needs a few dozen neighbours, and dials most of them itself. So who dials us may take a tenth of a core and
not more; the others wait in the kernel's queue, or are turned away there, which costs us nothing.
"""

from typing import Final

ACCEPTS_PER_S: Final = 80.0
"""At 1.2 ms each, most of it TLS: 10 % of a core."""
ACCEPTS_SAVED_MAX: Final = 512.0
"""A crowd that comes at once, as many as there is room for, is let in at once."""
REFUSAL_WORK: Final = 0.15
"""Of one who is turned away at once, because there is no room: no TLS is spoken. Whoever dials learns of it soon."""
REST_ACCEPTS: Final = 8.0
"""Saved before the next one is let in: fewer wake-ups."""


class Doorstep:
    """Of one listener. `spend` tells how long to rest before the next one is let in."""

    __slots__ = ("_at", "_per_s", "_saved", "_saved_max")

    def __init__(self, now: float, per_s: float = ACCEPTS_PER_S, saved_max: float = ACCEPTS_SAVED_MAX) -> None:
        self._saved, self._at = saved_max, now
        self._per_s, self._saved_max = per_s, saved_max

    def __repr__(self) -> str:
        return f"<Doorstep {self._saved:.0f}>"

    def spend(self, now: float, work: float = 1.0) -> float:
        """Seconds to rest after one, mostly 0."""
        self._saved = min(self._saved_max, self._saved + (now - self._at) * self._per_s) - work
        self._at = now
        return (REST_ACCEPTS - self._saved) / self._per_s if self._saved < 0 else 0.0
