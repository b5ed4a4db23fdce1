"""What a device's time is spent on when it has not enough for all."""

import pytest

from manifests.chunker import PROFILES
from manifests.delta.affording import PATCHED_PER_S, XZ_FREE_BYTES, Time, left_s, seconds, xz_bytes_max
from manifests.nested.recipes import parse

from .makings import noise, release, text

NEW, OLD = (release(text(seed, 20_000)).manifest for seed in (1, 2))


def test_time_is_spent_once() -> None:
    time = Time(3.0)
    assert [time.spend(2.0, divisible=False), time.spend(2.0, divisible=False)] == [1.0, 0.0]


def test_what_is_too_dear_does_not_keep_out_what_is_not() -> None:
    time = Time(3.0)
    assert [time.spend(10.0, divisible=False), time.spend(1.0, divisible=False)] == [0.0, 1.0]


def test_the_rest_of_the_time_goes_into_a_part_of_what_can_be_cut() -> None:
    time = Time(3.0)
    assert [time.spend(1.0, divisible=True), time.spend(4.0, divisible=True)] == [1.0, 0.5]
    assert time.spend(1.0, divisible=True) == 0.0


def test_what_patching_takes_is_not_left_for_compressing() -> None:
    patching_s = NEW.size / PATCHED_PER_S
    assert left_s(NEW, OLD, NEW.size / (patching_s + 2)) == pytest.approx(2)
    assert left_s(NEW, OLD, NEW.size / (patching_s / 2)) == pytest.approx(-patching_s / 2)


def test_the_more_is_patched_the_less_is_xzs() -> None:
    whole, same = (release(noise(seed, 40_000_000), PROFILES["device"]).manifest for seed in (1, 2))
    assert XZ_FREE_BYTES < xz_bytes_max(whole, same) < 0.4 * xz_bytes_max(whole, whole)
    assert xz_bytes_max(NEW, OLD) == XZ_FREE_BYTES


def test_opening_a_stream_takes_more_than_compressing_it() -> None:
    recipe = parse("deflate 6 8")
    assert seconds(recipe, 4_000_000) > recipe.seconds(4_000_000) + 4_000_000 / PATCHED_PER_S


@pytest.mark.parametrize("way, divisible", {
    "deflate 6": True, "xz 6 4 1048576": True, "zstd 10507 3 0 0 0": True,
    "zstd 10507 3 0 0 1": False,  # its head says how long it is
}.items())  # fmt: skip
def test_a_stream_that_says_at_its_start_how_long_it_is_has_no_part(way: str, *, divisible: bool) -> None:
    assert parse(way).is_divisible is divisible


@pytest.mark.parametrize("quick, slow", [
    ("deflate 1 8", "deflate 9 8"), ("deflate 9 8", "deflate 9"), ("zstd 10507 3 0 0 1", "zstd 10507 19 0 0 1"),
    ("xz 0 4 1048576", "xz 6 4 1048576"), ("deflate 9 8", "xz 2147483654 4 1048576"),
])  # fmt: skip
def test_what_compresses_harder_takes_longer(quick: str, slow: str) -> None:
    assert parse(quick).seconds(1_000_000) < parse(slow).seconds(1_000_000)
