"""Parts of what lies in several files."""

from hypothesis import given
from hypothesis import strategies as st

from p2pd.store.spans import Span, part_of


@given(st.lists(st.integers(1, 9), max_size=5), st.integers(0, 50), st.integers(0, 50))
def test_a_part_lies_where_the_whole_does(lengths: list[int], offset: int, length: int) -> None:
    whole = [Span(f"file {number}", 100, count) for number, count in enumerate(lengths)]
    places = [(span.path, span.offset + at) for span in whole for at in range(span.length)]
    part = part_of(whole, offset, length)
    assert [(span.path, span.offset + at) for span in part for at in range(span.length)] == places[offset:][:length]
