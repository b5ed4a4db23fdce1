"""Frames: the same however the stream was cut; what can't be one is a breach, and costs no memory."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.wire.errors import LocalProtocolError, RemoteProtocolError
from p2pd.wire.framing import (
    BLOCK_BYTES_MAX,
    CONTROL_BYTES_MAX,
    FRAME_BYTES_MAX,
    Block,
    FrameReader,
    block_head,
    control_frame,
)

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "wire.json").read_text())["block"]
U32 = st.integers(0, 2**32 - 1)
BLOCKS = st.builds(Block, U32, U32, U32, st.binary(min_size=1, max_size=50))
FRAMES = st.lists(st.binary(max_size=50) | BLOCKS, max_size=8)


def to_bytes(frame: bytes | Block) -> bytes:
    if isinstance(frame, Block):
        return block_head(frame.channel, frame.piece, frame.offset, len(frame.data)) + frame.data
    return control_frame(frame)


def read(*parts: bytes) -> list[bytes | Block]:
    reader = FrameReader()
    return [frame for part in parts for frame in reader.feed(part)]


@given(FRAMES)
def test_what_was_framed_is_read(frames: list[bytes | Block]) -> None:
    assert read(b"".join(map(to_bytes, frames))) == frames


@given(FRAMES)
def test_byte_by_byte_gives_the_same(frames: list[bytes | Block]) -> None:
    assert read(*(bytes([byte]) for frame in frames for byte in to_bytes(frame))) == frames


@given(FRAMES, st.data())
def test_any_cut_gives_the_same(frames: list[bytes | Block], data: st.DataObject) -> None:
    stream = b"".join(map(to_bytes, frames))
    at = data.draw(st.integers(0, len(stream)))
    assert read(stream[:at], stream[at:]) == frames


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_a_breach_or_not_whole_yet(stream: bytes) -> None:
    try:
        assert sum(len(to_bytes(frame)) for frame in read(stream)) <= len(stream)
    except RemoteProtocolError:
        pass


@given(BLOCKS, st.data())
def test_a_truncated_frame_waits(frame: Block, data: st.DataObject) -> None:
    whole = to_bytes(frame)
    assert read(whole[: data.draw(st.integers(0, len(whole) - 1))]) == []


@pytest.mark.parametrize(
    "start, words",
    [
        (struct.pack(">I", 0), "frame of 0 bytes"),
        (struct.pack(">I", FRAME_BYTES_MAX + 1), "allowed"),
        (struct.pack(">I", 2**32 - 1), "allowed"),
        (struct.pack(">IB", 1, 2), "unknown kind 2"),
        (struct.pack(">IB", 1, 255), "unknown kind 255"),
        (struct.pack(">IB", 5, 1) + b"1234", "block frame"),
        (struct.pack(">IBIII", 13, 1, 0, 0, 0), "block frame"),
        (struct.pack(">IBIII", 14 + BLOCK_BYTES_MAX, 1, 0, 0, 0) + bytes(BLOCK_BYTES_MAX + 1), "block frame"),
    ],
)
def test_an_impossible_frame_is_a_breach(start: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        read(start)


def test_an_oversized_frame_is_refused_by_its_length_alone() -> None:
    reader = FrameReader(100)
    with pytest.raises(RemoteProtocolError, match="101"):
        list(reader.feed(struct.pack(">I", 101)))


def test_frames_before_a_breach_are_still_read() -> None:
    reader, frames = FrameReader(), []
    with pytest.raises(RemoteProtocolError):
        for frame in reader.feed(control_frame(b"fine") + bytes(4)):
            frames.append(frame)
    assert frames == [b"fine"]


@pytest.mark.parametrize("kind", ["control", "block"])
def test_the_largest_frame_travels(kind: str) -> None:
    frame = bytes(CONTROL_BYTES_MAX) if kind == "control" else Block(1, 2, 3, bytes(BLOCK_BYTES_MAX))
    assert read(to_bytes(frame)) == [frame]


def test_what_was_read_is_not_kept() -> None:
    reader = FrameReader()
    list(reader.feed(control_frame(b"x" * 1000) + b"\0"))
    assert repr(reader) == "<FrameReader 1 bytes waiting>"


def test_we_never_frame_what_is_too_large() -> None:
    with pytest.raises(LocalProtocolError):
        control_frame(bytes(CONTROL_BYTES_MAX + 1))


@pytest.mark.parametrize("length", [0, BLOCK_BYTES_MAX + 1])
def test_we_never_announce_an_impossible_block(length: int) -> None:
    with pytest.raises(LocalProtocolError):
        block_head(1, 2, 3, length)


def test_the_golden_block_stands() -> None:
    block = Block(VECTOR["channel"], VECTOR["piece"], VECTOR["offset"], bytes.fromhex(VECTOR["data"]))
    assert to_bytes(block).hex() == VECTOR["frame"]
