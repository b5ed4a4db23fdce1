"""Releases that come with packs, as their publisher makes them."""

from dataclasses import replace
from random import Random

from manifests import codec
from manifests.blobs import chunk_path, manifest_path
from manifests.delta import making
from manifests.delta.matching import Source
from manifests.digest import manifest_digest
from manifests.manifest import Manifest
from tests.p2pd.patching.packed import wrapped
from tests.stories.fleet import Fleet
from tests.stories.publisher import Files, Release

EDIT_BYTES = 40


def edited(files: Files, rng_seed: int = 3) -> Files:
    """The same tree with a few bytes of every file written anew: nearly every chunk of it is another."""
    rng = Random(rng_seed)
    return {name: bytes(_edited(bytearray(data), rng)) for name, data in files.items()}


def _edited(data: bytearray, rng: Random) -> bytearray:
    for at in range(0, len(data), 12_000):
        data[at : at + EDIT_BYTES] = rng.randbytes(len(data[at : at + EDIT_BYTES]))
    return data


def words(files: int = 12, file_bytes: int = 150_000) -> Files:
    """A tree of files that compress well."""
    rng = Random(4)
    vocabulary = [rng.randbytes(rng.randrange(3, 9)).hex().encode() for _ in range(300)]
    return {f"share/{number}.txt": b" ".join(rng.choices(vocabulary, k=file_bytes // 12)) for number in range(files)}


def publish_packed(
    fleet: Fleet, name: str, files: Files, *bases: Release | None, stored: bool = True
) -> tuple[Release, list[Manifest]]:
    """A release with a pack from each of these bases (None: from nothing), and the packs' own manifests.

    `stored`: the packs can be had.
    """
    store = fleet.publishing.store
    unsigned = fleet.publishing.cut(name, files)
    named, manifests = [], []
    for base in bases:
        bundles: list[bytes] = []
        source = None if base is None else _source(fleet, base.manifest)
        digest = b"" if base is None else base.digest
        index = making.make(_source(fleet, unsigned), source, digest, bundles.append, threads=1)
        pack, made = wrapped(unsigned, index, bundles)
        for piece, data in enumerate(made.data if stored else ()):
            store.put(chunk_path(made.manifest.digest(piece)), data)
        store.put(manifest_path(made.swarm), made.encoded)
        named.append(pack)
        manifests.append(made.manifest)
    manifest = replace(unsigned, packs=tuple(sorted(named, key=lambda pack: pack.base)))
    encoded = codec.encode(manifest)
    digest = manifest_digest(encoded)
    store.put(manifest_path(digest), encoded)
    fleet.publishing.sign(name, digest, len(encoded))
    return Release(name, files, manifest, digest, len(encoded)), manifests


def _source(fleet: Fleet, manifest: Manifest) -> Source:
    return Source(manifest, lambda piece: fleet.publishing.store.get(chunk_path(manifest.digest(piece))))
