"""Ranges and validators, by RFC 9110."""

import pytest

from seeder.conditional import Selection, select

ETAG = '"abc"'


def selected(method: str = "GET", **headers: str) -> Selection:
    return select(method, {name.replace("_", "-"): value for name, value in headers.items()}, ETAG, 100)


@pytest.mark.parametrize(
    "text, start, stop",
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-", 90, 100),
        ("bytes=90-999", 90, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
        ("Bytes=5-6", 5, 7),
    ],
)
def test_a_range_selects_these_bytes(text: str, start: int, stop: int) -> None:
    assert selected(range=text) == Selection(206, start, stop)


@pytest.mark.parametrize("text", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_can_not_be_satisfied(text: str) -> None:
    assert selected(range=text).status == 416


@pytest.mark.parametrize("text", ["bytes=9-8", "bytes=a-b", "bytes=", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "5-6"])
def test_a_range_that_is_none_is_ignored(text: str) -> None:
    assert selected(range=text) == Selection(200, 0, 100)


def test_a_head_request_has_no_range() -> None:
    assert selected("HEAD", range="bytes=0-1").status == 200


@pytest.mark.parametrize("tags", [ETAG, f'"x", {ETAG}', f"W/{ETAG}", "*"])
def test_who_has_it_already_is_told_so(tags: str) -> None:
    assert selected(if_none_match=tags).status == 304


def test_who_has_another_one_gets_it() -> None:
    assert selected(if_none_match='"x", "y"').status == 200


def test_what_one_has_already_goes_before_its_ranges() -> None:
    assert selected(if_none_match=ETAG, range="bytes=0-1").status == 304


@pytest.mark.parametrize(
    "tag, status", [(ETAG, 206), ('"x"', 200), (f"W/{ETAG}", 200), ("Wed, 01 Jan 2025 00:00:00 GMT", 200)]
)
def test_a_part_is_sent_only_of_the_very_object_that_was_begun(tag: str, status: int) -> None:
    assert selected(range="bytes=50-", if_range=tag).status == status
