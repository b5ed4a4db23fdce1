"""How much of a link to use so that others on it notice little: by the delay that its queue adds (as LEDBAT, RFC 6817).

A queue grows where more is sent than a link carries. Each connection's round trip over the least that its kind ever
took tells how long that queue is; a queue that all our connections stand in is our link's (or our neighbour's on it).

nearly no queue      ->  use more: a third each round at first, after others had it, and below half of what is known to
                         fit; above that a little of it, more with each second in which that was right
more than TARGET_S   ->  use less, by as much as it is too long, half at most
packets were lost    ->  use less, by a fifth: this queue may be too short to be seen
a queue while we use ->  others have the link: use FLOOR_SHARE of it, which makes no queue, until none was seen for
less than half of        FREE_S; a queue then is theirs, also where all that we ever saw was a part of it
what is known to fit
the first queue ever ->  the same: perhaps we fill the link, perhaps it was full
nothing was sent     ->  nothing is known, nothing changes

So whoever fills the queue (any ordinary TCP does) gets the link within two seconds, and whoever was there before us
keeps it. Both directions are steered by the same delay, each only while it is used.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isinf
from statistics import median_low
from typing import Final

from .citizenship import Rates

TARGET_S: Final = 0.025
"""Queue that we may make: a call does not suffer from it (RFC 6817 allows 0.1 s). Less drowns in the noise of a busy
machine or of wireless links."""
ROUND_S: Final = 0.1
"""Between two looks: a round trip or two, and the time that averages of round trips take to follow."""
START_BYTES_PER_S: Final = 128 * 1024.0
GROWTH: Final = 1.3
"""Each round, while little is used."""
GROWTH_AGAIN: Final = 1.1
"""Where nobody else was there when we looked, above half of what is known to fit: queues are seen three rounds late."""
STEP_SHARE: Final = 0.015
"""Of what is known to fit, each round above half of that; as much more for each second since less was used."""
STEPS_MAX: Final = 3.0
FULL: Final = 0.85
MORE: Final = 1.03
"""From that share of what is known to fit on, one such step, until so many times as much is seen to fit: three steps
overshot, and cost a third of it each time."""
ROUNDS_MAX: Final = 5.0
"""Who is heard of less often than each round makes up for so many."""
FLOOR_SHARE: Final = 0.02
CROWDED: Final = 2.0
"""Who uses no more than so many times the floor does not know what others leave."""
QUIET_S: Final = 0.01
"""More is a queue to who uses little. Who came while others filled it takes most of it for distance; what is left of it
to see comes and goes with each of their losses: 15 ms of a queue of 50."""
FREE_S: Final = 2.0
"""Without one, others have gone: after each loss of theirs it is there again within a second."""
FREE_AT_FIRST_S: Final = 1.0
"""After the first queue, which mostly is ours."""
FLOOR_BYTES_PER_S_MIN: Final = 8 * 1024.0
FLOOR_BYTES_PER_S_MAX: Final = 64 * 1024.0
USED_SHARE: Final = 0.8
USED_SHARE_GROWING: Final = 0.3
"""Who uses less of what it may is not held back by that, and learns nothing from the absence of a queue. (What is used
is a mean, which lags behind what grows.)"""
LESS_GAIN: Final = 0.3
LESS_MAX: Final = 0.5
LOOKS: Final = 3
"""The least of so many counts: what a busy host or a late acknowledgement adds comes and goes, a queue stays."""
LOOKS_CROWDED: Final = 5
"""The same for who waits until others have gone: they can be waited for, and what little we send then says little."""
LOOKS_MIN: Final = 2
"""Of so many where little is heard (HTTP tells once a request), and the one before is from long ago."""
SMOOTHING: Final = 0.2
"""Of a round's bytes in what counts as used: pieces leave in slices."""
KNOWN_SMOOTHING: Final = 0.1
"""The same in what counts as known to fit: a second, since what HTTP is asked for counts before it has come."""
RECENT_S: Final = 1.0
"""A direction that was used within this may be what made the queue."""
LOST_SHARE: Final = 0.2
REST_S: Final = 0.4
"""After using less, until that can be seen."""
FORGET: Final = 0.9999
"""What is known to fit shrinks by this each round: to half in twelve minutes."""
MEAN_WEIGHT: Final = 1 / 8
BASES_MAX: Final = 1024
"""Addresses whose shortest round trip is remembered."""
BASE_S_MAX: Final = 1800.0
"""For so long: routes change."""


