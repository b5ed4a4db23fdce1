"""Covers of what was found nowhere, by what stands in its place.

Where each of many numbers changed a little (the weights of a model that was trained on, readings, pixels) no run of
bytes is the same, and no search finds where it was. In its place half of the bytes are, and what is to be added says
less than the bytes do: a half of them, measured on weights of 32 bits that moved by a ten-thousandth.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .patches import Cover, connected

BLOCK_BYTES: Final = 64 * 2**10
"""Looked at one by one."""
GAP_MIN: Final = 4096
"""Shorter ones are left: they are new words between old ones."""
WORTH: Final = 0.75
"""What is to be added has at most so much of the bytes' own entropy. They compress by more than their entropy says."""

Octets = NDArray[np.uint8]


def aligned(covers: Sequence[Cover], piece: bytes, base: bytes, places: Mapping[int, int]) -> list[Cover]:
    """These covers, and more in their gaps: at a neighbour's distance, or at one that `places` says.

    `places`: by offset in the piece, where in the base that which begins there would be.
    """
    new, old = np.frombuffer(piece, np.uint8), np.frombuffer(base, np.uint8)
    found, at, shifts = list[Cover](), 0, list[int]()
    for cover in [*covers, Cover(len(piece), len(base), 0)]:
        near = [*shifts[-1:], *([cover.old - cover.new] if cover.length else [])]
        if cover.new - at >= GAP_MIN:
            near += [old_at - new_at for new_at, old_at in places.items() if new_at < cover.new]
            found += connected(_blocks(at, cover.new, list(dict.fromkeys(near)), new, old))
        if cover.length:
            found.append(cover)
            shifts.append(cover.old - cover.new)
        at = cover.new + cover.length
    return found


def is_alike(piece: bytes, base: bytes) -> bool:
    """Does the start of the one say less when the start of the other is known?"""
    size = min(len(piece), len(base), BLOCK_BYTES)
    new, old = np.frombuffer(piece, np.uint8, size), np.frombuffer(base, np.uint8, size)
    return size >= GAP_MIN and _entropy(new - old) < WORTH * _entropy(new)


def _blocks(start: int, end: int, shifts: Sequence[int], new: Octets, old: Octets) -> Iterator[Cover]:
    """Of a gap those blocks that are worth it, each at its best distance."""
    for at in range(start, end, BLOCK_BYTES):
        here = new[at : min(at + BLOCK_BYTES, end)]
        best, least = None, WORTH * _entropy(here)
        for shift in shifts:
            if 0 <= at + shift <= len(old) - len(here):
                entropy = _entropy(here - old[at + shift : at + shift + len(here)])
                if entropy < least:
                    best, least = shift, entropy
        if best is not None:
            yield Cover(at, at + best, len(here))


def _entropy(values: Octets) -> float:
    """Bits a byte."""
    counts = np.bincount(values)
    shares = counts[counts > 0] / max(1, len(values))
    return float(-(shares * np.log2(shares)).sum())
