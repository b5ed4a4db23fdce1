"""What is published is exactly what was there, and what was there before is not sent again."""

import os
import socket
from hashlib import shake_256
from pathlib import Path

import pytest
import zstandard

from manifests import codec
from manifests import publish as publishing
from manifests.blobs import BlobStore, chunk_path, manifest_path
from manifests.catalog import Catalog, manifest_bytes
from manifests.chunker import PROFILES
from manifests.codec import decode
from manifests.contents import verify
from manifests.digest import digest_function, manifest_digest
from manifests.errors import PublishError, StoreError, UnsafePathError
from manifests.manifest import Manifest
from manifests.names import ReleaseName
from manifests.publish import Publication, publish
from manifests.scan import scan
from tests.manifests.factory import RELEASE, write_tree

BIG = shake_256(b"big").digest(600_000)
NEXT = ReleaseName("shop", "1.1")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {"bin/shop": BIG, "bin/till": "shop", "etc/a": b"a", "etc/b": b"", "var": None}
    return write_tree(tmp_path / "tree", files)


def send(path: Path, store: BlobStore, release: ReleaseName = RELEASE) -> Publication:
    return publish(path, store, release, profile=PROFILES["device"])


def content(manifest: Manifest, store: BlobStore) -> bytes:
    """The stream, from the store's chunks, each of which has its digest."""
    chunks = []
    for piece in range(manifest.pieces):
        chunks.append(store.get(chunk_path(manifest.digest(piece))))
        assert digest_function(manifest.algorithm)(chunks[-1]) == manifest.digest(piece)
    return b"".join(chunks)


def test_the_chunks_in_the_store_are_the_files_end_to_end(tree: Path, store: BlobStore) -> None:
    assert content(send(tree, store).manifest, store) == BIG + b"a"


def test_the_manifest_in_the_store_is_the_one_that_is_named(tree: Path, store: BlobStore) -> None:
    done = send(tree, store)
    assert decode(manifest_bytes(store, done.digest)) == done.manifest


def test_a_tree_is_described_as_it_lies_there(tree: Path, store: BlobStore) -> None:
    os.chmod(tree / "etc", 0o710)
    os.chmod(tree / "bin/shop", 0o751)
    assert verify(tree, send(tree, store).manifest) == []


def test_a_single_file_is_no_tree(tree: Path, store: BlobStore) -> None:
    manifest = send(tree / "bin/shop", store).manifest
    assert (manifest.tree, [entry.path for entry in manifest.entries]) == (False, ["shop"])


def test_an_empty_file_has_no_pieces(tree: Path, store: BlobStore) -> None:
    assert send(tree / "etc/b", store).manifest.pieces == 0


def test_the_same_tree_published_again_is_the_same_release(tree: Path, store: BlobStore) -> None:
    first, second = send(tree, store), send(tree, store)
    assert (second.digest, second.new, second.new_chunks) == (first.digest, False, 0)


def test_a_version_is_not_used_for_other_content(tree: Path, store: BlobStore) -> None:
    send(tree, store)
    (tree / "etc/a").write_bytes(b"changed")
    with pytest.raises(PublishError, match="a version is never used twice"):
        send(tree, store)


def test_only_what_the_store_lacks_is_sent(tree: Path, store: BlobStore) -> None:
    send(tree, store)
    (tree / "etc/a").write_bytes(b"changed")
    done = send(tree, store, NEXT)
    assert (done.new_chunks, done.new_bytes) == (1, len(b"changed"))


def test_a_big_file_that_moves_sends_nothing(tree: Path, store: BlobStore) -> None:
    send(tree, store)
    (tree / "bin/shop").rename(tree / "var/renamed")
    assert send(tree, store, NEXT).new_chunks == 0


def test_content_that_is_there_twice_is_sent_once(tree: Path, store: BlobStore) -> None:
    (tree / "var/copy").write_bytes(BIG)
    done = send(tree, store)
    assert done.new_bytes == len(BIG) + 1


def test_sequences_count_up(tree: Path, store: BlobStore) -> None:
    assert [send(tree, store, ReleaseName("shop", version)).manifest.sequence for version in "abc"] == [1, 2, 3]


def test_a_sequence_is_not_given_to_two_versions(tree: Path, store: BlobStore) -> None:
    send(tree, store)
    with pytest.raises(PublishError, match=r"sequence 1 is that of shop@1\.0"):
        publish(tree, store, NEXT, sequence=1)


