"""What a device's time is spent on when it has not enough for all."""

import pytest

from manifests.delta.affording import PATCHED_PER_S, Cost, affordable, cost, left_s
from manifests.delta.opened import Stream
from manifests.nested.recipes import parse

from .makings import release, text

NEW, OLD = (release(text(seed, 20_000)).manifest for seed in (1, 2))


def test_what_brings_most_bytes_a_second_comes_first() -> None:
    assert affordable([Cost(100, 10.0), Cost(100, 1.0), Cost(100, 2.0)], 3.5) == {1: 1.0, 2: 1.0}


def test_what_is_too_dear_does_not_keep_out_what_is_not() -> None:
    assert affordable([Cost(1000, 10.0), Cost(10, 1.0)], 3.0) == {1: 1.0}


def test_the_rest_of_the_time_goes_into_a_part_of_what_can_be_cut() -> None:
    assert affordable([Cost(100, 1.0), Cost(300, 4.0, divisible=True)], 3.0) == {0: 1.0, 1: 0.5}


def test_nothing_more_is_chosen_once_the_time_is_spent() -> None:
    assert affordable([Cost(300, 4.0, divisible=True), Cost(30, 0.5, divisible=True)], 1.0) == {0: 0.25}


def test_what_saves_nothing_is_not_chosen() -> None:
    assert affordable([Cost(0, 1.0)], 10.0) == {}


def test_without_a_speed_there_is_time_for_everything() -> None:
    assert affordable([Cost(1, 1e9)], left_s(NEW, OLD, 0.0)) == {0: 1.0}


def test_what_patching_takes_is_not_left_for_compressing() -> None:
    seconds = NEW.size / PATCHED_PER_S
    assert left_s(NEW, OLD, NEW.size / (seconds + 2)) == pytest.approx(2)
    assert left_s(NEW, OLD, NEW.size / (seconds / 2)) == pytest.approx(-seconds / 2)


def test_a_stream_saves_what_of_it_is_in_the_old_one() -> None:
    stream = Stream(0, 1000, 4000, "deflate 6 8")
    assert cost(stream, 0.25).saved_bytes == 250
    assert cost(stream, 0.25).seconds == cost(stream, 1.0).seconds > parse(stream.way).seconds(4000)


@pytest.mark.parametrize("way, divisible", {
    "deflate 6": True, "xz 6 4 1048576": True, "zstd 10507 3 0 0 0": True,
    "zstd 10507 3 0 0 1": False,  # its head says how long it is
}.items())  # fmt: skip
def test_a_stream_that_says_at_its_start_how_long_it_is_has_no_part(way: str, *, divisible: bool) -> None:
    assert cost(Stream(0, 1000, 4000, way), 1.0).divisible is divisible


@pytest.mark.parametrize("quick, slow", [
    ("deflate 1 8", "deflate 9 8"), ("deflate 9 8", "deflate 9"), ("zstd 10507 3 0 0 1", "zstd 10507 19 0 0 1"),
    ("xz 0 4 1048576", "xz 6 4 1048576"), ("deflate 9 8", "xz 2147483654 4 1048576"),
])  # fmt: skip
def test_what_compresses_harder_takes_longer(quick: str, slow: str) -> None:
    assert parse(quick).seconds(1_000_000) < parse(slow).seconds(1_000_000)