@dataclass(frozen=True, slots=True)
class Transit:
    """How a connection fares, as its transport saw it. Bytes and packets are counted since its beginning."""

    address: str
    round_trip_s: float
    """A mean in which each new one counts an eighth (RFC 6298)."""
    shortest_s: float
    """Of the last minutes."""
    delivered: int
    """Packets that we sent and they have: without new ones there is no new round trip either."""
    resent: int
    """Packets that were lost, or so it seemed."""
    seldom: bool = False
    """Something is acknowledged once a request only, and then as soon as their answer is ready (HTTP)."""


@dataclass(slots=True)
class _Base:
    shortest_s: float
    since: float


@dataclass(slots=True)
class QueueMeter:
    """Tells how long our link's queue is, from how our connections fare."""

    _before: dict[str, Transit] = field(default_factory=dict)
    _bases: dict[str, _Base] = field(default_factory=dict)

    def look(self, transits: Iterable[Transit], now: float) -> tuple[float | None, bool]:
        """Seconds of queue that half of the connections that moved stand in, None where none moved; was any packet of
        theirs lost?"""
        before, self._before = self._before, {one.address: one for one in transits}
        queues, lost = [], 0
        for address, one in self._before.items():
            last = before.get(address)
            base_s = self._base_s(one, now)
            if last is not None and one.delivered > last.delivered:
                queues.append(max(0.0, _latest_s(last, one) - base_s))
                lost += one.resent > last.resent
        return (median_low(queues) if queues else None), 2 * lost > max(1, len(queues))

    def _base_s(self, one: Transit, now: float) -> float:
        """A later connection to the same host may never have seen the link without a queue; an earlier one may."""
        host = one.address.rpartition(":")[0]
        base = self._bases.get(host)
        if base is None or one.shortest_s <= base.shortest_s or now - base.since > BASE_S_MAX:
            self._bases.pop(host, None)
            base = self._bases[host] = _Base(one.shortest_s, now)
            if len(self._bases) > BASES_MAX:
                del self._bases[next(iter(self._bases))]
        return base.shortest_s


def _latest_s(last: Transit, one: Transit) -> float:
    """The round trip since the last look, out of the two means. Where several packets had one acknowledgement, it lies
    between that and the mean."""
    weight = 1 - (1 - MEAN_WEIGHT) ** (one.delivered - last.delivered)
    return last.round_trip_s + (one.round_trip_s - last.round_trip_s) / weight


