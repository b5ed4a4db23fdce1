"""When neighbours are told of pieces that are new here: soon, but a crowd not of each of them.

A message costs both ends a wake and 0.1 to 0.3 ms, whatever it says: among sixteen peers at 25 Mbit/s, each of whom
told all others of every piece, a sixth of the CPU. In a crowd somebody else has what is asked for next, so it may hear
of a piece a little later; of the first few, everybody hears at once (`docs/policy.md`).
"""

from typing import Final

from .patience import ENDING_SHARE, YOUNG_SHARE

TELL_S: Final = 0.05
"""Pieces stored within this are told in one message, a tenth of the messages on a fast link."""
TELL_AMID_S: Final = 0.09
"""And within this while a download is neither young nor near its end: there each has a second of requests under way,
and asks for nothing sooner because it hears of it sooner. Half the messages of S1 for 0.003 of its bound (simulated;
0.008 if it is so to the end, when all wait for the last pieces). Not 0.1: that falls together with other timers, and
what comes at the same instant has another order in each tier of the simulator."""
TELL_S_MAX: Final = 0.2
"""And within this, while they are fewer than the neighbours: so a crowd exchanges about one message for each piece."""
CROWD: Final = 8
"""So many neighbours are told soon in any case."""


def tell_after_s(*, untold: int, held: int, pieces: int, neighbours: int) -> float:
    """Seconds from when the first of `untold` pieces was stored until the neighbours are told of them. `held`: how many
    of all `pieces` are here; with fewer than neighbours it is the beginning, and each piece is worth a message to
    everybody."""
    if held <= neighbours:
        return TELL_S
    if neighbours > CROWD and untold < neighbours:
        return TELL_S_MAX
    return TELL_AMID_S if YOUNG_SHARE * pieces <= held <= ENDING_SHARE * pieces else TELL_S
