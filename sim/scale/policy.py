"""The daemon's rules in the kernel's form: the same choices, on bitsets instead of sets.

`pick_rarest` and `offer_next` have their pure twins in `p2pd.policy`; `tests/sim/scale/test_policy.py` holds them equal
on random inputs. `pick_piece` is `pick_rarest` with fewer looks at memory, and `may_cross` what `p2pd.policy.importing`
comes to: what a region lacks comes in once, and some more for those who wait in vain.
"""

import numpy as np
import numpy.typing as npt

from .compiled import inlined
from .dice import Dice, highest_bit, lowest_bit, roll, turned, without_lowest

Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int32]

NONE = -1
FULL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_NEVER = 1 << 30


@inlined
def pick_piece(
    has: Words,
    source: int,
    taken: Words,
    taker: int,
    first: int,
    last: int,
    counts: Counts,
    area: int,
    start_word: int,
    start_bit: int,
    sample: int,
) -> int:
    """Rarest of the first `sample` pieces that `source` has and `taker` neither has nor awaits; or NONE.

    Words `first`..`last` are looked at in a circle from `start_word`, bits in a circle from `start_bit`. Of equally
    rare pieces the first seen is taken: the random start is what keeps neighbours from choosing alike.
    """
    best, fewest, seen = NONE, _NEVER, 0
    word = start_word
    for _ in range(last - first + 1):
        missing = has[source, word] & ~taken[taker, word]
        if missing != 0:
            missing = turned(missing, start_bit)
            while missing != 0:
                piece = word * 64 + ((lowest_bit(missing) + start_bit) & 63)
                missing = without_lowest(missing)
                count = counts[area, piece]
                if count < fewest:
                    best, fewest = piece, count
                seen += 1
                if seen == sample:
                    return best
        word = word + 1 if word < last else first
    return best


@inlined
def _first_from(has: Words, source: int, taken: Words, taker: int, last: int, position: int) -> int:
    """The first candidate at `position` or after it, else the first of all; there must be one up to word `last`."""
    word = position >> 6
    missing = has[source, word] & ~taken[taker, word] & (FULL << np.uint64(position & 63))
    while missing == 0:
        word = word + 1 if word < last else 0
        missing = has[source, word] & ~taken[taker, word]
    return word * 64 + lowest_bit(missing)


@inlined
def pick_rarest(
    has: Words, source: int, taken: Words, taker: int, last: int, counts: Counts, area: int, samples: int, dice: Dice
) -> int:
    """`p2pd.policy.picking.pick_rarest` on bitsets: rarest of `samples` candidates drawn at random; or NONE.

    `last`: a word beyond which there is no candidate. `pick_piece` is a cheaper form, with a test on how near it comes.
    """
    while last >= 0 and has[source, last] & ~taken[taker, last] == 0:
        last -= 1
    if last < 0:
        return NONE
    width = last * 64 + highest_bit(has[source, last] & ~taken[taker, last]) + 1
    best = _first_from(has, source, taken, taker, last, roll(dice, width))
    for _ in range(samples - 1):
        piece = _first_from(has, source, taken, taker, last, roll(dice, width))
        if counts[area, piece] < counts[area, best]:
            best = piece
    return best


@inlined
def pick(
    has: Words,
    source: int,
    taken: Words,
    taker: int,
    first: int,
    last: int,
    counts: Counts,
    area: int,
    sample: int,
    dice: Dice,
) -> int:
    """`pick_piece` from a random point on; NONE when `last` < `first`."""
    if last < first:
        return NONE
    start = roll(dice, (last - first + 1) * 64)
    return pick_piece(has, source, taken, taker, first, last, counts, area, first + (start >> 6), start & 63, sample)


@inlined
def may_cross(region_lacks_it: bool, feed_tokens: float, spare_left: float, starved: bool) -> bool:
    """May a piece come in from another region? What the region lacks, if its feed has room; else for the starved only.

    `spare_left` is what remains of the copies that a region may take in beyond the first, in pieces.
    """
    if feed_tokens < 1.0:
        return False
    return region_lacks_it or (starved and spare_left >= 1.0)


@inlined
def offer_next(sent: Counts, source: int, held: Words, area: int, words: int, start_word: int) -> int:
    """The piece that a source names next to somebody of `area`: of those not `held` there, the least sent; or NONE.

    So nothing is sent twice while something that is wanted has not been sent once (super-seeding).
    """
    best, fewest = NONE, _NEVER
    word = start_word
    for _ in range(words):
        lacks = ~held[area, word]
        while lacks != 0:
            piece = word * 64 + lowest_bit(lacks)
            lacks = without_lowest(lacks)
            if sent[source, piece] < fewest:
                best, fewest = piece, sent[source, piece]
                if fewest == 0:
                    return best
        word = word + 1 if word + 1 < words else 0
    return best
