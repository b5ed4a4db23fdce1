"""A daemon in the background leaves the link to others, and takes all of it when there are none."""

from dataclasses import dataclass, field
from math import inf

import pytest

from p2pd.policy.citizenship import Rates
from p2pd.policy.yielding import (
    BASE_S_MAX,
    FLOOR_BYTES_PER_S_MAX,
    LOOKS,
    ROUND_S,
    START_BYTES_PER_S,
    TARGET_S,
    QueueMeter,
    Transit,
    Yielding,
)

MB = 1e6
STEP_S = 0.01
PACKET = 1500
BEGINNING = 2


@dataclass
class Link:
    """A link with one queue, in steps of 10 ms. We send as fast as we may; another sender does as TCP Reno does: a
    packet more each round trip, half as many after a loss. `pings`: of what we do only letters are acknowledged."""

    bytes_per_s: float = 2.5 * MB
    queue_s: float = 0.1
    base_s: float = 0.02
    pings: bool = False
    here: bool = True
    """We are."""
    brain: Yielding = field(default_factory=Yielding)
    now: float = 0.0
    queued_bytes: float = 0.0
    window: float = 0.0
    """The other sender's, in bytes; 0 while there is none."""
    mean_s: float = 0.0
    shortest_s: float = 10.0
    delivered: int = 0
    resent: int = 0
    others: float = 0.0
    ours: float = 0.0

    def run(self, seconds: float) -> tuple[float, float]:
        """The shares of the link that the other sender and we got meanwhile."""
        before, capacity = (self.others, self.ours), self.bytes_per_s * seconds
        for step in range(round(seconds / STEP_S)):
            if step % round(ROUND_S / STEP_S) == 0:
                self._round()
            self._step()
        return (self.others - before[0]) / capacity, (self.ours - before[1]) / capacity

    def _round(self) -> None:
        transit = Transit("1.2.3.4:5", self.mean_s, self.shortest_s, self.delivered, self.resent)
        self.brain.look([transit], self.ours, 0.0, self.now)

    def _step(self) -> None:
        self.now += STEP_S
        round_trip_s = self.base_s + self.queued_bytes / self.bytes_per_s
        ours = self.brain.up.rate_per_s * STEP_S * self.here
        theirs = self.window / round_trip_s * STEP_S
        arriving = ours + theirs
        self.queued_bytes = max(0.0, self.queued_bytes + arriving - self.bytes_per_s * STEP_S)
        lost = self.queued_bytes > self.queue_s * self.bytes_per_s
        if lost:
            self.queued_bytes = self.queue_s * self.bytes_per_s
            self.window *= 0.5
            self.resent += ours > PACKET
        elif self.window:
            self.window += PACKET * STEP_S / round_trip_s
        passing = min(1.0, self.bytes_per_s * STEP_S / arriving) if arriving else 0.0
        self.ours += ours * passing
        self.others += theirs * passing
        for _ in range(1 if self.pings else max(1, round(ours / PACKET / 2))):
            self.delivered += 1
            self.mean_s = self.mean_s + (round_trip_s - self.mean_s) / 8 if self.mean_s else round_trip_s
            self.shortest_s = min(self.shortest_s, round_trip_s)


LINKS = [(mbit * MB / 8, queue_s) for mbit in (2, 20) for queue_s in (0.05, 0.1, 0.2)]


@pytest.mark.parametrize("pings", [False, True])
@pytest.mark.parametrize(("bytes_per_s", "queue_s"), LINKS)
def test_alone_it_uses_four_fifths_of_the_link(bytes_per_s: float, queue_s: float, pings: bool) -> None:
    link = Link(bytes_per_s, queue_s, pings=pings)
    link.run(10)
    _, ours = link.run(20)
    assert ours > 0.8


@pytest.mark.parametrize(("bytes_per_s", "queue_s"), LINKS)
def test_another_sender_keeps_nine_tenths_of_what_it_gets_alone(bytes_per_s: float, queue_s: float) -> None:
    alone, beside = Link(bytes_per_s, queue_s, here=False), Link(bytes_per_s, queue_s)
    beside.run(20)
    for link in (alone, beside):
        link.window = BEGINNING * bytes_per_s * link.base_s
        link.run(10)
    assert beside.run(20)[0] > 0.9 * alone.run(20)[0]


@pytest.mark.parametrize("pings", [False, True])
def test_when_the_other_has_gone_it_is_back_within_five_seconds(pings: bool) -> None:
    link = Link(pings=pings)
    link.run(20)
    link.window = BEGINNING * link.bytes_per_s * link.base_s
    link.run(60)
    link.window = 0.0
    link.run(5)
    assert link.run(10)[1] > 0.8


