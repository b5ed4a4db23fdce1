"""Numbers that all changed a little are patched where they stand, though nothing of them is found anywhere."""

from array import array
from random import Random

import pytest

from manifests.delta.aligning import BLOCK_BYTES, GAP_MIN, aligned
from manifests.delta.patches import Cover
from manifests.manifest import Profile

from .makings import make, noise


def weights(seed: int, count: int, moved: float = 0.0) -> bytes:
    """Numbers of 32 bits, moved by about so much."""
    first, second = Random(seed), Random(seed + 1)
    return array("f", (first.gauss(0, 1) + second.gauss(0, moved) for _ in range(count))).tobytes()


PIECES = Profile("pieces", 16 * 2**10, 32 * 2**10, 64 * 2**10)
OLD, NEW = weights(1, 50_000), weights(1, 50_000, 1e-4)


@pytest.mark.parametrize("head", [b"", noise(3, 300_000)])
def test_numbers_that_moved_a_little_are_patched_in_their_place(head: bytes) -> None:
    made = make(head + NEW, head[: len(head) // 2] + head[len(head) // 2 + 4000 :] + OLD, PIECES)
    assert {one.why for one in made.apply()} == {""}
    assert made.size < 0.6 * len(NEW) + 4000


def test_what_stands_in_a_place_by_chance_is_no_base() -> None:
    assert aligned([], noise(1, 100_000), noise(2, 100_000), {0: 0}) == []


def test_blocks_between_covers_are_tried_at_the_distances_of_both() -> None:
    size = 2 * BLOCK_BYTES
    after = Cover(len(NEW) + 100, len(OLD) + 400, 1000)
    same = noise(4, 1000)
    piece = NEW + bytes(100) + same
    base = noise(5, 300) + OLD + bytes(100) + same
    first, *_, last = aligned([after], piece, base, {})
    assert (first.new, first.old, last) == (0, 300, after)
    assert first.length >= size


@pytest.mark.parametrize("size, count", [(GAP_MIN, 1), (GAP_MIN - 4, 0)])
def test_short_gaps_are_left(size: int, count: int) -> None:
    assert len(aligned([], NEW[:size], OLD, {0: 0})) == count


@pytest.mark.parametrize("place", [-4, len(OLD) - 8])
def test_a_place_that_is_not_all_within_the_bases_is_not_tried(place: int) -> None:
    assert aligned([], NEW[:8000], OLD, {0: place}) == []