def test_a_chosen_sequence_is_kept(tree: Path, store: BlobStore) -> None:
    publish(tree, store, NEXT, sequence=40)
    assert send(tree, store).manifest.sequence == 41


def test_progress_ends_at_the_size(tree: Path, store: BlobStore) -> None:
    counts: list[int] = []
    publish(tree, store, RELEASE, advance=counts.append)
    assert sum(counts) == len(BIG) + 1


def test_a_symlink_is_not_followed_to_what_is_published(tree: Path, store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(tree)
    with pytest.raises(PublishError, match="is a symlink, which is never followed"):
        send(tmp_path / "current", store)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../etc/../a"])
def test_a_tree_with_a_link_that_may_lead_outside_is_refused(tree: Path, store: BlobStore, target: str) -> None:
    (tree / "bin/link").symlink_to(target)
    with pytest.raises(UnsafePathError, match="bin/link"):
        send(tree, store)


@pytest.mark.parametrize("name", ["line\nbreak", "not utf-8 \udcff"])
def test_a_tree_with_a_strange_name_is_refused(tree: Path, store: BlobStore, name: str) -> None:
    (tree / name).write_bytes(b"")
    with pytest.raises(UnsafePathError):
        send(tree, store)


def test_setuid_is_refused(tree: Path, store: BlobStore) -> None:
    os.chmod(tree / "bin/shop", 0o4755)
    with pytest.raises(UnsafePathError, match=r"bin/shop.*setuid"):
        send(tree, store)


def test_a_pipe_is_refused(tree: Path, store: BlobStore) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(PublishError, match="pipe is a named pipe"):
        send(tree, store)


def test_a_socket_is_refused(tree: Path, store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(PublishError, match="s is a socket"):
            send(tree, store)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(BIG[:-1]),
        lambda path: path.write_bytes(BIG + b"more"),
        lambda path: path.write_bytes(BIG[::-1]),
        lambda path: path.unlink(),
        lambda path: path.chmod(0o600),
        lambda path: (path.parent / "late").write_bytes(b"new"),
        lambda path: (path.rename(path.parent / "was"), path.symlink_to("was")),
    ],
    ids=["shorter", "longer", "rewritten", "gone", "other mode", "one more", "now a link"],
)
@pytest.mark.parametrize("when", ["before it is read", "while it is read"])
def test_a_tree_that_does_not_keep_still_is_refused(tree: Path, store: BlobStore, when: str, change: object) -> None:
    assert callable(change)
    path = tree / "bin/shop"
    done: list[object] = []

    def disturb(_: object = None) -> None:
        if not done:
            done.append(change(path))

    def scan_then_disturb(root: Path) -> object:
        found = scan(root)
        disturb()
        return found

    with pytest.MonkeyPatch.context() as patch, pytest.raises((PublishError, OSError)):
        if when == "before it is read":
            patch.setattr(publishing, "scan", scan_then_disturb)
        publish(tree, store, RELEASE, profile=PROFILES["device"], advance=disturb)
    assert Catalog(store).releases("shop") == []


def test_a_store_that_fails_ends_the_publication(tree: Path, store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "store/chunks").write_bytes(b"in the way of the directory")
    with pytest.raises(StoreError):
        send(tree, store)


def test_a_damaged_manifest_in_the_store_is_found(tree: Path, store: BlobStore) -> None:
    done = send(tree, store)
    store.replace(f"manifests/{done.digest.hex()}", b"damaged")
    with pytest.raises(Exception, match="damaged or forged"):
        manifest_bytes(store, done.digest)


def test_a_release_that_another_zstd_compressed_is_still_the_same(tree: Path, store: BlobStore) -> None:
    """Who publishes again, with a newer library, must not be told that the version is taken."""
    encoded = codec.encode(send(tree, store).manifest)
    document = codec.document_of(encoded)
    other = encoded[:32] + zstandard.ZstdCompressor(level=1).compress(document)
    (record,) = Catalog(store).releases("shop")
    store.replace(record.path, manifest_digest(other).hex().encode())
    store.put(manifest_path(manifest_digest(other)), other)
    assert other != encoded
    assert send(tree, store).digest == manifest_digest(other)
