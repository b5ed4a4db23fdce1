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
    _news: trio.Event | None = None
    """There while somebody waits."""

    def tell(self) -> None:
        """A piece was stored."""
        if self._news is not None:
            self._news.set()
            self._news = None

    def news(self) -> trio.Event:
        """Set when the next piece was stored."""
        if self._news is None:
            self._news = trio.Event()
        return self._news
