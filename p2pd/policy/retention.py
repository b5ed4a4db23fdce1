"""Which releases to delete: never the running one, nor what it may have to go back to.

once a release has proved itself   ->  older ones of its service, beyond as many as are to be kept
when there is no room for another  ->  first packs that have done their work; then what nobody finishes; then what
                                       MANY others hold, whom one copy less does not hurt; among these what was used
                                       longest ago; pinned ones never
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

MANY: Final = 3
"""Whoever wants a release that so many others hold gets it from them; more make no difference."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A release on this disk. `sequence` orders the releases of a product; `finished`: whole and installed."""

    key: bytes
    product: str
    version: str
    sequence: int
    finished: bool


def choose_removals(
    releases: Sequence[Kept], *, in_use: Collection[bytes], keep: int, pinned: Collection[str]
) -> list[Kept]:
    """The releases of one service that may go, oldest first.

    `in_use`: running, on trial, to go back to, or being fetched: never removed, and counted among the `keep` newest
    finished ones that stay. Unfinished ones that nobody fetches go.
    """
    spare = [one for one in releases if one.key not in in_use and one.version not in pinned]
    finished = sorted((one for one in spare if one.finished), key=lambda one: one.sequence)
    used = sum(one.finished and one.key in in_use for one in releases)
    surplus = max(0, len(finished) - max(0, keep - used))
    return [one for one in spare if not one.finished] + finished[:surplus]


@dataclass(frozen=True, slots=True)
class Spare:
    """A release that nobody here needs; what would still be written of it frees room, too. `holders`: others that are
    known to have all of it; `used_at`: when it last ran, in seconds since 1970. `pack`: it only helps others."""

    key: bytes
    size_bytes: int
    finished: bool
    holders: int
    used_at: float
    pack: bool = False


def choose_evictions(spares: Sequence[Spare], missing_bytes: int) -> list[Spare] | None:
    """What to delete for so much room, first things first, and no more than that takes; None when all of it would not
    be enough: then nothing is worth deleting."""
    if sum(one.size_bytes for one in spares) < missing_bytes:
        return None
    chosen, freed = list[Spare](), 0
    for one in sorted(spares, key=_order):
        if freed >= missing_bytes:
            break
        chosen.append(one)
        freed += one.size_bytes
    for one in list(chosen):
        if freed - one.size_bytes >= missing_bytes:  # what came later is large enough without it
            chosen.remove(one)
            freed -= one.size_bytes
    return chosen


def _order(one: Spare) -> tuple[bool, bool, int, float, bytes]:
    return not one.pack, one.finished, -min(one.holders, MANY), one.used_at, one.key


@dataclass(frozen=True, slots=True)
class Shelf:
    """A disk and what others than the one in question have on it, in bytes. `taken`: by releases and packs, unfinished
    ones as if they were whole, of which `unwritten` is not on the disk yet. `quota_bytes`, and `quota_share` of what is
    free and ours together: 0 for none."""

    free: int
    reserve: int
    taken: int
    unwritten: int
    quota_bytes: int = 0
    quota_share: float = 0.0

    @property
    def quota(self) -> int | None:
        """The lower of the two; None without any."""
        share = round(self.quota_share * (self.free + self.taken - self.unwritten))
        return min((one for one in (self.quota_bytes, share) if one), default=None)

    def disk_lacks(self, size: int, present: int) -> int:
        """For a release of this size of which so much is there; not above 0 if there is room."""
        return size - present - (self.free - self.reserve - self.unwritten)

    def quota_lacks(self, size: int) -> int:
        """The same, by what the owner allows."""
        return 0 if self.quota is None else size - (self.quota - self.taken)
