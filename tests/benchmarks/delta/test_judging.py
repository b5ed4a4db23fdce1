"""Which claims the figures break."""

from dataclasses import replace

import pytest

from benchmarks.delta.__main__ import METHODS
from benchmarks.delta.judging import OPENED, Compared, broken_claims
from benchmarks.delta.measuring import Cost
from benchmarks.delta.opponents import Result
from manifests.chunker import PROFILES

MEGABYTE = 1_000_000
CHEAP = Cost(0.1, 30 * 2**20)


def ours(fetch_bytes: int = MEGABYTE, requests: int = 5, apply: Cost = CHEAP, *, equal: bool = True) -> Result:
    return Result("ours host", fetch_bytes, requests, CHEAP, apply, equal, manifest_bytes=1000)


def theirs(method: str, fetch_bytes: int) -> Result:
    return Result(method, fetch_bytes, 1, CHEAP, CHEAP, equal=True)


def broken(*results: Result) -> list[str]:
    return broken_claims([Compared("pair", 10 * MEGABYTE, 60 * MEGABYTE, results)])


def test_good_figures_break_nothing() -> None:
    assert broken(ours(), theirs("xdelta3 -9 lzma", 3 * MEGABYTE), theirs("casync 64K", 9 * MEGABYTE)) == []


def test_more_bytes_than_xdelta3_break_a_claim() -> None:
    assert "pair: 1.25 x xdelta3 -9 lzma, 1.0 claimed" in broken(ours(), theirs("xdelta3 -9 lzma", 800_000))


def test_bytes_that_are_not_the_same_break_a_claim() -> None:
    assert broken(ours(equal=False)) == ["pair: ours host did not bring the same bytes"]


def test_more_is_allowed_where_bsdiff_needs_next_to_nothing() -> None:
    assert broken(ours(fetch_bytes=120_000, requests=4), theirs("bsdiff", 100_000)) == []


def test_too_many_requests_too_much_memory_and_too_slow_are_each_said() -> None:
    said = broken(ours(requests=50, apply=Cost(1.0, 100 * 2**20)))
    assert [words.split(" ours host ")[1].split()[0] for words in said] == ["makes", "holds", "applies"]


@pytest.mark.parametrize("cpu_s, kept", [(0.01, True), (0.05, False)])
def test_what_applying_costs_whatever_the_size_is_not_held_against_a_small_file(cpu_s: float, kept: bool) -> None:
    said = broken_claims([Compared("pair", 200_000, 200_000, (ours(1000, 2, Cost(cpu_s, 2**20)),))])
    assert (said == []) is kept


@pytest.mark.parametrize(
    "pair, share, kept",
    [
        ("os:server@weekly/erofs", 0.029, True), ("os:server@weekly/erofs", 0.031, False),
        ("os:small@months/tar", 0.06, False), ("os:desktop@months/tar", 0.06, True),
        ("os:small@weekly/squashfs", 0.17, True), ("wheel:numpy", 0.5, True),
    ],
)  # fmt: skip
def test_of_an_image_so_much_may_travel(pair: str, share: float, kept: bool) -> None:
    result = ours(int(share * 60 * MEGABYTE), requests=5)
    said = broken_claims([Compared(pair, MEGABYTE, 60 * MEGABYTE, (result,))])
    assert any("of the image" in words for words in said) is not kept


def test_where_every_stream_is_opened_a_hundredth_of_an_image_may_travel() -> None:
    opened = replace(ours(700_000), method=OPENED)
    (said,) = broken_claims([Compared("os:small@weekly/tar", MEGABYTE, 60 * MEGABYTE, (opened,))])
    assert said == "os:small@weekly/tar: all streams opened: 1.17% of the image, 1% claimed"


def test_ours_that_was_not_run_is_no_success() -> None:
    assert broken(Result("ours-host", skipped="no room")) == ["pair: ours-host was not run: no room"]


def test_every_profile_is_compared() -> None:
    assert {f"ours-{name}" for name in PROFILES} <= set(METHODS)
