"""Frames read in place: the same as read by copies, however the stream was cut, and with little memory."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.framing import (
    BLOCK_BYTES_MAX,
    BLOCK_HEAD_BYTES,
    CONTROL_BYTES_MAX,
    Block,
    FrameReader,
    block_head,
    control_frame,
)
from p2pd.wire.inplace import GROWTH, IDLE_BYTES, PLAIN_RECEIVES_MAX, InPlaceReader

U32 = st.integers(0, 2**32 - 1)
BLOCKS = st.builds(Block, U32, U32, U32, st.binary(min_size=1, max_size=50))
FRAMES = st.lists(st.binary(max_size=50) | BLOCKS, max_size=8)


def to_bytes(frame: bytes | Block) -> bytes:
    if isinstance(frame, Block):
        return block_head(frame.channel, frame.piece, frame.offset, len(frame.data)) + frame.data
    return control_frame(frame)


def read(reader: InPlaceReader, stream: bytes, at_once: int = 1 << 30) -> list[bytes | Block]:
    """What is read of a stream that arrives so many bytes at a time; blocks are copied as a careful user would."""
    frames: list[bytes | Block] = []
    while stream:
        space = reader.space()
        count = min(len(space), len(stream), at_once)
        space[:count], stream = stream[:count], stream[count:]
        for frame in reader.received(count):
            frames.append(
                frame
                if isinstance(frame, bytes)
                else Block(frame.channel, frame.piece, frame.offset, bytes(frame.data))
            )
    return frames


@given(FRAMES, st.integers(1, 70))
def test_any_cut_gives_what_was_framed(frames: list[bytes | Block], at_once: int) -> None:
    assert read(InPlaceReader(), b"".join(map(to_bytes, frames)), at_once) == frames


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_mean_the_same_as_to_the_other_reader(stream: bytes, at_once: int) -> None:
    def outcome(frames: object) -> object:
        try:
            return list(frames())  # type: ignore[operator]
        except RemoteProtocolError as error:
            return str(error)

    assert outcome(lambda: read(InPlaceReader(), stream, at_once)) == outcome(lambda: FrameReader().feed(stream))


def bulk(count: int) -> tuple[bytes, list[bytes | Block]]:
    """So many full blocks in a row, as a seed sends them."""
    frames: list[bytes | Block] = [Block(1, number, 0, bytes([number]) * BLOCK_BYTES_MAX) for number in range(count)]
    return b"".join(map(to_bytes, frames)), frames


def test_blocks_in_a_row_end_where_a_receive_ends() -> None:
    reader = InPlaceReader()
    stream, frames = bulk(12)
    spaces = []
    seen: list[bytes | Block] = []
    while stream:
        space = reader.space()
        spaces.append(len(space))
        count = min(len(space), len(stream))
        space[:count], stream = stream[:count], stream[count:]
        seen += [Block(one.channel, one.piece, one.offset, bytes(one.data)) for one in reader.received(count)
                 if isinstance(one, Block)]  # fmt: skip
    assert seen == frames
    assert spaces[-8:] == [BLOCK_BYTES_MAX + 17] * 8


@pytest.mark.parametrize("frame", [bytes(CONTROL_BYTES_MAX), Block(1, 2, 3, bytes(BLOCK_BYTES_MAX))])
def test_the_largest_frame_travels(frame: bytes | Block) -> None:
    assert read(InPlaceReader(), to_bytes(frame)) == [frame]
    assert read(InPlaceReader(), to_bytes(frame), 5000) == [frame]


def capacity(reader: InPlaceReader) -> int:
    return len(reader._buffer)


def test_announcing_a_large_frame_costs_no_memory() -> None:
    reader = InPlaceReader()
    read(reader, struct.pack(">I", CONTROL_BYTES_MAX) + b"\0")
    reader.space()
    assert capacity(reader) <= 3 * IDLE_BYTES
    read(reader, bytes(100_000), 1000)
    assert capacity(reader) <= (GROWTH + 1) * 100_000 + 2 * IDLE_BYTES


def test_after_a_while_without_blocks_the_large_buffer_goes() -> None:
    reader = InPlaceReader()
    stream, _ = bulk(2)
    read(reader, stream)
    assert capacity(reader) > BLOCK_BYTES_MAX
    for _ in range(PLAIN_RECEIVES_MAX + 2):
        read(reader, control_frame(b"still here"))
    assert capacity(reader) == IDLE_BYTES


def test_an_oversized_frame_is_refused_by_its_length_alone() -> None:
    with pytest.raises(RemoteProtocolError, match="101"):
        read(InPlaceReader(100), struct.pack(">I", 101))


def wait_as_told(reader: InPlaceReader, frames: list[bytes | Block], at_once: int) -> None:
    """Waiting for `lacking` bytes before each receive never waits for a byte beyond the end of the stream."""
    rest = b"".join(map(to_bytes, frames))
    while rest:
        space = reader.space()
        assert 1 <= reader.lacking <= len(rest)
        count = min(len(space), len(rest), max(at_once, reader.lacking))
        space[:count], rest = rest[:count], rest[count:]
        list(reader.received(count))


@given(FRAMES, st.integers(1, 60))
def test_what_a_frame_lacks_is_told_to_the_byte(frames: list[bytes | Block], at_once: int) -> None:
    wait_as_told(InPlaceReader(), frames, at_once)


class Shelf:
    """Gives every block, or none, room of its own, with or without room behind it."""

    def __init__(self, behind: int, refuses: bool = False) -> None:
        self.rooms: list[memoryview] = []
        self._behind, self._refuses = behind, refuses

    def __call__(self, channel: int, piece: int, offset: int, length: int) -> memoryview | None:
        if self._refuses:
            return None
        self.rooms.append(memoryview(bytearray(length + self._behind)))
        return self.rooms[-1]


SHELVES = st.builds(Shelf, st.sampled_from([0, 1, BLOCK_HEAD_BYTES, 2 * BLOCK_HEAD_BYTES]), st.booleans())


@given(FRAMES, st.integers(1, 70), SHELVES)
def test_any_cut_gives_what_was_framed_wherever_blocks_belong(
    frames: list[bytes | Block], at_once: int, shelf: Shelf
) -> None:
    assert read(InPlaceReader(place=shelf), b"".join(map(to_bytes, frames)), at_once) == frames


@given(st.binary(max_size=200), st.integers(1, 50), SHELVES)
def test_any_bytes_mean_the_same_wherever_blocks_belong(stream: bytes, at_once: int, shelf: Shelf) -> None:
    def outcome(reader: InPlaceReader) -> object:
        try:
            return read(reader, stream, at_once)
        except RemoteProtocolError as error:
            return str(error)

    assert outcome(InPlaceReader(place=shelf)) == outcome(InPlaceReader())


def test_a_block_is_received_where_it_belongs_and_the_next_head_with_it() -> None:
    shelf = Shelf(BLOCK_HEAD_BYTES)
    reader = InPlaceReader(place=shelf)
    stream, frames = bulk(3)
    head, rest = stream[:BLOCK_HEAD_BYTES], stream[BLOCK_HEAD_BYTES:]
    reader.space()[: len(head)] = head
    assert list(reader.received(len(head))) == []
    for frame in frames:
        assert isinstance(frame, Block)
        space, room = reader.space(), shelf.rooms[-1]
        assert space.obj is room.obj
        assert reader.lacking == BLOCK_BYTES_MAX
        assert len(space) == BLOCK_BYTES_MAX + BLOCK_HEAD_BYTES
        count = min(len(space), len(rest))
        space[:count], rest = rest[:count], rest[count:]
        [block] = reader.received(count)
        assert isinstance(block, Block)
        assert isinstance(block.data, memoryview)
        assert block.data.obj is room.obj
        assert block.data == frame.data
    assert capacity(reader) == IDLE_BYTES


@given(FRAMES, st.integers(1, 60), SHELVES)
def test_what_a_frame_lacks_is_told_to_the_byte_wherever_blocks_belong(
    frames: list[bytes | Block], at_once: int, shelf: Shelf
) -> None:
    wait_as_told(InPlaceReader(place=shelf), frames, at_once)
