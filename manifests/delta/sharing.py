"""One patch for several pieces, taken apart: a patch for each, of those of its bases that it needs.

Most of the time of a patch goes into sorting what it starts from. Neighbours start from the same old pieces, so these
are sorted once for all of them (measured on ruff: 30 MB instead of 75 MB); and each may then start from what serves it
best, instead of what was guessed by samples.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .limits import BASES_MAX
from .patches import Cover, joined

USED_MIN: Final = 2**10
"""A base of which so few bytes are used costs the device more to read than they cost to send."""
_RUN: Final = 3
"""The tag of a run of codes; that of a run of zeros is 0."""

_DIGITS: Final = np.array([1 << 5, 1 << 12, 1 << 19, 1 << 26])
"""From here on a token has one byte more."""

Numbers = NDArray[np.int64]
Octets = NDArray[np.uint8]


def share_out(
    covers: Sequence[Cover], sizes: Sequence[int], base_sizes: Sequence[int], bytes_max: int
) -> list[tuple[tuple[int, ...], list[Cover]]]:
    """For each of the joined pieces the bases that it needs, of the joined ones, ascending; and its covers of them.

    `sizes`, `base_sizes`: bytes of the pieces, of the bases. The bases of one have at most `bytes_max` bytes.
    """
    starts, base_starts = list(accumulate(sizes, initial=0)), list(accumulate(base_sizes, initial=0))
    parts: list[list[tuple[int, Cover]]] = [[] for _ in sizes]
    for new, old, length in covers:
        while length:
            piece, base = bisect_right(starts, new) - 1, bisect_right(base_starts, old) - 1
            count = min(length, starts[piece + 1] - new, base_starts[base + 1] - old)
            parts[piece].append((base, Cover(new - starts[piece], old - base_starts[base], count)))
            new, old, length = new + count, old + count, length - count
    return [_of_one(part, base_sizes, bytes_max) for part in parts]


def _of_one(
    part: list[tuple[int, Cover]], base_sizes: Sequence[int], bytes_max: int
) -> tuple[tuple[int, ...], list[Cover]]:
    used: dict[int, int] = {}
    for base, cover in part:
        used[base] = used.get(base, 0) + cover.length
    chosen, left = list[int](), bytes_max
    for base in sorted(used, key=lambda base: (-used[base], base)):
        if used[base] >= USED_MIN and base_sizes[base] <= left and len(chosen) < BASES_MAX:
            chosen.append(base)
            left -= base_sizes[base]
    chosen.sort()
    starts = dict(zip(chosen, accumulate((base_sizes[base] for base in chosen), initial=0), strict=False))
    kept = list[Cover]()
    for base, cover in part:
        if base in starts:
            new, old, length = cover.new, starts[base] + cover.old, cover.length
            if kept and (kept[-1].new + kept[-1].length, kept[-1].old + kept[-1].length) == (new, old):
                new, old, length = kept[-1].new, kept[-1].old, kept.pop().length + length
            kept.append(Cover(new, old, length))
    return tuple(chosen), kept


def patch_of(covers: Sequence[Cover], piece: bytes, base: bytes) -> bytes:
    """The patch from `base` to `piece` that has these covers."""
    literals, like, at = list[bytes](), list[bytes](), 0
    for new, old, length in covers:
        literals.append(piece[at:new])
        like += (literals[-1], base[old : old + length])
        at = new + length
    literals.append(piece[at:])
    like.append(literals[-1])
    added = np.frombuffer(piece, np.uint8) - np.frombuffer(b"".join(like), np.uint8)
    control, codes = _runs(added)
    return joined(len(piece), len(base), covers, control, codes, b"".join(literals))


def _runs(added: Octets) -> tuple[bytes, bytes]:
    """Runs of zeros, and runs of anything else: control and codes."""
    if not len(added):
        return b"", b""
    some = added != 0
    edges = np.concatenate(([0], np.flatnonzero(some[1:] != some[:-1]) + 1, [len(added)]))
    lengths = np.diff(edges)
    tags = np.zeros(len(lengths), np.int64)
    tags[0 if some[0] else 1 :: 2] = _RUN
    return _tokens(lengths, tags), added[some].tobytes()


def _tokens(lengths: Numbers, tags: Numbers) -> bytes:
    """Numbers, one less than each length: the first byte has a tag, `more follow` and 5 bits, each other one 7."""
    values = lengths - 1
    counts = 1 + np.searchsorted(_DIGITS, values, "right")
    lasts = np.cumsum(counts) - 1
    out = np.zeros(int(lasts[-1]) + 1, np.uint8)
    for place in range(int(counts.max())):
        longer = counts > place
        digits = values[longer] >> 7 * place & 0x7F
        out[lasts[longer] - place] = digits | (0x80 if place else 0)
    firsts = lasts - counts + 1
    more = (counts > 1).astype(np.int64) << 5
    out[firsts] = tags << 6 | more | values >> 7 * (counts - 1) & 0x1F
    return out.tobytes()
