"""Metadata that travels packed: what was packed comes out, and never more than was asked for."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.gzipped import pack, unpack


@given(st.binary(max_size=5_000))
def test_what_is_packed_comes_out(data: bytes) -> None:
    assert unpack(pack(data), len(data)) == data


@given(st.binary(max_size=200), st.integers(0, 100))
def test_any_bytes_unpack_within_the_bound_or_not_at_all(data: bytes, bytes_max: int) -> None:
    unpacked = unpack(data, bytes_max)
    assert unpacked is None or len(unpacked) <= bytes_max


PACKED = pack(b"x" * 100)


@pytest.mark.parametrize("damaged", [PACKED[:-1], PACKED + b"!", PACKED[:5], b""])
def test_what_is_not_one_whole_gzip_is_none(damaged: bytes) -> None:
    assert unpack(damaged, 1_000) is None


def test_one_byte_more_than_asked_for_is_none() -> None:
    assert unpack(pack(b"x" * 101), 100) is None


def test_a_bomb_costs_no_more_than_the_bound() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(64)) + compressor.flush()
    tracemalloc.start()
    try:
        assert unpack(bomb, 16_384) is None
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 200_000