@pytest.mark.parametrize("pings", [False, True])
@pytest.mark.parametrize(("bytes_per_s", "queue_s"), LINKS)
def test_who_came_while_another_filled_the_link_has_most_of_it_ten_seconds_after_that_one_went(
    bytes_per_s: float, queue_s: float, pings: bool
) -> None:
    link = Link(bytes_per_s, queue_s, pings=pings, here=False)
    link.window = BEGINNING * bytes_per_s * link.base_s
    link.run(20)
    link.here = True
    link.run(20)
    link.window = 0.0
    link.run(10)
    assert link.run(5)[1] > 0.75


def test_its_own_queue_is_short() -> None:
    link = Link(queue_s=1.0)
    link.run(10)
    longest_s = 0.0
    for _ in range(200):
        link.run(ROUND_S)
        longest_s = max(longest_s, link.queued_bytes / link.bytes_per_s)
    assert longest_s < 5 * TARGET_S


def a_transit(delivered: int, queue_s: float, *, host: str = "1.2.3.4", resent: int = 0) -> Transit:
    """A round trip that did not change for long, with so much of a queue over 20 ms."""
    return Transit(f"{host}:5", 0.02 + queue_s, 0.02, delivered, resent)


def test_who_sent_nothing_tells_nothing() -> None:
    meter = QueueMeter()
    meter.look([a_transit(10, 0.5)], 0.0)
    assert meter.look([a_transit(10, 0.5)], 0.1) == (None, False)


def test_a_mean_of_round_trips_is_taken_apart() -> None:
    meter = QueueMeter()
    meter.look([a_transit(10, 0.0)], 0.0)
    queue_s, _ = meter.look([a_transit(11, 0.01)], 0.1)
    assert queue_s == pytest.approx(0.08)


def test_a_later_connection_to_a_host_knows_how_short_the_way_was() -> None:
    meter = QueueMeter()
    meter.look([a_transit(10, 0.0)], 0.0)
    late = [Transit("1.2.3.4:6", 0.08, 0.07, delivered, 0) for delivered in (10, 20)]
    meter.look(late[:1], 1.0)
    assert meter.look(late[1:], 1.1)[0] == pytest.approx(0.06)


def test_but_not_for_ever() -> None:
    meter = QueueMeter()
    meter.look([a_transit(10, 0.0)], 0.0)
    late = [Transit("1.2.3.4:6", 0.08, 0.07, delivered, 0) for delivered in (10, 20)]
    meter.look(late[:1], BASE_S_MAX + 1)
    assert meter.look(late[1:], BASE_S_MAX + 2)[0] == pytest.approx(0.01)


def test_a_queue_that_only_one_of_three_stands_in_is_not_ours() -> None:
    meter, queues = QueueMeter(), {"1.1.1.1": 0.0, "2.2.2.2": 0.0, "3.3.3.3": 0.3}
    meter.look([a_transit(10, queue_s, host=host) for host, queue_s in queues.items()], 0.0)
    assert meter.look([a_transit(20, queue_s, host=host) for host, queue_s in queues.items()], 0.1) == (0.0, False)


@dataclass
class Sending:
    """As much as may be sent is, and acknowledged."""

    brain: Yielding = field(default_factory=Yielding)
    rounds: int = 0
    sent: float = 0.0
    resent: int = 0

    def looks(self, queue_s: float, *, count: int, resent: int = 0) -> float:
        """So many rounds, `resent` packets in each; the rate after them."""
        for _ in range(count):
            self.rounds += 1
            self.resent += resent
            self.sent += self.brain.up.rate_per_s * ROUND_S
            transit = a_transit(self.rounds, queue_s, resent=self.resent)
            self.brain.look([transit], self.sent, 0.0, self.rounds * ROUND_S)
        return self.brain.up.rate_per_s


def test_one_late_acknowledgement_is_no_queue() -> None:
    sending = Sending()
    before = sending.looks(0.0, count=5)
    assert sending.looks(0.5, count=LOOKS - 1) >= before


def test_lost_packets_count_where_the_queue_is_too_short_to_be_seen() -> None:
    sending = Sending()
    before = sending.looks(0.0, count=5)
    assert sending.looks(0.0, count=3, resent=1) < before


def test_it_never_stops() -> None:
    sending = Sending()
    sending.looks(0.0, count=20)
    assert 0 < sending.looks(0.5, count=100) <= FLOOR_BYTES_PER_S_MAX


def test_what_can_not_be_measured_is_not_held_back() -> None:
    brain = Yielding()
    assert brain.look([], 0.0, 0.0, 0.0) == Rates(START_BYTES_PER_S, START_BYTES_PER_S)
    assert brain.look([], 1000.0, 0.0, 0.1) == Rates(inf, inf)
