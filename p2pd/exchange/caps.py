"""What may pass now, to and from the LAN and the rest of the world, and what has passed."""

from dataclasses import dataclass, field
from math import inf

from p2pd.policy.citizenship import Rates
from p2pd.policy.pacing import TokenBucket
from p2pd.policy.sources import Tier


def _open() -> TokenBucket:
    return TokenBucket(inf)


@dataclass(slots=True)
class Way:
    """To and from one side of the house. Bytes are counted since the start."""

    up: TokenBucket = field(default_factory=_open)
    down: TokenBucket = field(default_factory=_open)
    sent_bytes: int = 0
    received_bytes: int = 0

    def use(self, rates: Rates) -> None:
        """From now on."""
        self.up.rate_bytes_per_s = rates.upload_per_s
        self.down.rate_bytes_per_s = rates.download_per_s


@dataclass(slots=True)
class Caps:
    """The LAN, and everything else (the wide area)."""

    lan: Way = field(default_factory=Way)
    wide: Way = field(default_factory=Way)

    def way(self, tier: Tier) -> Way:
        """On which side a source of this tier is."""
        return self.lan if tier is Tier.LAN else self.wide

    def send(self, count: int, tier: Tier, now: float) -> float:
        """So many bytes are to be sent; the answer is how many seconds to wait before."""
        way = self.way(tier)
        way.sent_bytes += count
        return way.up.take(count, now)

    def receive(self, count: int, tier: Tier, now: float) -> float:
        """So many bytes came; the answer is how many seconds to wait before reading on."""
        way = self.way(tier)
        way.received_bytes += count
        return way.down.take(count, now)

    def may_send(self, tier: Tier) -> bool:
        """Is anything to be sent there at all?"""
        return self.way(tier).up.rate_bytes_per_s > 0

    def may_receive(self, tier: Tier) -> bool:
        """Is anything to be asked for there at all?"""
        return self.way(tier).down.rate_bytes_per_s > 0
