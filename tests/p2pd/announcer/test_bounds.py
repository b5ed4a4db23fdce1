"""What a tracker message may hold, and that its largest still fits a frame."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.announcer import REPORTS_PER_MESSAGE
from p2pd.wire.announce import (
    GOALS_MAX,
    KEY_ID_CHARS,
    NAME_CHARS_MAX,
    PAUSES_MAX,
    PEERS_MAX,
    SERVICES_MAX,
    SIGNATURE_BYTES_MAX,
    SIGNATURES_MAX,
    SOURCES_MAX,
    SWARMS_MAX,
    TEXT_CHARS_MAX,
    Announce,
    Goal,
    Goals,
    GoalSignature,
    Handout,
    Paused,
    PeerInfo,
    Renewed,
    Report,
    ServiceReport,
    SwarmStatus,
    TrackerMessage,
    Watch,
    check,
)
from p2pd.wire.codec import decode_tracker, encode
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.framing import CONTROL_BYTES_MAX
from tracker.goals.follower import REPORTS_PER_MESSAGE as REPORTS_FORWARDED

WIDE = "\U0001f4e6"
"""A character of four bytes."""
NAME, TEXT, RELEASE = WIDE * NAME_CHARS_MAX, WIDE * TEXT_CHARS_MAX, WIDE * 2 * NAME_CHARS_MAX
PEER = PeerInfo(NAME, NAME, NAME, "daemon", True, TEXT)
SIGNATURE = GoalSignature("f" * KEY_ID_CHARS, bytes(SIGNATURE_BYTES_MAX))
GOAL = Goal(NAME, NAME, RELEASE, 2**62, True, NAME, 1e300, NAME, 1e300, (SIGNATURE,) * SIGNATURES_MAX)
SOURCES = {f"{number:0{NAME_CHARS_MAX}d}": 2**62 for number in range(SOURCES_MAX)}
REPORT = ServiceReport(NAME, NAME, NAME, RELEASE, 2**62, RELEASE, NAME, 1.0, TEXT, TEXT, SOURCES, 1e300)
LARGEST: list[TrackerMessage] = [
    Announce(tuple(SwarmStatus(number.to_bytes(32, "big"), 1, 2, PEERS_MAX) for number in range(SWARMS_MAX))),
    Handout(bytes(32), (PEER,) * PEERS_MAX),
    Watch((NAME,) * SERVICES_MAX, 2**62),
    Report((REPORT,) * max(REPORTS_PER_MESSAGE, REPORTS_FORWARDED)),
]


@pytest.mark.parametrize("message", LARGEST, ids=lambda message: type(message).__name__)
def test_the_largest_message_that_we_send_fits_a_frame_and_is_taken(message: TrackerMessage) -> None:
    frame = encode(message)
    assert len(frame) < CONTROL_BYTES_MAX
    check(decode_tracker(frame[5:]))


def test_as_many_goals_and_pauses_as_one_message_may_hold_fit_a_frame() -> None:
    names = "n" * 64
    goal = msgspec.structs.replace(GOAL, service=names, scope=names, release=f"{names}@{names}")
    paused = (Paused(names, names, 2**62, WIDE * NAME_CHARS_MAX, 1e9, WIDE * NAME_CHARS_MAX),) * PAUSES_MAX
    assert len(encode(Goals(2**62, (goal,) * GOALS_MAX, 1e9, paused))) < CONTROL_BYTES_MAX


@pytest.mark.parametrize("interval_s", [float("nan"), float("inf"), -1.0])
def test_an_interval_that_is_no_time_is_refused(interval_s: float) -> None:
    with pytest.raises(RemoteProtocolError, match="interval_s"):
        check(Renewed(interval_s))


def test_a_goal_newer_than_its_message_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="newer"):
        check(Goals(1, (Goal("web", "global", "web@1", 2),)))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_the_others_fault(data: bytes) -> None:
    try:
        check(decode_tracker(data))
    except RemoteProtocolError:
        pass


@given(st.data())
def test_a_damaged_message_is_a_message_or_the_others_fault(data: st.DataObject) -> None:
    body = bytearray(encode(Report((ServiceReport("a", "eu", "web", "web@1", 1, "", "S", 0.5),)))[5:])
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        check(decode_tracker(bytes(body)))
    except RemoteProtocolError:
        pass
