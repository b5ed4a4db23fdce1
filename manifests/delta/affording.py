"""How much of a device's time may go into compressing streams again, and into which."""

from collections.abc import Sequence
from typing import Final

from manifests.manifest import Manifest, Profile

from .matching import missing

SPEEDS_MIN: Final = {"host": 300e6, "bulk": 300e6}
"""Bytes of a release that are applied in a processor second, at least, by profile. To hosts time is dear. To phones,
which have other profiles, bytes are: whatever can be made again is.
"""
COPIED_PER_S: Final = 1.2e9
PATCHED_PER_S: Final = 400e6
EXPANDED_PER_S: Final = 300e6
"""What a device does without compressing, in a processor second: verify and copy what it holds, apply patches, open
what it holds onto its scratch file. Measured, and rather too little.
"""


def speed_min(profile: Profile) -> float:
    """A profile's own; 0 for none."""
    return SPEEDS_MIN.get(profile.name, 0.0)


def left_s(release: Manifest, base: Manifest, expanded_bytes: int, speed: float) -> float:
    """Seconds that a device has left for compressing, if it is to apply `speed` bytes a second of the release.

    `expanded_bytes`: of the base, what it opens. Negative where it has less than none; without end for a speed of 0.
    """
    if not speed:
        return float("inf")
    patched_bytes = sum(release.lengths[piece] for piece in missing(release, base))
    copied_bytes = release.size - patched_bytes
    spent_s = copied_bytes / COPIED_PER_S + patched_bytes / PATCHED_PER_S + expanded_bytes / EXPANDED_PER_S
    return release.size / speed - spent_s


def affordable(costs: Sequence[tuple[float, float]], seconds: float) -> set[int]:
    """Of pairs of bytes and seconds, by place: those that bring most bytes a second, as far as the seconds go."""
    chosen = set[int]()
    for place in sorted(range(len(costs)), key=lambda place: (-costs[place][0] / costs[place][1], place)):
        if costs[place][1] <= seconds:
            seconds -= costs[place][1]
            chosen.add(place)
    return chosen
