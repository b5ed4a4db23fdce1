"""Which releases of a service may be deleted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .memory import Memory


@dataclass(frozen=True)
class Kept:
    """A complete release on this host. `directory` relative to the service's, as in the lifecycle's memory."""

    directory: str
    version: str
    sequence: int


def surplus(kept: Iterable[Kept], memory: Memory, *, keep_releases: int, pinned: Sequence[str] = ()) -> list[Kept]:
    """Those that may go, oldest first.

    Never what runs, ran before or is on its way, nor a pinned version; of the others the newest fill up
    `keep_releases`. Pinned ones don't count.
    """
    named = [candidate for candidate in (memory.running, memory.target, memory.previous) if candidate]
    needed = {candidate.directory for candidate in named}
    ordered = sorted(kept, key=lambda one: (one.directory in needed, one.sequence, one.directory), reverse=True)
    ordered = [one for one in ordered if one.version not in pinned]
    return [one for one in reversed(ordered[keep_releases:]) if one.directory not in needed]
