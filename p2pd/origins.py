"""Today's HTTP sources: those of the configuration, and the shields that the tracker names."""

from collections.abc import Sequence
from random import Random
from typing import Final

import httpx
import trio

from p2pd.origin import Origin
from p2pd.origin_health import Source
from p2pd.wire.announce import PeerInfo

CONFIGURED_TIER: Final = 1
"""What the site configured may be a CDN, which costs money; the region's shields are asked first."""


class Origins:
    """Keeps `present`, the client of all sources, up to date."""

    def __init__(self, client: httpx.AsyncClient, configured: Sequence[str], rng: Random) -> None:
        self._configured = [Source("cdn", url, CONFIGURED_TIER) for url in configured]
        self.present = Origin(client, self._configured, rng)
        self.any = bool(configured)
        """There is at least one source."""
        self.known = trio.Event()
        """There was one, at some time."""
        if self.any:
            self.known.set()

    def use_seeders(self, seeders: Sequence[PeerInfo]) -> None:
        """The tracker named these shields."""
        urls = sorted({seeder.http_url for seeder in seeders if seeder.http_url})  # named in any order
        known = [source for source in self._configured if source.base_url not in urls]
        self.present.use([Source("shield", url) for url in urls] + known)
        self.any = bool(urls or known)
        if self.any:
            self.known.set()
