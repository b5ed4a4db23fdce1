"""Which releases of a service to delete: never the running one, nor what it may have to go back to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


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
