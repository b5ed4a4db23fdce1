"""When to ask for the next certificate: early, at odd moments, and again and again while it can't be had.

A fleet whose hosts joined in one hour must not renew in one hour for ever after: each picks a moment between a half and
two thirds of its certificate's life. That leaves a third of the life for an authority to be away.
"""

from random import Random
from typing import Final

from .certificate import BACKDATED_S, Certificate

EARLIEST: Final = 1 / 2
LATEST: Final = 2 / 3
RETRIES: Final = 12
"""Attempts in the remaining life: every 40 minutes with a certificate of a day."""
RETRY_S_MIN: Final = 30.0
RETRY_S_MAX: Final = 3_600.0


class Renewal:
    """Of one certificate. `whole_s`: how long after its issue to ask for the next one. `due_at`: when that is by the
    authority's clock, which need not be ours."""

    def __init__(self, certificate: Certificate, dice: Random) -> None:
        self._certificate, self._dice = certificate, dice
        issued_at = certificate.begins_at + BACKDATED_S
        if issued_at >= certificate.ends_at:  # another authority's, which does not date back
            issued_at = certificate.begins_at
        self.whole_s = dice.uniform(EARLIEST, LATEST) * (certificate.ends_at - issued_at)
        self.due_at = issued_at + self.whole_s

    def __repr__(self) -> str:
        return f"<Renewal at {self.due_at:.0f}>"

    def wait_s(self, now: float) -> float:
        """How long to wait with one that we find at `now`, civil time. A clock that is behind makes it no longer than
        with a new one; one that is ahead makes it shorter, so it is no use for one that has just come."""
        return min(max(0.0, self.due_at - now), self.whole_s)

    def retry_s(self, now: float) -> float:
        """How long to wait after an attempt that failed."""
        remaining_s = max(0.0, self._certificate.ends_at - now)
        return self._dice.uniform(0.5, 1.0) * min(RETRY_S_MAX, max(RETRY_S_MIN, remaining_s / RETRIES))
