"""How much of a device's time may go into compressing streams again, and into which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from manifests.manifest import Manifest, Profile
from manifests.nested import recipes

from .matching import missing
from .opened import Stream

SPEEDS_MIN: Final = {"host": 300e6, "bulk": 300e6}
"""Bytes of a release that are applied in a processor second, at least, by profile. To hosts time is dear. To phones,
which have other profiles, bytes are: whatever can be made again is.
"""
COPIED_PER_S: Final = 1.2e9
PATCHED_PER_S: Final = 400e6
OPENED_PER_S: Final = 170e6
"""What a device does without compressing, in a processor second: verify and copy what it holds, make pieces by patches,
or what streams hold: that of the old one expanded, patched, on scratch files and back. Measured, and rather too little.
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What opening a stream saves and takes. `divisible`: its first part can be opened for a part of both."""

    saved_bytes: float
    seconds: float
    divisible: bool = False


def speed_min(profile: Profile) -> float:
    """A profile's own; 0 for none."""
    return SPEEDS_MIN.get(profile.name, 0.0)


def left_s(release: Manifest, base: Manifest, speed: float) -> float:
    """Seconds that a device has left for opening streams, if it is to apply `speed` bytes a second of the release.

    Negative where it has less than none; without end for a speed of 0.
    """
    if not speed:
        return float("inf")
    patched_bytes = sum(release.lengths[piece] for piece in missing(release, base))
    copied_bytes = release.size - patched_bytes
    return release.size / speed - copied_bytes / COPIED_PER_S - patched_bytes / PATCHED_PER_S


def cost(stream: Stream, share: float) -> Cost:
    """Of a stream of the release of which so much is in the old one: of its length about that is saved."""
    recipe, expanded_bytes = recipes.parse(stream.way), stream.expanded_bytes
    seconds = recipe.seconds(expanded_bytes) + expanded_bytes / OPENED_PER_S
    return Cost(stream.length * share, seconds, recipe.is_divisible)


def affordable(costs: Sequence[Cost], seconds: float) -> dict[int, float]:
    """Of each that is chosen, by place, how much of it: those that bring most bytes a second, as far as the seconds go.

    The rest of the time goes into the first part of one that is too dear as a whole.
    """
    chosen = dict[int, float]()
    for place in sorted(range(len(costs)), key=lambda place: (-costs[place].saved_bytes / costs[place].seconds, place)):
        one = costs[place]
        if one.saved_bytes and (one.seconds <= seconds or (one.divisible and seconds > 0)):
            chosen[place] = min(1.0, seconds / one.seconds)
            seconds -= one.seconds
    return chosen
