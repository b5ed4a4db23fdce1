"""The picture of a difference is one page that needs nothing else and says what the numbers say."""

import re
from array import array
from hashlib import sha256
from html.parser import HTMLParser

from manifests.diff import compare, travels
from manifests.manifest import Entry, Manifest
from manifests.picture import page
from tests.manifests.factory import make_manifest


def release(pieces: str, *names: str) -> Manifest:
    """Files of equal size over pieces of 1000 bytes."""
    size = 1000 * len(pieces) // len(names)
    return make_manifest(
        digests=b"".join(sha256(letter.encode()).digest() for letter in pieces),
        lengths=array("I", [1000] * len(pieces)),
        entries=tuple(Entry(name, "file", size=size, mtime_ns=pieces.count("a")) for name in names),
    )


OLD, NEW = release("aabb", "a<b", "c&d"), release("aXbY", "a<b", "c&d")
PAGE = page(OLD, NEW, compare(OLD, NEW, 99), travels(OLD, NEW))


class Reader(HTMLParser):
    """Counts tags, and proves that they close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(re.sub(r"<(\w+)([^<>]*)/>", r"<\1\2></\1>", text))
    return reader


def test_all_that_is_opened_is_closed() -> None:
    assert read(PAGE).open == []


def test_it_loads_nothing() -> None:
    assert not re.search(r"(src|href)=|@import|url\(", PAGE)
    assert "script" not in read(PAGE).seen


def test_names_of_files_can_do_no_harm() -> None:
    assert "a&lt;b" in PAGE
    assert "c&amp;d" in PAGE
    assert "a<b" not in PAGE


def test_it_says_what_travels() -> None:
    assert "<b>2.0 KiB</b>, 52.48%" in PAGE


def test_the_strip_has_a_column_where_something_travels() -> None:
    strip = PAGE.split("<svg")[1]
    places = [float(place) for place in re.findall(r'<rect x="([\d.]+)"', strip)]
    assert all(300 <= place <= 600 or 900 <= place <= 1200 for place in places)
    assert len(places) > 100


def test_a_single_file_has_no_map() -> None:
    old, new = release("ab", "one"), release("aX", "one")
    assert "For which files" not in page(old, new, compare(old, new), travels(old, new))


def test_equal_releases_are_a_picture_too() -> None:
    assert read(page(OLD, OLD, compare(OLD, OLD), travels(OLD, OLD))).open == []
