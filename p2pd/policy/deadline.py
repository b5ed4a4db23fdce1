"""How much of a download HTTP should bring: what peers will not bring in time, and no more.

HTTP costs somebody money by the byte. So it helps when what is missing, at the rate that peers bring it, would come too
late, or slower than a floor that was set; with what lacks, not with all that it can; and only once that has been so for
a while, for one slow second says little. It stops the same way.
"""

from math import inf
from typing import Final

BEHIND_S: Final = 5.0
"""Behind for so long: then HTTP begins to help, and when ahead for so long it stops."""
BEHIND_SHARE: Final = 0.1
"""But never longer than this share of the time that is left: a tight deadline has no five seconds to wait."""
RESERVE: Final = 0.1
"""Of the time there is, kept for what goes wrong: aim to be done so much earlier."""
AHEAD: Final = 1.1
"""Peers bring a tenth more than is needed: then they need no help."""
SAVED_S: Final = 1.0
"""What HTTP may bring and did not for want of pieces is kept for so long: no burst later."""


def needed_per_s(missing_bytes: float, left_s: float, floor_per_s: float) -> float:
    """The rate that a download owes; infinite once its time is over, 0 when nothing is missing."""
    if missing_bytes <= 0:
        return 0.0
    if left_s <= 0:
        return inf
    return max(floor_per_s, missing_bytes / left_s)


def aim_at(finish_by: float, now: float) -> float:
    """When to be done, in order to be done by then."""
    return finish_by - RESERVE * (finish_by - now) if now < finish_by < inf else finish_by


def patience_s(left_s: float) -> float:
    """How long to be behind before it counts."""
    return max(0.0, min(BEHIND_S, BEHIND_SHARE * left_s))
