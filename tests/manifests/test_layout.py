"""A piece's extents are its bytes, wherever files begin and end."""

from array import array
from random import Random

import pytest

from manifests.entries import DIRECTORY, FILE, Entry
from manifests.layout import Extent, Layout


def files(*sizes: int) -> list[Entry]:
    return [Entry(f"file-{number}", FILE, size=size) for number, size in enumerate(sizes)]


def layout(lengths: list[int], entries: list[Entry]) -> Layout:
    return Layout(array("I", lengths), entries)


def places(extents: list[Extent]) -> list[tuple[int, int, int]]:
    """Entry, offset, length."""
    return [(one.entry, one.offset, one.length) for one in extents]


def test_a_piece_within_a_file_is_one_extent() -> None:
    assert places(layout([4, 6], files(10)).extents(1)) == [(0, 4, 6)]


def test_a_piece_that_ends_with_its_file_does_not_touch_the_next() -> None:
    assert places(layout([4, 6, 5], files(10, 5)).extents(1)) == [(0, 4, 6)]


def test_a_piece_over_three_files_is_three_extents() -> None:
    assert places(layout([8, 4], files(9, 2, 1)).extents(1)) == [(0, 8, 1), (1, 0, 2), (2, 0, 1)]


def test_what_has_no_bytes_is_passed_over() -> None:
    entries = [Entry("folder", DIRECTORY), *files(0, 3, 0), Entry("file-9", FILE, size=2), Entry("empty", FILE)]
    assert places(layout([5], entries).extents(0)) == [(2, 0, 3), (4, 0, 2)]


@pytest.mark.parametrize("rng_seed", range(20))
def test_the_extents_of_all_pieces_are_all_bytes_in_order(rng_seed: int) -> None:
    rng = Random(rng_seed)
    sizes = [rng.choice((0, 1, 2, rng.randrange(1, 50))) for _ in range(rng.randrange(1, 30))]
    left, lengths = sum(sizes), list[int]()
    while left:
        lengths.append(rng.randint(1, min(left, 20)))
        left -= lengths[-1]
    found = layout(lengths, files(*sizes))
    extents = [found.extents(piece) for piece in range(len(lengths))]
    assert [sum(one.length for one in piece) for piece in extents] == lengths
    found_bytes = [(one.entry, one.offset + at) for piece in extents for one in piece for at in range(one.length)]
    assert found_bytes == [(entry, offset) for entry, size in enumerate(sizes) for offset in range(size)]
