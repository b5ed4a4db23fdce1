"""Rates, caps, and how much to ask a peer for at once."""

from dataclasses import dataclass, field
from math import ceil, exp, inf
from typing import Final

RATE_MEMORY_S: Final = 2.0
"""An old byte counts 1/e after this: short enough to notice a stall, long enough to smooth bursts."""
QUEUE_S: Final = 1.0
"""Requests outstanding at a peer: one second of its rate (simulated: bandwidth x delay + 4 to 8 pieces; deeper queues
only make pieces wait, 1.16 x at 64 pieces)."""
QUEUE_PIECES_MIN: Final = 4
QUEUE_BYTES_MAX: Final = 32 * 1024 * 1024
QUEUE_BYTES_LONG: Final = 12_500_000
"""Outstanding at a peer of 100 Mbit/s."""
REFILL_SHARE: Final = 0.875
TOTAL_QUEUE_S: Final = 2.0
TOTAL_QUEUE_PIECES_MIN: Final = 16
"""Before any rate is known: enough that each of a few peers shows what it can do. And not much more, for whoever has a
narrow link has as many on their way at once: with 64, at 2 Mbit/s, each took 10 s, and so long nobody else had it from
there (simulated, eight such among sixteen: the others were done after 30 s instead of 16)."""


SLICE_S: Final = 0.04
SLICE_SLOW_S: Final = 0.08
"""Where that makes no more than SLICE_BYTES_SLOW: a slice costs both ends the same, whatever its size. (In a crowd,
where eight are sent to at once, 4 to 8 % of all processor time: docs/benchmarks/swarm.md.)"""
SLICE_BYTES_SLOW: Final = 32 * 1024
SLICE_BYTES_MIN: Final = 16 * 1024
SLICE_BYTES_MAX: Final = 256 * 1024
SLICE_BYTES_AT_FIRST: Final = 64 * 1024
"""While the rate is unknown."""
SLICE_CAPPED_S: Final = 0.25
SLICE_BYTES_CAPPED_MIN: Final = 2 * 1024
"""At the least that the background uses (8 KiB/s) eight peers are sent one each in 2 s."""


@dataclass(slots=True)
class Rate:
    """Bytes a second, forgetting exponentially. `peak_per_s`: the most that it ever was."""

    peak_per_s: float = 0.0
    _bytes: float = 0.0
    _at: float = field(default=float("-inf"))

    def add(self, count: int, now: float) -> None:
        """`count` bytes passed at `now`."""
        present = self._bytes = self._decayed(now) + count
        self._at = now
        present /= RATE_MEMORY_S
        if present > self.peak_per_s:
            self.peak_per_s = present

    def per_s(self, now: float) -> float:
        """The present rate."""
        return self._decayed(now) / RATE_MEMORY_S

    def _decayed(self, now: float) -> float:
        if not self._bytes or now <= self._at:
            return self._bytes
        return self._bytes * exp((self._at - now) / RATE_MEMORY_S)


def queue_bytes(rate_bytes_per_s: float, piece_bytes: float) -> float:
    """How many bytes may be outstanding at a peer of this rate."""
    return min(QUEUE_BYTES_MAX, QUEUE_S * rate_bytes_per_s + QUEUE_PIECES_MIN * piece_bytes)


def refilled_below(queue_max: float) -> float:
    """How many bytes may still be outstanding when it is time to ask for more, of so many at most.

    To a fast peer several requests go at once: each message by itself wakes two processes, which costs a third of what
    its piece does. It is never left with less than a second of work for that.
    """
    return queue_max if queue_max < QUEUE_BYTES_LONG else queue_max * REFILL_SHARE


def total_queue_bytes(rate_bytes_per_s: float, piece_bytes: float) -> float:
    """How many bytes may be outstanding at all peers together, receiving at this rate from all of them.

    More would only wait in the uploaders' queues for our own downlink, and make them look stalled.
    """
    return TOTAL_QUEUE_S * rate_bytes_per_s + TOTAL_QUEUE_PIECES_MIN * piece_bytes


def slice_bytes(rate_bytes_per_s: float, cap_bytes_per_s: float = inf) -> int:
    """How much of a piece to hand to a connection of this rate at once, under a cap for all of them together.

    What we say to that peer waits behind it, our own requests too: with 256 KiB on each of 8 connections a daemon with
    10 Mbit/s up asked for its pieces 1.2 s late, and got half as many as its link could take (`docs/policy.md`). And
    who is held to little must still be seen to move by each that it sends to, or it is left as one that stalls.
    """
    capped = max(SLICE_BYTES_CAPPED_MIN, SLICE_CAPPED_S * cap_bytes_per_s)
    usual = max(SLICE_S * rate_bytes_per_s, min(SLICE_BYTES_SLOW, SLICE_SLOW_S * rate_bytes_per_s))
    usual = max(SLICE_BYTES_MIN, min(SLICE_BYTES_MAX, usual))
    return round(min(capped, usual if rate_bytes_per_s else SLICE_BYTES_AT_FIRST))


def next_slice_bytes(left_bytes: int, slice_bytes: int) -> int:
    """How much of what is left of a piece goes next, in slices of about this size and all alike: a small rest would
    cost as much as they do. Up to half as much again, never more than SLICE_BYTES_MAX."""
    return ceil(left_bytes / max(1, round(left_bytes / slice_bytes), ceil(left_bytes / SLICE_BYTES_MAX)))


@dataclass(slots=True)
class TokenBucket:
    """A cap on bytes a second: says how long to wait before sending. An infinite rate is no cap; at a rate of 0 nothing
    is to be sent, and what was under way already passes. The rate may change while somebody waits."""

    rate_bytes_per_s: float
    burst_s: float = 0.25
    _booked: float = 0.0
    """All bytes ever taken."""
    _passed: float = 0.0
    """Of these, how many may have been used by now; more than all of them after a rest."""
    _at: float = field(default=float("-inf"))

    def book(self, count: int, now: float) -> float:
        """Take `count` bytes; the answer is a ticket, to be asked about with `wait_s` until that says 0."""
        self._advance(now)
        self._booked += count
        return self._booked

    def wait_s(self, ticket: float, now: float) -> float:
        """How long the bearer of this ticket has still to wait, at the present rate. Who booked first goes first."""
        self._advance(now)
        return max(0.0, (ticket - self._passed) / self.rate_bytes_per_s) if self._capped else 0.0

    def give_back(self, count: int) -> None:
        """They were taken, waited for, and not used: whoever waits behind them need not."""
        self._passed += count

    def used(self, now: float) -> float:
        """Bytes that have been used by now, of all that were taken: where the rate is a cap they pass evenly."""
        self._advance(now)
        return min(self._booked, self._passed)

    def take(self, count: int, now: float) -> float:
        """Take `count` bytes; the answer is how many seconds to wait before using them, if the rate stays."""
        return self.wait_s(self.book(count, now), now)

    @property
    def _capped(self) -> bool:
        return 0 < self.rate_bytes_per_s < inf

    def _advance(self, now: float) -> None:
        if not self._capped:
            self._passed = self._booked
            return
        burst = self.rate_bytes_per_s * self.burst_s
        self._passed = min(self._booked + burst, self._passed + (now - self._at) * self.rate_bytes_per_s)
        self._at = now
