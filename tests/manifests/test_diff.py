"""What would travel, from two manifests alone."""

from array import array
from hashlib import sha256

import pytest

from manifests.delta.pack import XZ, ZSTD, Frame, Item, PackIndex
from manifests.diff import FileChange, Route, compare
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
    assert compare(OLD, new).files == (
        FileChange("one", "changed", 150, 50, 100, 0, 50),
        FileChange("two", "beside", 150, 50, 100, 0, 50),
    )


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
    assert compare(OLD, new).files == (
        FileChange("eins", "added", 150, 0, 150, 0, 0),
        FileChange("one", "removed", 150, 0, 0, 0, 0),
    )


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
    assert compare(old, new).files == (FileChange("link", "changed", 0, 0, 0, 0, 0),)


def test_releases_that_name_chunks_differently_can_not_be_compared() -> None:
    with pytest.raises(ManifestError, match="by sha256, the new one by blake3"):
        compare(OLD, make_manifest(algorithm="blake3"))


PATCHES = Frame(XZ, 30, (Item(1, (1,), 10), Item(2, (0, 2), 50)))
INDEX = PackIndex(bytes(32), ((PATCHES,), (Frame(ZSTD, 40, (Item(3),)),)))
NEW = release("aXYZW", Entry("one", "file", size=250), Entry("two", "file", size=250))


def test_with_a_pack_everything_that_travels_counts() -> None:
    difference = compare(OLD, NEW, 17, Route(INDEX, 5, 4))
    assert difference.fetch_bytes == 17 + 5 + 30 + 40 + 100
    assert (difference.reused, difference.patched, difference.full) == (100, 200, 200)
    assert (difference.manifest_bytes, difference.packed) == (22, True)


def test_with_a_pack_requests_are_manifests_index_bundles_and_what_it_lacks() -> None:
    assert compare(OLD, NEW, 17, Route(INDEX, 5, 4)).requests == 2 + 1 + 2 + 1


def test_what_is_compressed_together_is_shared_by_what_it_holds() -> None:
    one, two = compare(OLD, NEW, 17, Route(INDEX, 5, 4)).files
    assert one.fetch_bytes in (17, 18)
    assert one.fetch_bytes + two.fetch_bytes == 30 + 40 + 100
    assert one.patched == two.patched + 100 == 150


def test_an_image_is_the_same_file_by_any_name() -> None:
    old, new = (
        make_manifest(
            digests=bytes(32), lengths=array("I", [9]), entries=(Entry(name, size=9, kind="file"),), tree=False
        )
        for name in ("old.img", "new.img")
    )
    assert compare(old, new).files == ()
