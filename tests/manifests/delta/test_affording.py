"""What a device's time is spent on when it has not enough for all."""

import pytest

from manifests.delta.affording import PATCHED_PER_S, affordable, left_s
from manifests.nested.recipes import parse

from .makings import release, text

NEW, OLD = (release(text(seed, 20_000)).manifest for seed in (1, 2))


def test_what_brings_most_bytes_a_second_comes_first() -> None:
    assert affordable([(100, 10.0), (100, 1.0), (100, 2.0)], 3.5) == {1, 2}


def test_what_is_too_dear_does_not_keep_out_what_is_not() -> None:
    assert affordable([(1000, 10.0), (10, 1.0)], 3.0) == {1}


def test_without_a_speed_there_is_time_for_everything() -> None:
    assert affordable([(1, 1e9)], left_s(NEW, OLD, 0, 0.0)) == {0}


def test_what_patching_takes_is_not_left_for_compressing() -> None:
    seconds = NEW.size / PATCHED_PER_S
    assert left_s(NEW, OLD, 0, NEW.size / (seconds + 2)) == pytest.approx(2)
    assert left_s(NEW, OLD, 3 * 300_000_000, NEW.size / (seconds + 2)) == pytest.approx(-1)


@pytest.mark.parametrize("quick, slow", [
    ("deflate 1 8", "deflate 9 8"), ("deflate 9 8", "deflate 9"), ("zstd 10507 3 0 0 1", "zstd 10507 19 0 0 1"),
    ("xz 0 4 1048576", "xz 6 4 1048576"), ("deflate 9 8", "xz 2147483654 4 1048576"),
])  # fmt: skip
def test_what_compresses_harder_takes_longer(quick: str, slow: str) -> None:
    assert parse(quick).seconds(1_000_000) < parse(slow).seconds(1_000_000)
