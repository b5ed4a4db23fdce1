"""Nobody gets more of a tracker than is meant for one."""

import pytest

from p2pd.wire.announce import Announce, Watch
from tracker.allowance import WORK_PER_S, WORK_SAVED_MAX, Allowance, work_of
from tracker.config import TrackerConfig
from tracker.outbox import BATCH_BYTES, Outbox

from .nodes import status


def test_a_burst_is_free() -> None:
    allowance = Allowance(0.0)
    assert [allowance.spend(1.0, 0.0) for _ in range(int(WORK_SAVED_MAX))] == [0.0] * int(WORK_SAVED_MAX)


def test_a_flood_is_slowed_to_what_one_may_have() -> None:
    allowance, now = Allowance(0.0), 0.0
    for _ in range(10_000):
        now += allowance.spend(1.0, now)
    assert now == pytest.approx((10_000 - WORK_SAVED_MAX) / WORK_PER_S)


def test_an_announce_that_wants_many_handouts_costs_more() -> None:
    many = Announce(tuple(status(swarm=bytes([number]) * 32, wanted=10) for number in range(200)))
    assert (work_of(Watch((), 0)), work_of(many)) == (1.0, 51.0)


def test_frames_leave_in_order_and_in_batches() -> None:
    outbox = Outbox()
    for frame in (b"a" * BATCH_BYTES, b"b", b"c"):
        outbox.put(frame)
    assert [outbox.take(), outbox.take(), outbox.take()] == [b"a" * BATCH_BYTES, b"bc", b""]


def test_a_full_outbox_takes_no_more() -> None:
    outbox = Outbox(bytes_max=10)
    assert [outbox.put(b"12345"), outbox.put(b"12345"), outbox.put(b"1")] == [True, True, False]


def test_what_was_taken_makes_room() -> None:
    outbox = Outbox(bytes_max=10)
    outbox.put(b"1234567890")
    outbox.take()
    assert (outbox.put(b"1234567890"), outbox.waiting_bytes) == (True, 10)


def test_the_last_word_comes_after_what_waits_and_nothing_after_it() -> None:
    outbox = Outbox(bytes_max=3)
    outbox.put(b"abc")
    outbox.close(b"bye")
    outbox.put(b"x")
    assert not outbox.ended
    assert (outbox.take(), outbox.take(), outbox.ended) == (b"abcbye", b"", True)


@pytest.mark.parametrize(
    "settings, why",
    [
        ({"region": "eu"}, "set upstream"),
        ({"upstream": "g:1"}, "set region"),
        ({"region": "EU", "upstream": "g:1"}, "lower-case"),
        ({"lease_s": 0.0}, "lease_s"),
        ({"nodes_max": 0}, "nodes_max"),
        ({"grace_s": -1.0}, "grace_s"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TrackerConfig(**settings)  # type: ignore[arg-type]
