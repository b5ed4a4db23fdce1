"""A directory and a bucket behave alike: one suite for both."""

from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.blobs import BlobStore, chunk_path, manifest_path
from manifests.errors import BlobExistsError, NoSuchBlobError, StoreError

DIGEST = bytes(range(32))


@pytest.fixture(params=["directory", "file URL", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    urls = {"directory": str(tmp_path / "a b"), "file URL": (tmp_path / "a b").as_uri(), "memory": "memory:///"}
    return BlobStore(urls[request.param], create=True)


def test_what_was_put_is_got(blobs: BlobStore) -> None:
    blobs.put("chunks/ab/abcd", b"data")
    assert blobs.get("chunks/ab/abcd") == b"data"


def test_a_memoryview_can_be_put(blobs: BlobStore) -> None:
    blobs.put("chunks/ab/abcd", memoryview(b"some data")[5:])
    assert blobs.get("chunks/ab/abcd") == b"data"


def test_a_range_is_got(blobs: BlobStore) -> None:
    blobs.put("chunks/ab/abcd", b"0123456789")
    assert blobs.get_range("chunks/ab/abcd", 3, 4) == b"3456"


def test_the_second_put_says_that_it_was_there(blobs: BlobStore) -> None:
    assert [blobs.put("manifests/ab", b"data") for _ in range(2)] == [True, False]


def test_an_immutable_blob_of_another_length_is_damaged_and_put_again(blobs: BlobStore) -> None:
    blobs.put("chunks/ab/abcd", b"da")
    assert blobs.put("chunks/ab/abcd", b"data")
    assert blobs.get("chunks/ab/abcd") == b"data"


def test_a_new_blob_replaces_nothing(blobs: BlobStore) -> None:
    blobs.put_new("metadata/1.root.json", b"first")
    with pytest.raises(BlobExistsError):
        blobs.put_new("metadata/1.root.json", b"second")
    assert blobs.get("metadata/1.root.json") == b"first"


def test_the_few_that_change_are_replaced(blobs: BlobStore) -> None:
    for data in (b"old", b"new and longer"):
        blobs.replace("metadata/timestamp.json", data)
    assert blobs.get("metadata/timestamp.json") == b"new and longer"


@pytest.mark.parametrize(
    "read", [lambda blobs: blobs.get("no/thing"), lambda blobs: blobs.get_range("no/thing", 0, 1)]
)  # fmt: skip
def test_what_is_not_there_is_named(blobs: BlobStore, read: Callable[[BlobStore], bytes]) -> None:
    with pytest.raises(NoSuchBlobError, match="no/thing"):
        read(blobs)


def test_the_size_of_what_is_not_there_is_none(blobs: BlobStore) -> None:
    assert (blobs.head("no/thing"), blobs.exists("no/thing")) == (None, False)


def test_a_blob_larger_than_expected_is_not_read(blobs: BlobStore) -> None:
    blobs.put("manifests/ab", b"data")
    with pytest.raises(StoreError, match="has 4 bytes, at most 3"):
        blobs.get("manifests/ab", max_bytes=3)


def test_a_list_is_sorted_and_whole(blobs: BlobStore) -> None:
    names = [f"releases/shop/{number:010d}-1.{number}" for number in range(1200)]
    for name in reversed(names):
        blobs.put(name, b"", durable=False)
    blobs.put("releases/shop-2/1-1", b"")
    assert blobs.list("releases/shop") == names


def test_a_path_that_climbs_is_refused(blobs: BlobStore) -> None:
    with pytest.raises(StoreError):
        blobs.get("../secret")


def test_undurable_puts_are_there_and_can_be_synced(blobs: BlobStore) -> None:
    blobs.put("chunks/ab/abcd", b"data", durable=False)
    blobs.sync()
    assert blobs.exists("chunks/ab/abcd")


def test_a_missing_directory_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such directory"):
        BlobStore(str(tmp_path / "mistyped"))


def test_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(StoreError, match="gopher"):
        BlobStore("gopher://bucket")


def test_chunks_are_spread_over_directories() -> None:
    assert chunk_path(DIGEST) == f"chunks/00/{DIGEST.hex()}"


def test_manifests_are_named_by_digest() -> None:
    assert manifest_path(DIGEST) == f"manifests/{DIGEST.hex()}"
