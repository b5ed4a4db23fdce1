"""How much of a device's time may go into compressing streams again, and into which."""

from typing import Final

from manifests.manifest import Manifest, Profile
from manifests.nested.recipes import Recipe

from .matching import missing

_QUICK: Final = 300e6
SPEEDS_MIN: Final = {"swarm": _QUICK, "host": _QUICK, "bulk": _QUICK}
"""Bytes of a release that are applied in a processor second, at least, by profile. To hosts time is dear. To phones,
which have another profile, bytes are: whatever can be made again is.
"""
COPIED_PER_S: Final = 1.2e9
PATCHED_PER_S: Final = 400e6
OPENED_PER_S: Final = 170e6
"""What a device does without compressing, in a processor second: verify and copy what it holds, make pieces by patches,
or what streams hold: that of the old one expanded, patched, on scratch files and back. Measured, and rather too little.
"""
XZ_PER_S: Final = 30.5e6
"""Bytes of xz, as estimated, that a device decodes in a processor second: more than any does (11 to 25 MB), for
bytes count, too. With less, grpcio takes 14 % more, and a sixth more than bsdiff; it is applied as fast as it must be.
"""
ANY_UPDATE_S: Final = 0.002
"""What an update takes of which nothing is large."""
XZ_FREE_BYTES: Final = 64 * 2**10
"""Whatever the time: a release of so few bytes that this takes long is applied in no time at all."""


def speed_min(profile: Profile) -> float:
    """A profile's own; 0 for none."""
    return SPEEDS_MIN.get(profile.name, 0.0)


def left_s(release: Manifest, base: Manifest, speed: float) -> float:
    """Seconds that a device has left for opening streams, if it is to apply `speed` bytes a second of the release.

    Negative where it has less than none.
    """
    patched_bytes = sum(release.lengths[piece] for piece in missing(release, base))
    copied_bytes = release.size - patched_bytes
    return release.size / speed - copied_bytes / COPIED_PER_S - patched_bytes / PATCHED_PER_S


def xz_bytes_max(release: Manifest, base: Manifest) -> float:
    """Of a pack that opens nothing, how much may be xz's: what there is time for while 300 MB a second are applied."""
    return max(XZ_FREE_BYTES, (left_s(release, base, _QUICK) - ANY_UPDATE_S) * XZ_PER_S)


def seconds(recipe: Recipe, expanded_bytes: int) -> float:
    """What opening a stream takes."""
    return recipe.seconds(expanded_bytes) + expanded_bytes / OPENED_PER_S


class Time:
    """What a device has left."""

    def __init__(self, left_s: float) -> None:
        self.left_s = left_s

    def has(self, seconds: float) -> bool:
        """Is there so much?"""
        return seconds <= self.left_s

    def spend(self, seconds: float, *, divisible: bool) -> float:
        """How much of it there is time for, which is spent now: 1.0, or less of what is divisible, or 0.0."""
        part = self.left_s / seconds if divisible else 0.0
        share = 1.0 if self.has(seconds) else part
        self.left_s -= share * seconds
        return share
