"""What may pass now, to and from the LAN and the rest of the world, and what has passed."""

from dataclasses import dataclass, field
from math import inf
from typing import Final

import trio

from p2pd.policy.citizenship import Rates
from p2pd.policy.pacing import TokenBucket
from p2pd.policy.sources import Tier

RETIME_S: Final = 0.25
"""Who waits looks so often whether the rate has changed."""


def _open() -> TokenBucket:
    return TokenBucket(inf)


@dataclass(slots=True)
class Way:
    """To and from one side of the house. Bytes are counted since the start."""

    up: TokenBucket = field(default_factory=_open)
    down: TokenBucket = field(default_factory=_open)
    sent_bytes: int = 0
    received_bytes: int = 0
    _allowed: Rates = Rates()
    _yielded: Rates = Rates()

    def use(self, rates: Rates) -> None:
        """What the owner allows, from now on."""
        self._allowed = rates
        self._apply()

    def yield_to(self, rates: Rates) -> None:
        """What others on the link leave us, from now on."""
        self._yielded = rates
        self._apply()

    def _apply(self) -> None:
        self.up.rate_bytes_per_s = min(self._allowed.upload_per_s, self._yielded.upload_per_s)
        self.down.rate_bytes_per_s = min(self._allowed.download_per_s, self._yielded.download_per_s)


@dataclass(slots=True)
class Caps:
    """The LAN, and everything else (the wide area)."""

    lan: Way = field(default_factory=Way)
    wide: Way = field(default_factory=Way)

    def way(self, tier: Tier) -> Way:
        """On which side a source of this tier is."""
        return self.lan if tier is Tier.LAN else self.wide

    async def send(self, count: int, tier: Tier) -> None:
        """Count bytes that are to be sent, and wait until they may be."""
        way = self.way(tier)
        way.sent_bytes += count
        await _pass(way.up, count)

    async def receive(self, count: int, tier: Tier) -> None:
        """Count bytes that came, and wait until more may be read."""
        way = self.way(tier)
        way.received_bytes += count
        await _pass(way.down, count)

    def may_send(self, tier: Tier) -> bool:
        """Is anything to be sent there at all?"""
        return self.way(tier).up.rate_bytes_per_s > 0


async def _pass(bucket: TokenBucket, count: int) -> None:
    ticket = bucket.book(count, trio.current_time())
    while (wait_s := bucket.wait_s(ticket, trio.current_time())) > 0:
        await trio.sleep(min(wait_s, RETIME_S))
