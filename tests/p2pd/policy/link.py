"""A link with one queue that a daemon in the background shares with an ordinary sender, in steps of 10 ms.

The senders are what matters here of Reno, CUBIC (RFC 9438) and BBR: how much each keeps on its way, and what a loss or
a longer round trip does to that.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from p2pd.policy.yielding import ROUND_S, Transit, Yielding

MB = 1e6
STEP_S = 0.01
PACKET = 1500


class Sender(Protocol):
    """Another one on the link. `window`: bytes on its way; `pace`: at most so many a second leave."""

    window: float
    pace: float

    def acknowledged(self, rate: float, round_trip_s: float, now: float) -> None:
        """What it sees in a step: so many bytes a second arrive, after so long."""
        ...

    def lost(self, now: float) -> None:
        """The queue was full."""
        ...


@dataclass
class Reno:
    """A packet more each round trip, half as many after a loss."""

    window: float = 4.0 * PACKET
    pace: float = float("inf")

    def acknowledged(self, rate: float, round_trip_s: float, now: float) -> None:
        """See above."""
        self.window += PACKET * STEP_S / round_trip_s

    def lost(self, now: float) -> None:
        """See above."""
        self.window = max(2.0 * PACKET, 0.5 * self.window)


@dataclass
class Cubic:
    """After a loss 0.7 times as many; slow near where that was, faster with time."""

    window: float = 4.0 * PACKET
    pace: float = float("inf")
    _most: float = 0.0
    _lost_at: float = float("-inf")

    def acknowledged(self, rate: float, round_trip_s: float, now: float) -> None:
        """See above."""
        if not self._most:
            self.window *= 2 ** (STEP_S / round_trip_s)
            return
        most = self._most / PACKET
        turn_s = (0.3 * most / 0.4) ** (1 / 3)
        aim = (0.4 * (now - self._lost_at - turn_s) ** 3 + most) * PACKET
        as_reno = (0.7 * most + 0.53 * (now - self._lost_at) / round_trip_s) * PACKET
        self.window += (max(aim, as_reno) - self.window) * min(1.0, STEP_S / round_trip_s)

    def lost(self, now: float) -> None:
        """See above."""
        if now - self._lost_at > 0.15:  # one round trip's losses are one
            self._most, self._lost_at = self.window, now
            self.window = max(2.0 * PACKET, 0.7 * self.window)


@dataclass
class Bbr:
    """What the most was that arrived lately; twice what fits on the way; a try for more each eighth round trip."""

    window: float = 4.0 * PACKET
    pace: float = float("inf")
    _rates: deque[tuple[float, float]] = field(default_factory=deque)
    _trips: deque[tuple[float, float]] = field(default_factory=deque)
    _most: float = 0.0
    _grew_at: float = 0.0
    _beginning: bool = True

    def acknowledged(self, rate: float, round_trip_s: float, now: float) -> None:
        """See above."""
        self._trips.append((now, round_trip_s))
        while self._trips[0][0] < now - 10:
            self._trips.popleft()
        shortest_s = min(trip for _, trip in self._trips)
        trips_s = 10 * max(round_trip_s, STEP_S)
        self._rates.append((now, rate))
        while self._rates[0][0] < now - trips_s:
            self._rates.popleft()
        most = max(rate for _, rate in self._rates)
        if most > 1.25 * self._most:
            self._most, self._grew_at = most, now
        if self._beginning and now - self._grew_at > 3 * max(round_trip_s, STEP_S):
            self._beginning = False
        phase = int(now / max(shortest_s, STEP_S)) % 8
        gain = 2.89 if self._beginning else (1.25, 0.75, 1, 1, 1, 1, 1, 1)[phase]
        self.pace = max(PACKET / round_trip_s, most * gain)
        self.window = max(4.0 * PACKET, (2.89 if self._beginning else 2) * most * max(shortest_s, 0.003))
        if now - self._trips[0][0] >= 9.9 and phase == 0:
            self.window = 4.0 * PACKET  # it looks how short the way is

    def lost(self, now: float) -> None:
        """Nothing to it."""


@dataclass
class Link:
    """We send as fast as we may, beside `other`. `heard`: how often what we do is acknowledged: with each packet, with
    each look's letter (`pings`), or with each request for `piece_bytes` over `http`."""

    bytes_per_s: float = 2.5 * MB
    queue_s: float = 0.1
    base_s: float = 0.02
    heard: str = "packets"
    piece_bytes: float = 64e3
    here: bool = True
    """We are."""
    other: Sender | None = None
    brain: Yielding = field(default_factory=Yielding)
    now: float = 0.0
    queued_bytes: float = 0.0
    mean_s: float = 0.0
    shortest_s: float = 10.0
    delivered: int = 0
    resent: int = 0
    others: float = 0.0
    ours: float = 0.0
    asked: float = 0.0

    def run(self, seconds: float) -> tuple[float, float]:
        """The shares of the link that the other sender and we got meanwhile."""
        before, capacity = (self.others, self.ours), self.bytes_per_s * seconds
        for step in range(round(seconds / STEP_S)):
            if step % round(ROUND_S / STEP_S) == 0:
                self._round()
            self._step()
        return (self.others - before[0]) / capacity, (self.ours - before[1]) / capacity

    def _round(self) -> None:
        transit = Transit("1.2.3.4:5", self.mean_s, self.shortest_s, self.delivered, self.resent, self.heard == "http")
        self.brain.look([transit], self.ours, 0.0, self.now)
        if self.heard == "pings" and self.here:
            self._hear(1)

    @property
    def round_trip_s(self) -> float:
        """Now."""
        return self.base_s + self.queued_bytes / self.bytes_per_s

    def _hear(self, times: int) -> None:
        for _ in range(times):
            self.delivered += 1
            self.mean_s = self.mean_s + (self.round_trip_s - self.mean_s) / 8 if self.mean_s else self.round_trip_s
            self.shortest_s = min(self.shortest_s, self.round_trip_s)

    def _wanted(self) -> float:
        """Bytes of ours that leave in this step."""
        if not self.here:
            return 0.0
        ours = self.brain.up.rate_per_s * STEP_S
        self.asked += ours
        if self.heard == "http" and self.asked >= self.piece_bytes:
            self.asked = 0.0
            self._hear(1)
        return ours

    def _step(self) -> None:
        self.now += STEP_S
        ours, theirs = self._wanted(), 0.0
        if self.other:
            theirs = min(self.other.window / self.round_trip_s, self.other.pace) * STEP_S
        arriving, room = ours + theirs, self.bytes_per_s * STEP_S
        standing = self.queued_bytes > 0 or arriving > room
        self.queued_bytes = max(0.0, self.queued_bytes + arriving - room)
        passing = min(1.0, room / arriving) if arriving and standing else 1.0
        self.ours += ours * passing
        self.others += theirs * passing
        lost = self.queued_bytes > self.queue_s * self.bytes_per_s
        if lost:
            self.queued_bytes = self.queue_s * self.bytes_per_s
            self.resent += ours > PACKET
        if self.other:
            if lost:
                self.other.lost(self.now)
            else:
                self.other.acknowledged(theirs * passing / STEP_S, self.round_trip_s, self.now)
        if self.heard == "packets" and ours:
            self._hear(max(1, round(ours / PACKET / 2)))
