"""Dice and bits for compiled code: one 64-bit xorshift* state, seeded, the same on every machine."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros  # no public name for them

from .compiled import inlined

U64 = np.uint64
Dice = npt.NDArray[np.uint64]
_zeros: Any = trailing_zeros
_zeros_above: Any = leading_zeros
_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)
_S12, _S25, _S27, _S32, _S11 = np.uint64(12), np.uint64(25), np.uint64(27), np.uint64(32), np.uint64(11)
_GOLDEN, _S33 = np.uint64(0x9E3779B97F4A7C15), np.uint64(33)
_ONE = np.uint64(1)
_WORD_MASK = np.uint64(63)
_WORD = np.uint64(64)


def new_dice(rng_seed: int) -> Dice:
    """Fresh dice; any integer is a good seed (SplitMix64 spreads it)."""
    mask = (1 << 64) - 1
    z = (rng_seed * 0x9E3779B97F4A7C15 + 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    return np.array([((z ^ (z >> 31)) | 1) & mask], dtype=np.uint64)


@inlined
def roll(dice: Dice, sides: int) -> int:
    """0 <= result < sides."""
    x = dice[0]
    x ^= x >> _S12
    x ^= x << _S25
    x ^= x >> _S27
    dice[0] = x
    return int(np.int64(((x * _MULTIPLIER) >> _S32) * np.uint64(sides) >> _S32))


@inlined
def mixed(number: int, salt: int) -> int:
    """31 bits that depend on both: dice that can be looked at ahead of time."""
    x = (np.uint64(number) + _ONE) * _MULTIPLIER + np.uint64(salt) * _GOLDEN
    x ^= x >> _S32
    x *= _MULTIPLIER
    return int(np.int64(x >> _S33))


@inlined
def chance(dice: Dice) -> float:
    """0.0 <= result < 1.0."""
    return roll(dice, 1 << 31) / 2147483648.0


@inlined
def lowest_bit(word: np.uint64) -> int:
    """Index of the lowest set bit of a word that is not zero."""
    return int(np.int64(_zeros(word)))


@inlined
def highest_bit(word: np.uint64) -> int:
    """Index of the highest set bit of a word that is not zero."""
    return 63 - int(np.int64(_zeros_above(word)))


@inlined
def without_lowest(word: np.uint64) -> np.uint64:
    """The word with its lowest set bit cleared."""
    return word & (word - _ONE)


@inlined
def turned(word: np.uint64, by: int) -> np.uint64:
    """Rotated right, so that scanning starts at bit `by`."""
    k = np.uint64(by) & _WORD_MASK
    return (word >> k) | (word << ((_WORD - k) & _WORD_MASK))


@inlined
def bit(index: int) -> np.uint64:
    """The word with only this bit (index modulo 64) set."""
    return _ONE << (np.uint64(index) & _WORD_MASK)
