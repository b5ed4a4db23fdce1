"""What is unpacked is what was published, or nothing is there."""

import os
import stat
from dataclasses import replace
from hashlib import shake_256
from pathlib import Path

import pytest

from manifests.blobs import BlobStore, chunk_path
from manifests.contents import verify
from manifests.errors import DigestMismatchError, MalformedManifestError, NoSuchBlobError
from manifests.manifest import Manifest
from manifests.publish import publish
from manifests.unpack import unpack
from tests.manifests.factory import RELEASE, write_tree

BIG = shake_256(b"big").digest(3_000_000)


@pytest.fixture
def manifest(tmp_path: Path, store: BlobStore) -> Manifest:
    files = {"bin/shop": BIG, "bin/till": "shop", "etc/a": b"a", "etc/b": b"", "locked/x": b"x", "var": None}
    tree = write_tree(tmp_path / "tree", files)
    os.chmod(tree / "bin/shop", 0o555)
    os.chmod(tree / "locked", 0o500)
    os.utime(tree / "etc", ns=(1, 1_600_000_000_123_456_789))
    return publish(tree, store, RELEASE).manifest


def test_a_tree_is_the_same_again(manifest: Manifest, store: BlobStore, tmp_path: Path) -> None:
    unpack(manifest, store, tmp_path / "out")
    assert verify(tmp_path / "out", manifest) == []


def test_a_single_file_is_the_same_again(manifest: Manifest, store: BlobStore, tmp_path: Path) -> None:
    single = publish(tmp_path / "tree/bin/shop", store, replace(RELEASE, product="single")).manifest
    unpack(single, store, tmp_path / "out")
    assert verify(tmp_path / "out", single) == []


def test_nothing_is_left_beside_it(manifest: Manifest, store: BlobStore, tmp_path: Path) -> None:
    unpack(manifest, store, tmp_path / "place/out")
    assert os.listdir(tmp_path / "place") == ["out"]


def test_a_damaged_chunk_leaves_nothing_behind(manifest: Manifest, store: BlobStore, tmp_path: Path) -> None:
    last = manifest.pieces - 1
    store.replace(chunk_path(manifest.digest(last)), bytes(manifest.lengths[last]))
    with pytest.raises(DigestMismatchError):
        unpack(manifest, store, tmp_path / "place/out")
    assert os.listdir(tmp_path / "place") == []


def test_a_missing_chunk_leaves_nothing_behind(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(NoSuchBlobError):
        unpack(manifest, BlobStore("memory:///"), tmp_path / "place/out")
    assert os.listdir(tmp_path / "place") == []


def test_nothing_can_be_seen_before_all_is_verified(manifest: Manifest, store: BlobStore, tmp_path: Path) -> None:
    seen = []

    def look(_: int) -> None:
        hidden = next((tmp_path / "place").iterdir())
        seen.append(((tmp_path / "place/out").exists(), stat.S_IMODE(hidden.stat().st_mode)))

    unpack(manifest, store, tmp_path / "place/out", advance=look)
    assert set(seen) == {(False, 0o700)}


@pytest.mark.parametrize("kind", ["file", "directory", "dangling link"])
def test_what_is_there_already_is_never_touched(
    manifest: Manifest, store: BlobStore, tmp_path: Path, kind: str
) -> None:
    content: dict[str, bytes | str | None] = {"file": b"mine", "directory": None, "dangling link": "nowhere"}
    write_tree(tmp_path, {"out": content[kind]})
    with pytest.raises(FileExistsError):
        unpack(manifest, store, tmp_path / "out")


def test_a_manifest_that_contradicts_its_chunks_is_refused(
    manifest: Manifest, store: BlobStore, tmp_path: Path
) -> None:
    lengths = manifest.lengths[:]
    lengths[0], lengths[1] = lengths[0] - 1, lengths[1] + 1
    with pytest.raises(MalformedManifestError, match="the manifest says"):
        unpack(replace(manifest, lengths=lengths), store, tmp_path / "out")
