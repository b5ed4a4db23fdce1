"""What would travel, from two manifests alone."""

from array import array
from hashlib import sha256

import pytest

from manifests.diff import FileChange, compare
from manifests.errors import ManifestError
from manifests.manifest import Entry, Manifest
from tests.manifests.factory import make_manifest


def release(pieces: str, *entries: Entry, size: int = 100) -> Manifest:
    """Each letter is a piece of `size` bytes, its content named by the letter."""
    return make_manifest(
        digests=b"".join(sha256(letter.encode()).digest() for letter in pieces),
        lengths=array("I", [size] * len(pieces)),
        entries=entries,
    )


OLD = release("abc", Entry("one", "file", size=150), Entry("two", "file", size=150))


def test_nothing_travels_between_equal_releases() -> None:
    difference = compare(OLD, OLD)
    assert (difference.fetch_bytes, difference.requests, difference.reused, difference.files) == (0, 0, 300, ())


def test_a_changed_piece_travels_and_counts_for_every_file_it_touches() -> None:
    new = release("aXc", Entry("one", "file", size=150, mtime_ns=1), Entry("two", "file", size=150))
    assert compare(OLD, new).files == (FileChange("one", "changed", 150, 50), FileChange("two", "beside", 150, 50))


def test_what_travels_and_what_is_reused_add_up_to_the_new_size() -> None:
    difference = compare(OLD, release("aXYZ", Entry("one", "file", size=400)))
    assert (difference.old_bytes, difference.new_bytes, difference.fetch_bytes, difference.requests) == (
        300,
        400,
        300,
        3,
    )
    assert difference.fetch_bytes + difference.reused == difference.new_bytes


def test_a_piece_that_is_there_twice_travels_once() -> None:
    difference = compare(OLD, release("XX", Entry("one", "file", size=200)))
    assert (difference.fetch_bytes, difference.requests, difference.reused) == (100, 1, 100)


def test_a_renamed_file_does_not_travel() -> None:
    new = release("abc", Entry("eins", "file", size=150), Entry("two", "file", size=150))
    assert compare(OLD, new).files == (FileChange("eins", "added", 150, 0), FileChange("one", "removed", 150, 0))


@pytest.mark.parametrize(
    "entry, change",
    [
        (Entry("one", "file", 0o755, size=150), "attributes"),
        (Entry("one", "file", mtime_ns=9, size=150), "attributes"),
    ],
)
def test_a_change_of_attributes_is_named_so(entry: Entry, change: str) -> None:
    difference = compare(OLD, release("abc", entry, Entry("two", "file", size=150)))
    assert [file.change for file in difference.files] == [change]


def test_a_link_that_points_elsewhere_is_changed() -> None:
    old, new = (release("", Entry("link", "symlink", target=target)) for target in ("a", "b"))
    assert compare(old, new).files == (FileChange("link", "changed", 0, 0),)


def test_releases_that_name_chunks_differently_can_not_be_compared() -> None:
    with pytest.raises(ManifestError, match="by sha256, the new one by blake3"):
        compare(OLD, make_manifest(algorithm="blake3"))
