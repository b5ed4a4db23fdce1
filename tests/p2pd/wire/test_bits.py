"""Sets of pieces and their form on the wire."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from p2pd.wire import bits
from p2pd.wire.errors import RemoteProtocolError

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "wire.json").read_text())["bitfield"]
SETS = st.sets(st.integers(0, 300))


@given(SETS, st.integers(0, 50))
def test_a_set_survives_the_wire(pieces: set[int], more: int) -> None:
    count = max(pieces, default=0) + 1 + more
    assert bits.from_bitfield(bits.to_bitfield(bits.of(pieces), count), count) == bits.of(pieces)


@given(SETS)
def test_iterating_gives_the_pieces_in_order(pieces: set[int]) -> None:
    assert list(bits.iterate(bits.of(pieces))) == sorted(pieces)


@given(st.lists(st.integers(0, 300)))
def test_naming_a_piece_twice_changes_nothing(pieces: list[int]) -> None:
    assert bits.of(pieces) == bits.of(set(pieces)) == sum(1 << piece for piece in set(pieces))


@given(SETS, st.integers(0, 400))
def test_the_first_piece_from_a_place_wraps_round(pieces: set[int], start: int) -> None:
    assume(pieces)
    later = [piece for piece in pieces if piece >= start]
    assert bits.first_from(bits.of(pieces), start) == min(later or pieces)


@given(st.integers(0, 300))
def test_the_full_set_holds_every_piece(pieces: int) -> None:
    assert list(bits.iterate(bits.full(pieces))) == list(range(pieces))


def test_piece_0_is_the_top_bit_of_the_first_byte() -> None:
    assert bits.to_bitfield(bits.of(VECTOR["held"]), VECTOR["pieces"]).hex() == VECTOR["bytes"] == "8040"


def test_the_empty_set_takes_no_bytes() -> None:
    assert bits.to_bitfield(0, 1000) == b""


@given(st.binary(min_size=1, max_size=8), st.integers(0, 70))
def test_any_bytes_are_a_set_within_range_or_a_breach(field: bytes, pieces: int) -> None:
    try:
        assert bits.from_bitfield(field, pieces) < 1 << pieces
    except RemoteProtocolError:
        assert len(field) != (pieces + 7) // 8 or int.from_bytes(field, "big") % (1 << (-pieces % 8))


@pytest.mark.parametrize("field", [b"\0", b"\0\0\0"])
def test_a_field_of_the_wrong_length_is_a_breach(field: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="for 10 pieces"):
        bits.from_bitfield(field, 10)


def test_a_spare_bit_is_a_breach() -> None:
    with pytest.raises(RemoteProtocolError, match="beyond its last piece"):
        bits.from_bitfield(b"\0\x20", 10)
