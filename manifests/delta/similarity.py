"""Which old pieces resemble a new one, wherever they lie: by what they say, not by where they stand.

Of every run of 16 bytes a fixed 256th is sampled, by its hash, so that the same text is sampled wherever it is. A new
piece's samples vote for the old pieces that have them; bases are chosen greedily, each time the one that explains most
of what is not yet explained. Rare samples count more; those that a dozen pieces have say nothing.

Memory: 12 bytes a sample, so 190 MB for 4 GB of old pieces, and about as much again while they are sorted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_BITS: Final = 8
"""One run in 2**8. Measured: 2**6 gives the same bytes within 0.1 %."""
COMMON_MIN: Final = 16
"""A sample that so many old pieces have is no hint."""
GAIN_MIN: Final = 1 / 150
"""A base must explain this share of the samples, and at least one. (With twice as much 14 % fewer old bytes are sorted
for ruff, a twentieth of all the time, and its pack is 0.25 % larger; but an erofs's is 5 %.)
"""

_GRAM_BYTES: Final = 16
_WORD: Final = 8
_FACTORS: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_BLOCK_BYTES: Final = 2**20
_NOTHING: Final = np.empty(0, np.uint64)

Samples = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Cover:
    """`bases`: old pieces, the most alike first. `share`: how much of the new piece's samples they have, 0 to 1."""

    bases: tuple[int, ...]
    share: float


def samples(data: bytes) -> Samples:
    """The sampled hashes of a piece, sorted, each once. Runs of one repeated word (zeros, mostly) are left out. Lets
    other threads run.
    """
    found = [_NOTHING]
    for start in range(0, len(data), _BLOCK_BYTES):
        block = data[start : start + _BLOCK_BYTES + _GRAM_BYTES - 1]
        found += [_sample(block, shift) for shift in range(_WORD)]
    return np.unique(np.concatenate(found))


def samples_of(blocks: Iterable[bytes]) -> Samples:
    """Of what comes in blocks; runs that reach into the next one are left out."""
    return np.unique(np.concatenate([_NOTHING, *map(samples, blocks)]))


def _sample(block: bytes, shift: int) -> Samples:
    words = np.frombuffer(block, "<u8", max(0, len(block) - shift) // _WORD, shift)
    first, second = words[:-1], words[1:]
    mixed = (first * _FACTORS[0] ^ second * _FACTORS[1]) * _FACTORS[0]
    chosen = mixed >> np.uint64(64 - SAMPLE_BITS) == 0
    chosen &= first != second
    found: Samples = mixed[chosen]
    return found


class Resemblance:
    """The samples of old pieces, to be asked for covers of new ones."""

    def __init__(self) -> None:
        self._parts: list[Samples] = [_NOTHING]
        self._owners: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)]
        self._lengths: dict[int, int] = {}
        self._sorted: tuple[Samples, NDArray[np.uint32]] | None = None

    def add(self, piece: int, length: int, found: Samples) -> None:
        """An old piece of this length that may be a base, by its samples."""
        self._parts.append(found)
        self._owners.append(np.full(len(found), piece, np.uint32))
        self._lengths[piece] = length
        self._sorted = None

    def cover(self, mine: Samples, bytes_max: int, bases_max: int) -> Cover:
        """Old pieces of at most `bytes_max` bytes together that resemble what has these samples."""
        hits = self._hits(mine)
        weights = {sample: 1 / count for sample, count in _counts(hits).items()}
        scores = {piece: sum(weights[sample] for sample in hits[piece]) for piece in hits}
        least, left, chosen = max(0.5, len(mine) * GAIN_MIN), bytes_max, list[int]()
        explained = set[int]()
        while scores and len(chosen) < bases_max:
            best = max(scores, key=lambda piece: (scores[piece], -piece))
            if scores.pop(best) < least:
                break
            if self._lengths[best] > left:
                continue
            left -= self._lengths[best]
            chosen.append(best)
            fresh = hits[best] - explained
            explained |= fresh
            for piece in scores:
                scores[piece] -= sum(weights[sample] for sample in hits[piece] & fresh)
        return Cover(tuple(chosen), len(explained) / len(mine) if len(mine) else 0.0)

    def _hits(self, mine: Samples) -> dict[int, set[int]]:
        """By old piece: which of these samples it has."""
        known, owners = self._index()
        first, last = np.searchsorted(known, mine, "left"), np.searchsorted(known, mine, "right")
        hits: dict[int, set[int]] = {}
        for sample in np.flatnonzero((last > first) & (last - first < COMMON_MIN)).tolist():
            for piece in owners[first[sample] : last[sample]].tolist():
                hits.setdefault(piece, set()).add(sample)
        return hits

    def _index(self) -> tuple[Samples, NDArray[np.uint32]]:
        if self._sorted is None:
            known, owners = np.concatenate(self._parts), np.concatenate(self._owners)
            self._parts, self._owners = [known], [owners]
            order = np.argsort(known, kind="stable")
            self._sorted = known[order], owners[order]
            self._parts, self._owners = [self._sorted[0]], [self._sorted[1]]
        return self._sorted


def _counts(hits: dict[int, set[int]]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for found in hits.values():
        for sample in found:
            counts[sample] = counts.get(sample, 0) + 1
    return counts
