"""At a publisher: which compressed streams of two releases are opened.

Those that changed, that one of our recipes makes byte for byte in the memory that devices have, and where the old
release has something to open, too. If a device shall be quick, those of them that resemble old ones most for the time
that they take, and of the old ones only what they resemble.
"""

from dataclasses import replace
from typing import Final

from manifests.nested.recipes import Recipe
from manifests.nested.recreating import Recipes

from . import cutting
from .affording import Time, left_s, seconds
from .likeness import alike
from .matching import Source, missing
from .searching import Found, streams
from .splitting import Read, by_offset

VAIN_MAX: Final = 16
"""So many streams, one after the other, that no recipe makes or there is no time for: the time is spent."""
TRIED_BYTES: Final = 8 * 2**20
"""Of what a stream holds, a recipe is tried with so much before it is known that there is time for more."""


def worth_opening(
    release: Source, base: Source, memory_bytes_max: int, speed_min: float
) -> tuple[list[Found], list[Found]]:
    """Streams of the one that can be made again, and streams of the other that are alike; none that is in both.

    `speed_min`: bytes of the release that a device shall apply in a processor second; 0: as it comes.
    """
    if not speed_min:
        return _all(release, base, memory_bytes_max)
    time = Time(left_s(release.manifest, base.manifest, speed_min))
    return _affordable(release, base, memory_bytes_max, time) if time.left_s > 0 else ([], [])


def _all(release: Source, base: Source, memory_bytes_max: int) -> tuple[list[Found], list[Found]]:
    old, held = list[Found](), set[bytes]()
    for one, data in streams(base, missing(base.manifest, release.manifest), memory_bytes_max):
        held.add(one.digest)
        if start := one.start(data):
            old.append(start)
    new, unchanged, finder = list[Found](), set[bytes](), Recipes(memory_bytes_max)
    for one, data in streams(release, missing(release.manifest, base.manifest), memory_bytes_max) if old else ():
        if one.digest in held:
            unchanged.add(one.digest)
        elif recipe := finder.find(one.kind, data, one.stream.expanded_bytes):
            new.append(_made_by(one, recipe))
    kinds = {one.kind for one in new}
    return new, [one for one in old if one.digest not in unchanged and one.kind in kinds]


def _made_by(found: Found, recipe: Recipe) -> Found:
    return replace(found, stream=replace(found.stream, way=str(recipe)))


def _affordable(release: Source, base: Source, memory_bytes_max: int, time: Time) -> tuple[list[Found], list[Found]]:
    """What a device has time to make again, of one stream perhaps the first part; and what it is made from."""
    old, candidates = alike(release, base, memory_bytes_max)
    read, finder, vain = by_offset(release), Recipes(memory_bytes_max), 0
    chosen, bases = list[Found](), set[int]()
    for candidate in candidates:
        stream, rest = candidate.found.stream, candidate.found.rest
        with memoryview(read(stream.offset, stream.length) + rest) as data:
            one = _in_time(candidate.found, data, finder, time)
        vain = 0 if one else vain + 1
        if one:
            chosen.append(one)
            bases.update(candidate.bases)
        elif vain == VAIN_MAX:
            break
    chosen.sort(key=lambda one: one.stream.offset)
    longest, read = max((one.stream.length for one in chosen), default=0), by_offset(base)
    return chosen, [_near_start(old[place], read, longest) for place in sorted(bases)]


def _in_time(found: Found, data: memoryview, finder: Recipes, time: Time) -> Found | None:
    """What of a stream can be made again, and there is time for."""
    kind, size = found.kind, found.stream.expanded_bytes
    recipe = finder.find(kind, data, size, tried_bytes=TRIED_BYTES)
    if recipe is None:
        return None
    if size > TRIED_BYTES and time.has(seconds(recipe, size)):
        recipe = finder.find(kind, data, size)
        if recipe is None:
            return None
    found = _made_by(found, recipe)
    share = time.spend(seconds(recipe, size), divisible=recipe.is_divisible)
    if share == 1.0:
        return found
    part = cutting.start_of(found.stream, data, share)
    return part and replace(found, stream=part[0], rest=part[1])


def _near_start(found: Found, read: Read, longest: int) -> Found:
    """An old stream, opened not much further than the longest new one: nothing starts from the rest."""
    most = longest + longest // cutting.MARGIN_SHARE
    if found.stream.length <= most:
        return found
    with memoryview(read(found.stream.offset, most)) as data:
        return replace(found, stream=cutting.start_of_base(found.stream, data) or found.stream)
