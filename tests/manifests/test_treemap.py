"""Areas tell amounts."""

from hypothesis import given
from hypothesis import strategies as st

from manifests.treemap import squarify

AMOUNTS = st.lists(st.integers(0, 2**40), min_size=1, max_size=30).filter(any)


@given(AMOUNTS)
def test_every_amount_has_its_share_of_the_area(amounts: list[int]) -> None:
    for box in squarify(amounts, 300, 200):
        assert abs(box.width * box.height - amounts[box.index] / sum(amounts) * 300 * 200) < 1


@given(AMOUNTS)
def test_no_box_lies_outside(amounts: list[int]) -> None:
    for box in squarify(amounts, 300, 200):
        assert min(box.x, box.y) >= 0
        assert box.x + box.width < 300.001
        assert box.y + box.height < 200.001


def test_equal_amounts_are_squares() -> None:
    assert {(round(box.width), round(box.height)) for box in squarify([1.0] * 6, 300, 200)} == {(100, 100)}


def test_the_largest_comes_first_and_nothing_has_no_box() -> None:
    assert [box.index for box in squarify([1, 0, 3], 300, 200)] == [2, 0]
