"""Which old streams a new one resembles when both are opened, and how much more than when they are not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from manifests.nested.recipes import Recipe
from manifests.nested.streams import DEFLATE, XZ, ZSTD, expander_of

from .affording import seconds
from .matching import Source, missing, similarity
from .searching import Found, streams

if TYPE_CHECKING:
    from .similarity import Samples

BASES_MAX: Final = 8
"""Old streams that a new one is made from."""
SLACK_BYTES: Final = 2**20
"""Those hold together at most twice as much as it does, and so much more."""
GAIN_MIN: Final = 0.02
"""The share of a stream that is found by opening it; less is chance."""
_USUAL: Final = {
    DEFLATE: Recipe(DEFLATE, (6, 8)), XZ: Recipe(XZ, (6, 4, 2**20)), ZSTD: Recipe(ZSTD, (10500, 15, 0, 0, 1))
}  # fmt: skip
"""To tell about how long a stream takes before its own recipe is looked for, which takes as long as making it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A new stream. `gain`: the share of it that is found by opening it; `bases`: places of the old ones with that."""

    found: Found
    gain: float
    bases: tuple[int, ...]

    @property
    def rank(self) -> tuple[float, int]:
        """The less, the more bytes are saved for the time."""
        stream = self.found.stream
        saved_bytes, taken_s = self.gain * stream.length, seconds(_USUAL[self.found.kind], stream.expanded_bytes)
        return -saved_bytes / taken_s, stream.offset


def alike(release: Source, base: Source, memory_bytes_max: int) -> tuple[list[Found], list[Candidate]]:
    """All old streams of which something can be had, and those new ones that resemble them, best first."""
    likeness, old, held = _Likeness(), list[Found](), set[bytes]()
    for one, data in streams(base, missing(base.manifest, release.manifest), memory_bytes_max):
        held.add(one.digest)
        if start := one.start(data):
            likeness.add(len(old), start, data)
            old.append(start)
    new = streams(release, missing(release.manifest, base.manifest), memory_bytes_max) if old else ()
    found = [likeness.look_up(one, data) for one, data in new if one.digest not in held]
    return old, sorted((one for one in found if one.gain >= GAIN_MIN), key=lambda one: one.rank)


class _Likeness:
    """Knows old streams by samples of what they hold, and of themselves: stored parts are alike unopened."""

    def __init__(self) -> None:
        self._similarity = similarity()
        self._opened, self._closed = self._similarity.Resemblance(), self._similarity.Resemblance()

    def add(self, place: int, found: Found, data: memoryview) -> None:
        """An old stream."""
        opened, closed = self._samples(found, data)
        self._opened.add(place, found.stream.expanded_bytes, opened)
        self._closed.add(place, len(data), closed)

    def look_up(self, found: Found, data: memoryview) -> Candidate:
        """A new stream."""
        opened, closed = self._samples(found, data)
        cover = self._opened.cover(opened, 2 * found.stream.expanded_bytes + SLACK_BYTES, BASES_MAX)
        known = self._closed.cover(closed, 2 * len(data) + SLACK_BYTES, BASES_MAX)
        return Candidate(found, cover.share - known.share, cover.bases)

    def _samples(self, found: Found, data: memoryview) -> "tuple[Samples, Samples]":
        """Of what it holds, and of itself."""
        samples_of = self._similarity.samples_of
        return samples_of(expander_of(found.kind, data)), samples_of([bytes(data)])
