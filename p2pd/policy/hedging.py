"""Whether an idle peer should be asked for a piece that is already on its way from another.

Near the end every missing piece is in flight somewhere, and the slowest source would set the finish. A piece is asked
for a second time only from somebody who would bring it much sooner, so that few bytes are paid twice.
"""

from typing import Final

SPEED_UP_MIN: Final = 2.0
"""Hedge only when the new source needs less than half of the time that is left."""
GAIN_S_MIN: Final = 0.25
"""And when that gains at least this much: below it the cancel would come too late."""
COPIES_MAX: Final = 2
"""Requests for one piece at once, of those that can be expected to bring it."""
HOPELESS_S: Final = 30.0
"""A piece that none of those asked for it brings within this counts as asked of nobody: two peers that drip bytes just
fast enough not to be left must not hold a download up."""
WAITED_S_MIN: Final = 3.0
"""But not before they had this long to begin."""


def worth_hedging(*, left_s: float, fresh_s: float, copies: int) -> bool:
    """`left_s`: until the piece would come from where it was asked for; `fresh_s`: from the idle peer."""
    return copies < COPIES_MAX and left_s > SPEED_UP_MIN * fresh_s and left_s - fresh_s > GAIN_S_MIN


def is_hopeless(*, left_s: float, waited_s: float) -> bool:
    """Whether a piece asked for `waited_s` ago, and due in `left_s`, will not come from there in any useful time."""
    return left_s >= HOPELESS_S and waited_s >= WAITED_S_MIN
