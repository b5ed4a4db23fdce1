"""Which paths reach the blob store."""

import hashlib

import pytest
from blake3 import blake3

from seeder.resources import Kind, Resource, resource

DIGEST = "ab" + "0" * 62


def found(path: str) -> Resource:
    asked = resource(path)
    assert asked is not None
    return asked


@pytest.mark.parametrize(
    "path, kind",
    [
        (f"chunks/ab/{DIGEST}", Kind.CHUNK),
        (f"manifests/{DIGEST}", Kind.MANIFEST),
        ("metadata/timestamp.json", Kind.TIMESTAMP),
        ("metadata/1.root.json", Kind.VERSIONED),
        ("metadata/12.build-os.image.json", Kind.VERSIONED),
    ],
)
def test_a_path_of_the_blob_store_is_known(path: str, kind: Kind) -> None:
    assert found(path).kind is kind


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "chunks",
        f"chunks/cd/{DIGEST}",
        f"chunks/AB/{DIGEST.upper()}",
        f"chunks/ab/{DIGEST}/",
        f"chunks/ab/{DIGEST}0",
        f"chunks/ab/{DIGEST}\n",
        f"chunks/ab/../ab/{DIGEST}",
        f"/chunks/ab/{DIGEST}",
        f"manifests/{DIGEST[:-1]}",
        f"manifests/../manifests/{DIGEST}",
        "manifests/" + "٠" * 64,
        "metadata/root.json",
        "metadata/0.root.json",
        "metadata/1.root.json.bak",
        "metadata/1.../root.json",
        "metadata/1.a/../b.json",
        "metadata/..%2f..%2fetc%2fpasswd",
        "metadata/../../etc/passwd",
        "metadata/timestamp.json\x00",
        "releases/web/1.json",
        "keys/build.pem",
    ],
)
def test_any_other_path_is_nothing(path: str) -> None:
    assert resource(path) is None


@pytest.mark.parametrize("digest", [blake3(b"data").digest(), hashlib.sha256(b"data").digest()])
def test_a_chunk_may_be_named_by_either_algorithm(digest: bytes) -> None:
    assert Resource(Kind.CHUNK, "", digest).fault(b"data") == ""


def test_a_manifest_is_named_by_sha256_only() -> None:
    assert Resource(Kind.MANIFEST, "", blake3(b"data").digest()).fault(b"data")


def test_other_bytes_are_a_fault() -> None:
    assert Resource(Kind.CHUNK, "", blake3(b"data").digest()).fault(b"Data") == "4 bytes that have another digest"
