"""Messages as bytes: ours come back as they were, others' are a message or a breach, and nothing else."""

import json
import struct
import tracemalloc
from pathlib import Path
from typing import Any, get_args

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.wire import announce, messages
from p2pd.wire.codec import decode_peer, decode_tracker, encode
from p2pd.wire.errors import RemoteProtocolError
from tests.p2pd.wire.examples import PEER_MESSAGES, SWARM, TRACKER_MESSAGES

HEAD_BYTES = 5
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wire.json").read_text())
BY_NAME = {type(one).__name__: one for one in (*PEER_MESSAGES, *TRACKER_MESSAGES)}
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
TAGS = st.sampled_from([str(one.__struct_config__.tag) for one in BY_NAME.values()])


def packed(*items: Any) -> bytes:
    return bytes(msgpack.packb(list(items)))


@pytest.mark.parametrize("message", PEER_MESSAGES, ids=lambda one: type(one).__name__)
def test_a_peers_message_comes_back(message: messages.AnyMessage) -> None:
    assert decode_peer(encode(message)[HEAD_BYTES:]) == message


@pytest.mark.parametrize("message", TRACKER_MESSAGES, ids=lambda one: type(one).__name__)
def test_a_trackers_message_comes_back(message: announce.AnyTrackerMessage) -> None:
    assert decode_tracker(encode(message)[HEAD_BYTES:]) == message


def test_there_is_an_example_of_every_message() -> None:
    assert {type(one) for one in PEER_MESSAGES} == set(get_args(messages.AnyMessage))
    assert {type(one) for one in TRACKER_MESSAGES} == set(get_args(announce.AnyTrackerMessage))


@pytest.mark.parametrize("name", BY_NAME)
def test_the_golden_frame_of_each_message_stands(name: str) -> None:
    assert encode(BY_NAME[name]).hex() == VECTORS["frames"][name]


@pytest.mark.parametrize("name", BY_NAME)
def test_an_independent_reader_finds_the_tag_and_the_fields(name: str) -> None:
    message, frame = BY_NAME[name], bytes.fromhex(VECTORS["frames"][name])
    length, kind = struct.unpack_from(">IB", frame)
    tag, *fields = msgpack.unpackb(frame[HEAD_BYTES:])
    assert (length, kind) == (len(frame) - 4, 0)
    assert (tag, len(fields)) == (message.__struct_config__.tag, len(message.__struct_fields__))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_message_or_a_breach(body: bytes) -> None:
    for decode in (decode_peer, decode_tracker):
        try:
            decode(body)
        except RemoteProtocolError:
            pass


@given(TAGS, st.lists(VALUES, max_size=12))
def test_any_values_behind_a_known_tag_are_a_message_or_a_breach(tag: str, fields: list[Any]) -> None:
    for decode in (decode_peer, decode_tracker):
        try:
            encode(decode(packed(tag, *fields)))
        except RemoteProtocolError:
            pass


@pytest.mark.parametrize(
    "body",
    [
        packed("hello", "1", "f", "n", "r", "daemon", ""),
        packed("hello", 1, "f", "n" * 257, "r", "daemon", ""),
        packed("join", 1, SWARM[:31], 8, b""),
        packed("join", 1, SWARM, messages.PIECES_MAX + 1, b""),
        packed("join", -1, SWARM, 8, b""),
        packed("join", 2**32, SWARM, 8, b""),
        packed("join", 1, SWARM, 8, "text"),
        packed("have", 1, 5),
        packed("have", 1, ["5"]),
        packed("have", 1, [-1]),
        packed("lost", 1, [messages.PIECES_MAX]),
        packed("want", 1, [1.0]),
        packed("want", 1, list(range(messages.HAVES_MAX + 1))),
        packed("request", 1, -1),
        packed("request", 1, True),
        packed("reject", 1, 1, "x" * 65),
        packed("manifest?", SWARM, -1),
        packed("manifest?", SWARM, 2**32),
        packed("manifest", SWARM, 0, 5, bytes(messages.MANIFEST_PART_BYTES_MAX + 1)),
        packed("ping", -1),
        packed("ping", 2**63),
        packed("request", 1),
        packed("nonsense"),
        packed(),
        msgpack.packb({"request": 1}),
        packed("request", 1, 2)[:-1],
        packed("request", 1, 2) + b"\0",
        b"\x92\xa4ping\xa1\xff",
        b"\x91" * 5000,
    ],
)
def test_what_is_of_the_wrong_type_or_size_is_a_breach(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="not a message"):
        decode_peer(body)


def test_items_that_a_later_version_appends_are_skipped() -> None:
    assert decode_peer(packed("request", 1, 2, 3, "urgent", {"more": [1]})) == messages.Request(1, 2, 3)


def test_a_message_of_a_million_pieces_is_refused_before_it_costs_memory() -> None:
    body = packed("have", 1, [7] * 1_000_000)
    tracemalloc.start()
    with pytest.raises(RemoteProtocolError):
        decode_peer(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
