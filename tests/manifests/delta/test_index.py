"""A pack's index: one form for one content, and nothing else gets in."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.delta import index_codec
from manifests.delta.limits import BASES_MAX, INDEX_BYTES_MAX
from manifests.delta.pack import RAW, XZ, ZSTD, ZSTD_BASES, Frame, Item, PackIndex
from manifests.errors import MalformedPackError

BASE = bytes(range(32))
INDEX = PackIndex(
    BASE,
    (
        (Frame(XZ, 900, (Item(3, (7, 5), 1200), Item(4, (8,), 20))), Frame(ZSTD, 5000, (Item(9),))),
        (Frame(ZSTD_BASES, 70, (Item(10, (1, 2)),)), Frame(RAW, 300, (Item(12),))),
    ),
)


def altered(**changes: Any) -> bytes:
    """An encoded index with some columns replaced."""
    document: dict[str, Any] = msgpack.unpackb(index_codec.encode(INDEX))
    data: bytes = msgpack.packb(document | changes)
    return data


@st.composite
def indices(draw: st.DrawFn) -> PackIndex:
    """Any index whose pieces are all different."""
    left = draw(st.lists(st.integers(0, 2**20), unique=True, max_size=12))
    bases = st.lists(st.integers(0, 2**20), min_size=1, max_size=4).map(tuple)
    bundles = []
    while left:
        frames: list[Frame] = []
        while left and (not frames or draw(st.booleans())):
            codec = draw(st.sampled_from((RAW, ZSTD, XZ, ZSTD_BASES)))
            count = 1 if codec == ZSTD_BASES else draw(st.integers(1, len(left)))
            mine, left = sorted(left[:count]), left[count:]
            if codec == ZSTD_BASES:
                items = tuple(Item(piece, draw(bases)) for piece in mine)
            else:
                patched = Item(mine[0], draw(bases), draw(st.integers(1, 2**21)))
                items = (patched, *map(Item, mine[1:]))
            frames.append(Frame(codec, draw(st.integers(1, 2**24)), items))
        bundles.append(tuple(frames))
    return PackIndex(BASE, tuple(bundles))


@given(indices())
def test_what_is_encoded_decodes_to_the_same(index: PackIndex) -> None:
    assert index_codec.decode(index_codec.encode(index)) == index


@given(st.binary(max_size=200))
def test_any_bytes_are_an_index_or_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPackError):
        index_codec.decode(data)


@given(st.data())
def test_a_changed_byte_is_another_index_or_malformed(data: st.DataObject) -> None:
    encoded = bytearray(index_codec.encode(INDEX))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        found = index_codec.decode(bytes(encoded))
    except MalformedPackError:
        return
    assert index_codec.encode(found) == encoded


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(index_codec.KEYS),
)
def test_any_value_under_any_key_is_malformed_or_what_was_there(value: Any, key: str) -> None:
    data = altered(**{key: value})
    try:
        found = index_codec.decode(data)
    except MalformedPackError:
        return
    assert index_codec.encode(found) == data


@given(st.lists(st.integers(-(2**63), 2**64 - 1)), st.sampled_from(index_codec.KEYS[2:]))
def test_any_numbers_in_a_column_are_malformed_or_what_was_there(numbers: list[int], key: str) -> None:
    data = altered(**{key: numbers})
    try:
        found = index_codec.decode(data)
    except MalformedPackError:
        return
    assert index_codec.encode(found) == data


def test_every_truncation_is_malformed() -> None:
    encoded = index_codec.encode(INDEX)
    for length in range(len(encoded)):
        with pytest.raises(MalformedPackError):
            index_codec.decode(encoded[:length])


def test_too_many_bytes_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(MalformedPackError, match="too many for a pack's index"):
        index_codec.decode(bytes(INDEX_BYTES_MAX + 1))


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"format": 2}, "pack format 2 is unknown"),
        ({"format": True}, "pack format True is unknown"),
        ({"base": b"short"}, "no digest"),
        ({"base": b""}, "without a base has items with bases"),
        ({"bundles": [2, 3]}, "fit together"),
        ({"bundles": [2, 1]}, "fit together"),
        ({"bundles": [2, 2, 0]}, "a bundle is empty"),
        ({"codecs": b"\1\1\3\4"}, "unknown codec 4"),
        ({"lengths": [900, 5000, 70, 0]}, "a frame is empty"),
        ({"counts": [2, 1, 1, 2]}, "fit together"),
        ({"pieces": [3, 1, 5, 1, -1]}, "a piece is there twice"),
        ({"pieces": [3, -1, 5, 1, 2]}, "not in order"),
        ({"pieces": [-3, 1, 5, 1, 2]}, "negative"),
        ({"bases": [-7, -2, 3, -7, 1]}, "negative"),
        ({"patches": [1200]}, "fit together"),
        ({"patches": [1200, 20, 1]}, "fit together"),
        ({"patches": [1200, 0]}, "bases and no patch"),
        ({"codecs": b"\3\1\3\0"}, "has one item"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedPackError, match=reason):
        index_codec.decode(altered(**changes))


def test_more_bases_than_allowed_are_malformed() -> None:
    with pytest.raises(MalformedPackError, match="at most 64"):
        Frame(ZSTD, 1, (Item(0, tuple(range(BASES_MAX + 1)), 1),))


def test_a_dictionary_serves_one_item() -> None:
    with pytest.raises(MalformedPackError, match="has one item"):
        Frame(ZSTD_BASES, 1, (Item(0, (1,)), Item(1, (1,))))


def test_an_item_costs_about_six_bytes() -> None:
    items = tuple(Item(piece, (piece + 3,), 900 + piece % 7) for piece in range(1000))
    assert len(index_codec.encode(PackIndex(BASE, ((Frame(XZ, 2**19, items),),)))) < 7 * 1000
