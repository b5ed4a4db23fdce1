"""Releases that come with packs, as their publisher makes them."""

from collections.abc import Iterator
from random import Random

from manifests import codec
from manifests.blobs import BlobStore, manifest_path
from manifests.delta.publishing import from_store, publish_pack
from manifests.manifest import Manifest
from manifests.packs import Pack
from tests.stories.fleet import Fleet
from tests.stories.publisher import Files, Release

EDIT_BYTES = 800
"""A release of `words` then differs in more than a small pack may hold."""
TINY_EDIT_BYTES = 20


def edited(files: Files, rng_seed: int = 3, edit_bytes: int = EDIT_BYTES) -> Files:
    """The same tree with a few bytes of every file written anew: nearly every chunk of it is another."""
    rng = Random(rng_seed)
    return {name: bytes(_edited(bytearray(data), rng, edit_bytes)) for name, data in files.items()}


def _edited(data: bytearray, rng: Random, edit_bytes: int) -> bytearray:
    for at in range(0, len(data), 12_000):
        data[at : at + edit_bytes] = rng.randbytes(len(data[at : at + edit_bytes]))
    return data


def words(files: int = 12, file_bytes: int = 150_000) -> Files:
    """A tree of files that compress well."""
    rng = Random(4)
    vocabulary = [rng.randbytes(rng.randrange(3, 9)).hex().encode() for _ in range(300)]
    return {f"share/{number}.txt": b" ".join(rng.choices(vocabulary, k=file_bytes // 12)) for number in range(files)}


def publish_packed(
    fleet: Fleet, name: str, files: Files, *bases: Release | None, stored: bool = True
) -> tuple[Release, list[Manifest]]:
    """A release with a pack from each of these bases (None: from nothing), and the manifests of the large ones.

    `stored`: the packs can be had.
    """
    store = fleet.publishing.store
    made: list[Manifest] = []

    def packs(manifest: Manifest) -> Iterator[Pack]:
        place = store if stored else BlobStore("memory:///")
        for base in bases:
            source = None if base is None else from_store(store, base.manifest)
            digest = b"" if base is None else base.digest
            pack = publish_pack(from_store(store, manifest), source, digest, place, level=3, threads=1).pack
            encoded = place.get(manifest_path(pack.manifest))
            store.put(manifest_path(pack.manifest), encoded)
            if not pack.small:
                made.append(codec.decode(encoded))
            yield pack

    return fleet.publish(name, files, packs=packs), made