@dataclass(slots=True)
class Way:
    """One direction. `rate_per_s`: bytes that it may carry a second; `known_per_s`: that it was seen to carry."""

    rate_per_s: float = START_BYTES_PER_S
    used_per_s: float = 0.0
    known_per_s: float = 0.0
    _long_used_per_s: float = 0.0
    _moved_at: float = float("-inf")
    _less_at: float = float("-inf")
    _heard_at: float = float("-inf")
    _crowded_since: float | None = None
    """Others have the link: when there was a queue last; None while they have not."""
    _looked: bool = False
    """We have waited for others once."""
    _growth: float = GROWTH
    """Each round, above half of what is known to fit, while nothing goes wrong."""
    _trying: bool = True
    """Nothing went wrong since the link was seen to be free, or since the beginning."""

    @property
    def floor_per_s(self) -> float:
        """Never less: who uses nothing sees nothing."""
        return max(FLOOR_BYTES_PER_S_MIN, min(FLOOR_BYTES_PER_S_MAX, FLOOR_SHARE * self.known_per_s))

    @property
    def crowded(self) -> bool:
        """Others have the link."""
        return self._crowded_since is not None

    @property
    def yields(self) -> bool:
        """Others leave it less than half of what is known to fit."""
        return self.rate_per_s < self.known_per_s / 2

    @property
    def seen_from(self) -> float:
        """What was seen before is of the time when we used more."""
        return self._less_at + REST_S / 2

    def use(self, per_s: float, now: float) -> None:
        """So much passed in the last round."""
        if per_s:
            self._moved_at = now
        self.used_per_s += SMOOTHING * (per_s - self.used_per_s)
        self._long_used_per_s += KNOWN_SMOOTHING * (per_s - self._long_used_per_s)
        self.known_per_s = max(self._long_used_per_s, self.known_per_s * FORGET)

    def hear(self, queue_s: float, lost: bool, now: float, *, seldom: bool = False) -> None:
        """So long was the queue meanwhile. `seldom`: that is told too rarely, and not well enough, to go by little."""
        if now - self._moved_at > RECENT_S:
            return
        rounds, self._heard_at = min(ROUNDS_MAX, (now - self._heard_at) / ROUND_S), now
        if self._crowded_since is not None:
            self._look_around(queue_s > (TARGET_S if seldom else QUIET_S) or lost, self._crowded_since, now)
        if self._crowded_since is not None:
            return
        if queue_s > (QUIET_S if self._trying and self.yields and not seldom else TARGET_S) or lost:
            share = max(LOST_SHARE if lost else 0.0, min(LESS_MAX, LESS_GAIN * (queue_s / TARGET_S - 1)))
            self._use_less(share, now, look=not seldom)
        else:
            self._use_more(rounds * (1 - queue_s / TARGET_S), now)

    def _look_around(self, queue: bool, since: float, now: float) -> None:
        """What we use now makes no queue: if there is one, others do."""
        self.rate_per_s = self.floor_per_s
        if queue:
            self._crowded_since = now
        elif now - since >= (FREE_S if self._looked else FREE_AT_FIRST_S):
            self._crowded_since, self._trying, self._looked = None, True, True
            self._growth = GROWTH if now - self._less_at > 2 * FREE_S else GROWTH_AGAIN

    def _use_more(self, rounds: float, now: float) -> None:
        used_share = self.used_per_s / self.rate_per_s
        if self._trying or self.yields:
            if used_share >= USED_SHARE_GROWING:
                self.rate_per_s *= (GROWTH if self.yields else self._growth) ** rounds
        elif used_share >= USED_SHARE:
            full = FULL * self.known_per_s <= self.rate_per_s and self.used_per_s <= MORE * self.known_per_s
            steps = 1.0 if full else min(STEPS_MAX, 1 + now - self._less_at)
            self.rate_per_s += rounds * STEP_SHARE * steps * self.known_per_s

    def _use_less(self, share: float, now: float, *, look: bool) -> None:
        """By this share; or to the least, to `look` whether the queue was ours."""
        if now - self._less_at < REST_S:
            return
        looks = look and (isinf(self._less_at) or self.used_per_s < self.known_per_s / 2)
        self._less_at, self._trying = now, False
        self.rate_per_s = min(self.rate_per_s, self.used_per_s / USED_SHARE) * (1 - share)
        if looks or self.rate_per_s <= CROWDED * self.floor_per_s:
            self._crowded_since, self.rate_per_s = now, self.floor_per_s


@dataclass(slots=True)
class Yielding:
    """Steers both directions of one side of the house; to be told every ROUND_S how all connections fare."""

    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    _queues: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=LOOKS_CROWDED))
    """When we looked, and how long it was."""
    _meter: QueueMeter = field(default_factory=QueueMeter)
    _at: float = float("-inf")
    _moved: tuple[float, float] = (0, 0)

    @property
    def queue_s(self) -> float:
        """How long it was when something moved last."""
        return min((queue_s for _, queue_s in list(self._queues)[-LOOKS:]), default=0.0)

    def _queue_for(self, way: Way, now: float) -> float | None:
        """The least that was seen lately, as things are for this direction; None when that was too little."""
        since = now - ROUND_S * ((LOOKS_CROWDED if way.crowded else LOOKS) - 0.5)
        seen = [(at, queue_s) for at, queue_s in self._queues if at >= way.seen_from]
        lately = [one for one in seen if one[0] >= since]
        counted = lately if len(lately) >= LOOKS_MIN else seen[-LOOKS_MIN:]
        return min(queue_s for _, queue_s in counted) if len(counted) >= LOOKS_MIN else None

    def look(self, transits: Sequence[Transit], sent_bytes: float, received_bytes: float, now: float) -> Rates:
        """Bytes are counted since the beginning; what may be used from now on: without limits, while no connection can
        be measured."""
        moved, seconds = (sent_bytes - self._moved[0], received_bytes - self._moved[1]), now - self._at
        self._moved, self._at = (sent_bytes, received_bytes), now
        queue_s, lost = self._meter.look(transits, now)
        seldom = all(one.seldom for one in transits)
        if queue_s is not None:
            self._queues.append((now, queue_s))
        if any(moved) and not transits:
            return Rates()
        for way, count in zip((self.up, self.down), moved, strict=True):
            way.use(count / seconds, now)
            if queue_s is not None and (least_s := self._queue_for(way, now)) is not None:
                way.hear(least_s, lost, now, seldom=seldom)
        return Rates(self.up.rate_per_s, self.down.rate_per_s)
