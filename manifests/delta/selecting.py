"""At a publisher: which compressed streams of two releases are opened.

Those that changed, that one of our recipes makes byte for byte in the memory that devices have, and where the old
release has something to open, too. If a device shall be quick, those of them that resemble old ones most for the time
that they take, and of the old ones only what they resemble.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from manifests.nested.recreating import Recipes
from manifests.nested.streams import expander_of, held_by_start

from . import cutting
from .affording import affordable, cost, left_s
from .matching import Source, missing, similarity
from .searching import Found, streams
from .splitting import Read, by_offset

if TYPE_CHECKING:
    from .similarity import Samples

BASES_MAX: Final = 8
"""Old streams that a new one is made from."""
GAIN_MIN: Final = 0.02
"""Of a stream: what is found by opening it; less is chance."""
SLACK_BYTES: Final = 2**20
"""Those hold together at most twice as much as it does, and so much more."""


def worth_opening(
    release: Source, base: Source, memory_bytes_max: int, speed_min: float
) -> tuple[list[Found], list[Found]]:
    """Streams of the one that can be made again, and streams of the other that are alike; none that is in both.

    `speed_min`: bytes of the release that a device shall apply in a processor second; 0: as it comes.
    """
    seconds = left_s(release.manifest, base.manifest, speed_min)
    if seconds <= 0:
        return [], []
    likeness = _Likeness() if speed_min else None
    old, held = list[Found](), set[bytes]()
    for one, data in streams(base, missing(base.manifest, release.manifest), memory_bytes_max):
        held.add(one.digest)
        for opened in _held(one, data):
            if likeness:
                likeness.add(len(old), opened, data)
            old.append(opened)
    if not old:
        return [], []
    new, unchanged, finder = list[Found](), set[bytes](), Recipes(memory_bytes_max)
    for one, data in streams(release, missing(release.manifest, base.manifest), memory_bytes_max):
        if one.digest in held:
            unchanged.add(one.digest)
        elif recipe := finder.find(one.stream.way, data, one.stream.expanded_bytes):
            if likeness:
                likeness.look_up(one, data)
            new.append(replace(one, stream=replace(one.stream, way=str(recipe))))
    if likeness:
        return _affordable(release, new, base, old, likeness.gains, seconds)
    kinds = {one.kind for one in new}
    return new, [one for one in old if one.digest not in unchanged and one.kind in kinds]


def _held(found: Found, data: memoryview) -> list[Found]:
    """Of a base a device reads the first part only, of which perhaps nothing comes: zstd's blocks are large."""
    if not found.rest:
        return [found]
    stream = found.stream
    with data[: stream.length] as start:
        expanded_bytes = held_by_start(stream.way, start)
    return [replace(found, rest=b"", stream=replace(stream, expanded_bytes=expanded_bytes))] if expanded_bytes else []


class _Likeness:
    """How much of a new stream is in old ones when both are opened, when they are not, and in which; by places."""

    def __init__(self) -> None:
        self._similarity = similarity()
        self._opened, self._closed = self._similarity.Resemblance(), self._similarity.Resemblance()
        self.gains: list[tuple[float, tuple[int, ...]]] = []
        """Of new streams: the share of it that is found by opening it, and the old streams that have it."""

    def add(self, place: int, found: Found, data: memoryview) -> None:
        """An old stream."""
        opened, closed = self._samples(found, data)
        self._opened.add(place, found.stream.expanded_bytes, opened)
        self._closed.add(place, len(data), closed)

    def look_up(self, found: Found, data: memoryview) -> None:
        """The next new stream."""
        opened, closed = self._samples(found, data)
        cover = self._opened.cover(opened, 2 * found.stream.expanded_bytes + SLACK_BYTES, BASES_MAX)
        known = self._closed.cover(closed, 2 * len(data) + SLACK_BYTES, BASES_MAX)
        gain = cover.share - known.share
        self.gains.append((gain if gain >= GAIN_MIN else 0.0, cover.bases))

    def _samples(self, found: Found, data: memoryview) -> "tuple[Samples, Samples]":
        """Of what it holds, and of itself."""
        samples_of = self._similarity.samples_of
        return samples_of(expander_of(found.kind, data)), samples_of([bytes(data)])


def _affordable(
    release: Source,
    new: list[Found],
    base: Source,
    old: list[Found],
    gains: list[tuple[float, tuple[int, ...]]],
    seconds: float,
) -> tuple[list[Found], list[Found]]:
    """What a device has time to make again, of one stream perhaps the first part; and what it is made from."""
    costs = [cost(one.stream, share) for one, (share, _) in zip(new, gains, strict=True)]
    chosen, bases, longest, read = list[Found](), set[int](), 0, by_offset(release)
    for place, share in sorted(affordable(costs, seconds).items()):
        one = new[place] if share == 1.0 else _start_of(new[place], read, share)
        if one is not None:
            chosen.append(one)
            bases.update(gains[place][1])
            longest = max(longest, one.stream.length)
    return chosen, [_near_start(old[place], by_offset(base), longest) for place in sorted(bases)]


def _start_of(found: Found, read: Read, share: float) -> Found | None:
    stream = found.stream
    with memoryview(read(stream.offset, stream.length) + found.rest) as data:
        part = cutting.start_of(stream, data, share)
    return part and replace(found, stream=part[0], rest=part[1])


def _near_start(found: Found, read: Read, longest: int) -> Found:
    """An old stream, opened not much further than the longest new one: nothing starts from the rest."""
    most = longest + longest // cutting.MARGIN_SHARE
    if found.stream.length <= most:
        return found
    with memoryview(read(found.stream.offset, most)) as data:
        return replace(found, stream=cutting.start_of_base(found.stream, data) or found.stream)
