"""Our being in one swarm: its brain, and what a person may want to know of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import trio

from manifests.manifest import Manifest
from p2pd.swarm import Swarm

Fetcher = Callable[[bytes, int], Awaitable[bytes]]
"""Brings a chunk by digest and length from an HTTP origin; p2pd.origin.OriginError when it can't be had."""


@dataclass(slots=True)
class Membership:
    """`fetch`: how to ask HTTP, None where there is none. `completed` is set when every piece is present."""

    swarm: bytes
    manifest: Manifest
    brain: Swarm
    fetch: Fetcher | None = None
    completed: trio.Event = field(default_factory=trio.Event)
    problem: str = ""
    """What keeps pieces from being stored ('' if nothing does)."""
    paused: bool = False
    """A person paused it."""
    origin_failures: int = 0
    news: trio.Event = field(default_factory=trio.Event)
    """Set, and replaced by a new one, whenever a piece was stored."""

    def tell(self) -> None:
        """A piece was stored."""
        self.news.set()
        self.news = trio.Event()
