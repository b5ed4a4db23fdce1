"""Numbers as rows of bytes, read back many at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MalformedManifestError
from manifests.numbers import Row, number

NUMBERS = st.lists(st.one_of(st.integers(0, 0x7F), st.integers(0, 2**14), st.integers(0, 2**62)), max_size=200)


@given(values=NUMBERS, behind=st.binary(max_size=3))
def test_a_row_gives_what_was_written_and_stops_behind_it(values: list[int], behind: bytes) -> None:
    data = b"".join(map(number, values))
    row = Row(data + behind)
    assert row.numbers(len(values)) == values
    assert row.at == len(data)


@given(values=NUMBERS.filter(bool), cut=st.integers(1, 9))
def test_a_row_that_is_cut_short_is_malformed(values: list[int], cut: int) -> None:
    data = b"".join(map(number, values))
    with pytest.raises(MalformedManifestError):
        Row(data[:-cut]).numbers(len(values))
