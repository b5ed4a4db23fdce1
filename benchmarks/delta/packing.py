"""A pack as an artifact in a blob store, and the release that names it."""

from array import array
from dataclasses import replace

from manifests import codec
from manifests.blobs import BlobStore, chunk_path, manifest_path
from manifests.delta import index_codec, making
from manifests.delta.matching import Source
from manifests.digest import digest_function, manifest_digest
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest, Profile
from manifests.packs import Pack


def pack(store: BlobStore, base: Manifest, base_digest: bytes, release: Manifest) -> tuple[Pack, Manifest, bytes]:
    bundles: list[bytes] = []
    index = making.make(_source(store, release), _source(store, base), base_digest, bundles.append)
    data = [index_codec.encode(index), *bundles]
    digest = digest_function(release.algorithm)
    size = sum(map(len, data))
    made = replace(
        release,
        profile=Profile("pack", 1, 2**20, 2**24),
        digests=b"".join(map(digest, data)),
        lengths=array("I", map(len, data)),
        entries=(Entry("from.pack", FILE, 0o644, 0, size),),
        tree=False,
        health=None,
    )
    encoded = codec.encode(made)
    for piece, part in enumerate(data):
        store.put(chunk_path(made.digest(piece)), part)
    store.put(manifest_path(manifest_digest(encoded)), encoded)
    named = Pack(base_digest, manifest_digest(encoded), len(encoded), size)
    return named, made, codec.encode(replace(release, packs=(named,)))


def _source(store: BlobStore, manifest: Manifest) -> Source:
    return Source(manifest, lambda piece: store.get(chunk_path(manifest.digest(piece))))
