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


def first_wait_s(certificate: Certificate, now: float, dice: Random) -> float:
    """Seconds from `now` (civil time) until the first attempt; 0 when it is due. A clock that is plainly wrong, before
    the issue of the certificate, is no reason to wait for longer than its life would say."""
    issued_at = min(certificate.begins_at + BACKDATED_S, certificate.ends_at)
    life_s = certificate.ends_at - issued_at or certificate.ends_at - certificate.begins_at
    age_s = max(0.0, now - issued_at)
    return max(0.0, dice.uniform(EARLIEST, LATEST) * life_s - age_s)


def retry_wait_s(certificate: Certificate, now: float, dice: Random) -> float:
    """Seconds until the next attempt after one that failed."""
    remaining_s = max(0.0, certificate.ends_at - now)
    return dice.uniform(0.5, 1.0) * min(RETRY_S_MAX, max(RETRY_S_MIN, remaining_s / RETRIES))
