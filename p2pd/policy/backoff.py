"""When to try again: exponential backoff with full jitter.

Full jitter (a uniform draw from zero to the bound) spreads a fleet that lost its tracker at one moment better than a
fixed pause with a little noise. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Final

BASE_S: Final = 0.5
"""Bound of the first pause: one lost connection is mended before anybody notices."""
LIMIT_S: Final = 30.0
"""No pause is longer: a tracker that is back is known to all within half a minute."""


@dataclass(slots=True)
class Backoff:
    """How long to wait after each failure in a row. `succeeded` starts over."""

    rng: Random = field(repr=False)
    base_s: float = BASE_S
    limit_s: float = LIMIT_S
    failures: int = 0

    @property
    def bound_s(self) -> float:
        """The longest that the next pause may be."""
        return min(self.limit_s, self.base_s * 2.0 ** min(self.failures, 32))

    def failed(self) -> float:
        """One more failure: seconds to wait before the next attempt."""
        pause_s = self.rng.uniform(0.0, self.bound_s)
        self.failures += 1
        return pause_s

    def succeeded(self) -> None:
        """It worked: the next failure is a first one."""
        self.failures = 0


def jittered(interval_s: float, rng: Random, share: float = 0.2) -> float:
    """The interval, up to `share` of it shorter: nodes that began together don't stay together."""
    return interval_s * (1.0 - share * rng.random())
