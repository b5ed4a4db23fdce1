"""When neighbours are told of pieces that are new here: soon, but a crowd not of each of them.

A message costs both ends a wake and 0.1 to 0.3 ms, whatever it says: among sixteen peers at 25 Mbit/s, each of whom
told all others of every piece, a sixth of the CPU. In a crowd somebody else has what is asked for next, so it may hear
of a piece a little later; of the first few, everybody hears at once (`docs/policy.md`).
"""

from typing import Final

TELL_S: Final = 0.05
"""Pieces stored within this are told in one message, a tenth of the messages on a fast link."""
TELL_S_MAX: Final = 0.2
"""And within this, while they are fewer than the neighbours: so a crowd exchanges about one message for each piece."""
CROWD: Final = 8
"""So many neighbours are told soon in any case."""


def tell_after_s(*, untold: int, held: int, neighbours: int) -> float:
    """Seconds from when the first of `untold` pieces was stored until the neighbours are told of them. `held`: pieces
    that are here; with fewer than neighbours it is the beginning, and each piece is worth a message to everybody."""
    soon = neighbours <= CROWD or held <= neighbours or untold >= neighbours
    return TELL_S if soon else TELL_S_MAX
