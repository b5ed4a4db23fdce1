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

from .link import MB, Bbr, Cubic, Link, Reno

LINKS = [(mbit * MB / 8, queue_s) for mbit in (2, 20) for queue_s in (0.05, 0.1, 0.2)]


HEARD = ("packets", "pings", "http")
OTHERS = (Reno, Cubic)


@pytest.mark.parametrize("heard", HEARD)
@pytest.mark.parametrize(("bytes_per_s", "queue_s"), LINKS)
def test_alone_it_uses_more_than_four_fifths_of_the_link(bytes_per_s: float, queue_s: float, heard: str) -> None:
    link = Link(bytes_per_s, queue_s, heard=heard)
    link.run(20)
    assert link.run(20)[1] > 0.8


@pytest.mark.parametrize(
    ("heard", "bytes_per_s", "queue_s"),
    [(heard, *link) for link in LINKS for heard in HEARD if heard != "http" or link[1] > 0.05],
)
@pytest.mark.parametrize("other", OTHERS)
def test_another_sender_keeps_nine_tenths_of_what_it_gets_alone(
    heard: str, bytes_per_s: float, queue_s: float, other: type[Reno] | type[Cubic]
) -> None:
    alone, beside = Link(bytes_per_s, queue_s, here=False), Link(bytes_per_s, queue_s, heard=heard)
    beside.run(20)
    for link in (alone, beside):
        link.other = other()
        link.run(4)
    assert beside.run(20)[0] > 0.9 * alone.run(20)[0]


@pytest.mark.parametrize("heard", ["packets", "pings"])
@pytest.mark.parametrize(("bytes_per_s", "queue_s"), LINKS)
@pytest.mark.parametrize("other", OTHERS)
def test_who_was_there_first_keeps_nine_tenths_of_it_beside_a_newcomer(
    heard: str, bytes_per_s: float, queue_s: float, other: type[Reno] | type[Cubic]
) -> None:
    link = Link(bytes_per_s, queue_s, heard=heard, here=False, other=other())
    link.run(20)
    alone, _ = link.run(20)
    link.here = True
    link.run(4)
    assert link.run(20)[0] > 0.9 * alone


@pytest.mark.parametrize("heard", ["packets", "pings"])
@pytest.mark.parametrize(("bytes_per_s", "base_s"), [(0.25 * MB, 0.002), (2.5 * MB, 0.05)])
def test_one_that_makes_little_queue_keeps_nine_tenths_where_it_is_known_what_fits(
    bytes_per_s: float, base_s: float, heard: str
) -> None:
    link = Link(bytes_per_s, 0.05, base_s, heard=heard)
    link.run(20)
    link.here, link.other = False, Bbr()
    link.run(10)
    link.here = True
    link.run(4)
    assert link.run(20)[0] > 0.9


@pytest.mark.parametrize("heard", ["packets", "pings"])
@pytest.mark.parametrize("bytes_per_s", [0.25 * MB, 2.5 * MB])
def test_when_the_other_has_gone_it_is_back_within_five_seconds(bytes_per_s: float, heard: str) -> None:
    link = Link(bytes_per_s, heard=heard)
    link.run(20)
    link.other = Cubic()
    link.run(60)
    link.other = None
    link.run(5)
    assert link.run(10)[1] > 0.8


@pytest.mark.parametrize("heard", ["packets", "pings"])
@pytest.mark.parametrize(("bytes_per_s", "queue_s"), LINKS)
def test_a_newcomer_has_most_of_the_link_ten_seconds_after_the_other_went(
    bytes_per_s: float, queue_s: float, heard: str
) -> None:
    link = Link(bytes_per_s, queue_s, heard=heard, here=False, other=Cubic())
    link.run(20)
    link.here = True
    link.run(20)
    link.other = None
    link.run(10)
    assert link.run(5)[1] > 0.8


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
