"""Small sums. Pure."""

from collections.abc import Sequence
from math import ceil


def percentile_ms(ascending_s: Sequence[float], share: float) -> float:
    """The smallest value that is not less than this share of all; 0 of none."""
    if not ascending_s:
        return 0.0
    return 1000 * ascending_s[max(0, ceil(share * len(ascending_s)) - 1)]
