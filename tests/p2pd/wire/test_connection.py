"""The table of legal orders, row by row; two ends that talk to each other."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.wire import bits
from p2pd.wire.codec import encode
from p2pd.wire.connection import About, BlockReceived, Event, Joined, Left, PeerConnection
from p2pd.wire.errors import LocalProtocolError, RemoteProtocolError
from p2pd.wire.framing import block_head
from p2pd.wire.messages import (
    CHANNELS_MAX,
    HELLO_BYTES_MAX,
    JOINED_PIECES_MAX,
    PIECES_MAX,
    Cancel,
    Have,
    Hello,
    Join,
    Leave,
    Lost,
    ManifestPart,
    ManifestRequest,
    Message,
    Ping,
    Pong,
    Reject,
    Request,
    Want,
)
from tests.p2pd.wire.examples import PEER_MESSAGES, SWARM

HELLO = Hello(1, "prod", "them", "here", "daemon", "them:1")
JOIN = Join(3, SWARM, 10, b"\x80\x40")
OTHER = bytes(32)


def opened(*said: Message) -> PeerConnection:
    """Our side, after they said Hello and this."""
    ours = PeerConnection(Hello(1, "prod", "us", "here", "daemon", "us:1"))
    hear(ours, HELLO, *said)
    return ours


def hear(ours: PeerConnection, *said: Message | bytes) -> list[Event]:
    stream = b"".join(one if isinstance(one, bytes) else encode(one) for one in said)
    return list(ours.receive(stream))


def block(channel: int, piece: int, data: bytes = b"data") -> bytes:
    return block_head(channel, piece, 0, len(data)) + data


@pytest.mark.parametrize("message", [*PEER_MESSAGES[1:], block(1, 0)], ids=lambda one: type(one).__name__)
def test_nothing_may_be_said_before_hello(message: Message | bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="before Hello"):
        hear(PeerConnection(HELLO), message)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"fleet": "staging"}, "fleet 'staging', this is 'prod'"),
        ({"version": 2}, "version 2, 1 spoken here"),
        ({"node": ""}, "without a node"),
    ],
)
def test_a_hello_that_does_not_fit_is_refused_with_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        hear(PeerConnection(HELLO), msgspec.structs.replace(HELLO, **changes))


def test_who_has_not_said_hello_gets_little_memory() -> None:
    with pytest.raises(RemoteProtocolError, match=f"1 to {HELLO_BYTES_MAX} allowed"):
        hear(PeerConnection(HELLO), (HELLO_BYTES_MAX + 1).to_bytes(4, "big"))


def test_the_longest_hello_fits() -> None:
    longest = Hello(1, "prod", *("\U0001f680" * 256,) * 4)
    assert hear(PeerConnection(HELLO), longest) == [longest]


def test_large_frames_may_follow_hello_at_once() -> None:
    part = ManifestPart(SWARM, 0, 100_000, bytes(100_000))
    assert hear(PeerConnection(HELLO), HELLO, part) == [HELLO, part]


@pytest.mark.parametrize(
    "said, words",
    [
        ([HELLO], "a second Hello"),
        ([JOIN, msgspec.structs.replace(JOIN, swarm=OTHER)], "channel 3 joined twice"),
        ([JOIN, msgspec.structs.replace(JOIN, channel=4)], "swarm 0001.* joined twice"),
        ([Join(1, SWARM, 10, b"\x80")], "bitfield of 1 bytes for 10 pieces"),
        ([Join(1, SWARM, 10, b"\x80\x01")], "beyond its last piece"),
        ([Leave(1)], "channel 1 was not joined"),
        ([JOIN, Leave(3), Leave(3)], "channel 3 was not joined"),
        ([JOIN, Leave(3), Have(3, (1,))], "channel 3 was not joined"),
        ([JOIN, Have(3, (1, 10))], "Have names a piece beyond 10"),
        ([JOIN, Lost(3, (10,))], "Lost names a piece beyond 10"),
        ([JOIN, Want(3, (10,))], "Want names a piece beyond 10"),
        ([JOIN, Request(3, 10)], "piece 10 of 10"),
        ([JOIN, Cancel(3, 10)], "piece 10 of 10"),
        ([JOIN, Reject(3, 10, "busy")], "piece 10 of 10"),
        ([JOIN, Request(4, 1)], "channel 4 was not joined"),
        ([block(3, 1)], "channel 3 was not joined"),
        ([JOIN, block(3, 10)], "piece 10 of 10"),
    ],
)
def test_what_is_out_of_order_is_refused_with_words(said: Sequence[Message | bytes], words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        hear(opened(), *said)


@pytest.mark.parametrize(
    "message, event",
    [
        (JOIN, Joined(SWARM, 10, bits.of([0, 9]))),
        (Ping(7), Ping(7)),
        (Pong(7), Pong(7)),
        (ManifestRequest(SWARM, 5), ManifestRequest(SWARM, 5)),
        (ManifestPart(SWARM, 0, 1, b"x"), ManifestPart(SWARM, 0, 1, b"x")),
    ],
)
def test_what_may_be_said_at_any_time(message: Message, event: Event) -> None:
    assert hear(opened(), message) == [event]


@pytest.mark.parametrize(
    "message", [Have(3, (1, 9)), Lost(3, ()), Want(3, (0,)), Request(3, 9), Cancel(3, 0), Reject(3, 1, "gone")]
)
def test_what_is_about_a_joined_swarm_names_it(message: Message) -> None:
    assert hear(opened(JOIN), message) == [About(SWARM, message)]  # type: ignore[arg-type]


def test_a_block_of_a_joined_swarm_names_it() -> None:
    assert hear(opened(JOIN), block(3, 9)) == [BlockReceived(SWARM, 9, 0, b"data")]


def test_leaving_frees_channel_and_swarm() -> None:
    again = [Leave(3), Join(3, OTHER, 4, b""), Join(4, SWARM, 10, b"")]
    assert hear(opened(JOIN), *again) == [Left(SWARM), Joined(OTHER, 4, 0), Joined(SWARM, 10, 0)]


def test_swarms_on_one_connection_are_bounded_in_number() -> None:
    ours = opened(*(Join(number, number.to_bytes(32, "big"), 1, b"") for number in range(CHANNELS_MAX)))
    with pytest.raises(RemoteProtocolError, match=f"more than {CHANNELS_MAX} swarms"):
        hear(ours, Join(CHANNELS_MAX, b"x" * 32, 1, b""))


def test_swarms_on_one_connection_are_bounded_in_pieces() -> None:
    count = JOINED_PIECES_MAX // PIECES_MAX
    ours = opened(*(Join(number, number.to_bytes(32, "big"), PIECES_MAX, b"") for number in range(count)))
    with pytest.raises(RemoteProtocolError, match="pieces in all swarms"):
        hear(ours, Join(count, b"x" * 32, 1, b""))


def test_what_is_left_no_longer_counts() -> None:
    ours = opened()
    for number in range(3 * CHANNELS_MAX):
        hear(ours, Join(number, SWARM, PIECES_MAX, b""), Leave(number))
    assert repr(ours) == "<PeerConnection them ours 0 theirs 0>"


def test_two_ends_number_their_own_channels() -> None:
    alice, bob = PeerConnection(HELLO), PeerConnection(HELLO)
    hear(alice, bob.hello())
    hear(bob, alice.hello())
    hear(bob, alice.join(OTHER, 4, 0), alice.join(SWARM, 10, bits.of([1])))
    hear(alice, bob.join(SWARM, 10, bits.of([2])))
    assert hear(bob, alice.about(SWARM, Request(0, 2))) == [About(SWARM, Request(2, 2))]
    assert hear(alice, bob.about(SWARM, Request(0, 1))) == [About(SWARM, Request(1, 1))]


def test_a_swarm_left_and_joined_again_gets_a_new_channel() -> None:
    alice, bob = PeerConnection(HELLO), opened()
    frames = alice.join(SWARM, 10, 0) + alice.leave(SWARM) + alice.join(SWARM, 10, 0)
    hear(bob, frames)
    assert hear(bob, alice.about(SWARM, Have(0, (1,)))) == [About(SWARM, Have(2, (1,)))]


def test_a_piece_travels_in_blocks_under_its_senders_channel() -> None:
    alice, bob = PeerConnection(HELLO), opened()
    head = alice.join(SWARM, 10, 0) + alice.block_head(SWARM, 7, 5, 3)
    assert hear(bob, head + b"abc")[1:] == [BlockReceived(SWARM, 7, 5, b"abc")]


@pytest.mark.parametrize(
    "deed",
    [
        lambda ours: ours.leave(SWARM),
        lambda ours: ours.about(SWARM, Request(0, 1)),
        lambda ours: ours.block_head(SWARM, 1, 0, 4),
        lambda ours: (ours.join(SWARM, 1, 0), ours.join(SWARM, 1, 0)),
    ],
)
def test_we_never_say_what_we_may_not(deed: Any) -> None:
    with pytest.raises(LocalProtocolError):
        deed(opened())


FEW = st.integers(0, 3)
SAYINGS = st.one_of(
    st.builds(Join, FEW, st.sampled_from([SWARM, OTHER]), FEW, st.sampled_from([b"", b"\x80", b"\xff"])),
    st.builds(Leave, FEW),
    st.builds(Have, FEW, st.lists(FEW, max_size=3).map(tuple)),
    st.builds(Request, FEW, FEW),
    st.builds(block, FEW, FEW),
)


@given(st.lists(SAYINGS, max_size=20))
def test_whatever_they_say_channels_and_swarms_stay_one_to_one(said: list[Message | bytes]) -> None:
    ours, joined = opened(), set[bytes]()
    for one in said:
        try:
            (event,) = hear(ours, one)
        except RemoteProtocolError:
            break
        if isinstance(event, Joined):
            assert event.swarm not in joined
            joined.add(event.swarm)
        elif isinstance(event, Left):
            joined.remove(event.swarm)
        else:
            assert isinstance(event, About | BlockReceived)
            assert event.swarm in joined
