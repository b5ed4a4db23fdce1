"""What may pass now, to and from the LAN and the rest of the world, and what has passed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

import trio

from p2pd.policy.citizenship import Rates
from p2pd.policy.pacing import TokenBucket
from p2pd.policy.sources import Tier

RETIME_S: Final = 0.25
"""Who waits looks so often whether the rate has changed."""

BURST_S: Final = 0.25
BURST_YIELDING_S: Final = 0.05
"""So much of a rate may be saved up. Who uses less than it may has as much in hand when it is told to use less: with
0.25 s that was a second before it did, and by then it had been told so four times."""
INSTANT_S: Final = 1e-6
"""Less is no wait, and may be less than the clock can tell."""


def _open() -> TokenBucket:
    return TokenBucket(inf, BURST_S)


@dataclass(slots=True)
class Way:
    """To and from one side of the house. Bytes are counted since the start."""

    up: TokenBucket = field(default_factory=_open)
    down: TokenBucket = field(default_factory=_open)
    sent_bytes: int = 0
    received_bytes: int = 0
    _allowed: Rates = field(default_factory=Rates)
    _yielded: Rates = field(default_factory=Rates)

    def use(self, rates: Rates) -> None:
        """What the owner allows, from now on."""
        self._allowed = rates
        self._apply()

    def yield_to(self, rates: Rates) -> None:
        """What others on the link leave us, from now on."""
        self._yielded = rates
        self._apply()

    def _apply(self) -> None:
        allowed, left = self._allowed, self._yielded
        _hold(self.up, allowed.upload_per_s, left.upload_per_s)
        _hold(self.down, allowed.download_per_s, left.download_per_s)


def _hold(bucket: TokenBucket, allowed_per_s: float, left_per_s: float) -> None:
    bucket.rate_bytes_per_s = min(allowed_per_s, left_per_s)
    bucket.burst_s = BURST_S if allowed_per_s <= left_per_s else BURST_YIELDING_S


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
        await _pass(way.up, count, None)

    async def receive(self, count: int, tier: Tier, waits: Callable[[], None] | None = None) -> bool:
        """Count bytes that came, and wait until more may be read; `waits` is called as long as that lasts. True if it
        may have lasted."""
        way = self.way(tier)
        way.received_bytes += count
        await _pass(way.down, count, waits)
        return way.down.rate_bytes_per_s != inf

    async def make_room(self, count: int, tier: Tier) -> None:
        """Wait until so many bytes may be asked for, of somebody who sends them at any rate; `received` comes later."""
        await _pass(self.way(tier).down, count, None)

    def give_back(self, count: int, tier: Tier) -> None:
        """There was room made for so many bytes, which did not come."""
        self.way(tier).down.give_back(count)

    def received(self, count: int, tier: Tier) -> None:
        """Count bytes for which there was room made."""
        self.way(tier).received_bytes += count

    def may_send(self, tier: Tier) -> bool:
        """Is anything to be sent there at all?"""
        return self.way(tier).up.rate_bytes_per_s > 0


async def _pass(bucket: TokenBucket, count: int, waits: Callable[[], None] | None) -> None:
    if bucket.rate_bytes_per_s == inf:
        bucket.take(count, 0.0)  # whenever: no cap, no time
        return
    now = trio.current_time()
    ticket = bucket.book(count, now)
    while (wait_s := bucket.wait_s(ticket, now)) > INSTANT_S:
        if waits is not None:
            waits()
        await trio.sleep(min(wait_s, RETIME_S))
        now = trio.current_time()
