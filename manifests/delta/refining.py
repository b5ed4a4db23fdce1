"""Covers moved to where a piece resembles its bases best.

hdiffpatch takes what is equal for longest, and goes on from there while more is equal than not. In tables of addresses,
rows of 8 to 24 bytes, that is often a row further up or down: equal by chance, with other numbers in every row, where
the row's own predecessor differs by the same number throughout. So a cover of which much changes is tried with the
distances of its neighbours, and counted is what changes *and* does not change as the row before it did.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .patches import Cover, connected

CHANGED_MIN: Final = 32
"""Bytes that change in a cover which is tried elsewhere, at least: in most there is little to be had."""
CHANGED_SHARE: Final = 1 / 32
"""So much of it changes at least."""
ALIKE_SHARE: Final = 3 / 4
"""Where so much changes the rows are other ones, and not compared."""
CLEARLY: Final = 0.9
"""Of what changes where it is: what is a little better by this count is as often worse when compressed."""
REACH: Final = 12
SHORT_REACH: Final = 3
"""Neighbours on each side of a cover, and of a short one: of these there are many in what was compiled anew."""
LONG_BYTES: Final = 512
_ROWS: Final = (24, 8)
"""Bytes: of ELF's relocations with addends, and of addresses."""

Octets = NDArray[np.uint8]


def refined(covers: Sequence[Cover], piece: bytes, base: bytes) -> list[Cover]:
    """The same bytes of the piece covered, by other bytes of the base where these are more alike."""
    new, old = np.frombuffer(piece, np.uint8), np.frombuffer(base, np.uint8)
    shifts = [cover.old - cover.new for cover in covers]
    for number in _poor(covers, piece, base):
        reach = REACH if covers[number].length >= LONG_BYTES else SHORT_REACH
        shifts[number] = _best(covers[number], shifts[max(0, number - reach) : number + reach + 1], new, old)
    moved = (Cover(new, new + shift, length) for (new, _, length), shift in zip(covers, shifts, strict=True))
    return list(connected(moved))


def _poor(covers: Sequence[Cover], piece: bytes, base: bytes) -> list[int]:
    """Those of which much changes, by their numbers."""
    if not covers:
        return []
    here = b"".join([piece[new : new + length] for new, _, length in covers])
    there = b"".join([base[old : old + length] for _, old, length in covers])
    changed = np.frombuffer(here, np.uint8) != np.frombuffer(there, np.uint8)
    lengths = np.array([cover.length for cover in covers])
    counts = np.add.reduceat(changed, np.cumsum(lengths) - lengths, dtype=np.int64)
    found: list[int] = np.flatnonzero(counts >= np.maximum(CHANGED_MIN, CHANGED_SHARE * lengths)).tolist()
    return found


def _best(cover: Cover, shifts: Sequence[int], new: Octets, old: Octets) -> int:
    """The distance at which clearly less changes than at the cover's own, and least; or its own."""
    best, here = cover.old - cover.new, new[cover.new : cover.new + cover.length]
    least = CLEARLY * _changes(here, old[cover.old : cover.old + cover.length])
    for shift in dict.fromkeys(shifts):
        at = cover.new + shift
        if 0 <= at <= len(old) - cover.length and (count := _changes(here, old[at : at + cover.length])) < least:
            best, least = shift, count
    return best


def _changes(here: Octets, there: Octets) -> int:
    """Bytes to be changed, but for those that change as the row before."""
    added = here - there
    least = int(np.count_nonzero(added))
    for row in _ROWS if least < ALIKE_SHARE * len(here) else ():
        least = min(least, int(np.count_nonzero(added[row:] != added[:-row]) + np.count_nonzero(added[:row])))
    return least
