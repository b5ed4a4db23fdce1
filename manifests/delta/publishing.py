"""A pack in the blob store: an artifact like any other, named by the release that it leads to."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from manifests import codec
from manifests.blobs import BlobStore, chunk_path, manifest_path
from manifests.digest import DIGEST_BYTES, digest_function, manifest_digest, verify
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest, Pack, Profile
from manifests.nested.recipes import MEMORY_BYTES_MAX

from . import index_codec, making
from .bundling import PATCHES_BYTES
from .encoding import BEST_LEVEL
from .matching import Source, missing
from .pack import PackIndex

BASE_DIGITS: Final = 16
"""Of a base's digest, in the name of a pack's file."""


@dataclass(frozen=True, slots=True)
class MadePack:
    """What a pack costs and saves. `missing_bytes`: of the pieces that a device with this base lacks, as they are.
    `requests`: in so many pieces the pack is fetched. `opened_streams`: made again by the device.
    """

    pack: Pack
    missing_bytes: int
    requests: int
    opened_streams: int = 0

    @property
    def fetch_bytes(self) -> int:
        """What such a device fetches beside the release's manifest; also what the pack takes in the store."""
        return self.pack.size + self.pack.manifest_bytes


def from_store(store: BlobStore, manifest: Manifest) -> Source:
    """A published release's pieces, verified. Reading raises StoreError for a missing chunk, DigestMismatchError."""

    def read(piece: int) -> bytes:
        digest = manifest.digest(piece)
        data = store.get(chunk_path(digest), max_bytes=manifest.profile.max_bytes)
        verify(manifest.algorithm, data, digest)
        return data

    return Source(manifest, read)


def build(
    release: Source,
    base: Source | None,
    base_digest: bytes,
    put: Callable[[bytes, bytes], None],
    *,
    level: int = BEST_LEVEL,
    threads: int | None = None,
    opened_memory_bytes: int = MEMORY_BYTES_MAX,
    apply_speed_min: float | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> tuple[PackIndex, Manifest]:
    """Make a pack: its index and its manifest. `put` is given each of its pieces with its digest, the index last.

    `base` None: for devices that hold no earlier release. `level`: zstd's. `opened_memory_bytes`,
    `apply_speed_min`, `advance`: see `making.make`. Raises what reading the sources and `put` raise.
    """
    digest_of = digest_function(release.manifest.algorithm)
    digests, lengths = bytearray(), array("I")

    def take(piece: bytes) -> None:
        digest = digest_of(piece)
        put(digest, piece)
        digests.extend(digest)
        lengths.append(len(piece))

    index = making.make(
        release, base, base_digest, take,
        level=level, threads=threads, opened_memory_bytes=opened_memory_bytes, apply_speed_min=apply_speed_min,
        advance=advance,
    )  # fmt: skip
    take(index_codec.encode(index))
    digests[:] = digests[-DIGEST_BYTES:] + digests[:-DIGEST_BYTES]
    return index, _manifest(release.manifest, base_digest, bytes(digests), lengths[-1:] + lengths[:-1])


def publish_pack(
    release: Source,
    base: Source | None,
    base_digest: bytes,
    store: BlobStore,
    *,
    level: int = BEST_LEVEL,
    threads: int | None = None,
    opened_memory_bytes: int = MEMORY_BYTES_MAX,
    apply_speed_min: float | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> MadePack:
    """Make a pack and put it into the store; see `build`. Raises StoreError."""

    def put(digest: bytes, piece: bytes) -> None:
        store.put(chunk_path(digest), piece, durable=False)

    index, manifest = build(
        release, base, base_digest, put,
        level=level, threads=threads, opened_memory_bytes=opened_memory_bytes, apply_speed_min=apply_speed_min,
        advance=advance,
    )  # fmt: skip
    store.sync()
    encoded = codec.encode(manifest)
    name = manifest_digest(encoded)
    store.put(manifest_path(name), encoded)
    lacking = missing(release.manifest, base.manifest if base else None)
    return MadePack(
        Pack(base_digest, name, len(encoded), manifest.size),
        sum(release.manifest.lengths[piece] for piece in lacking),
        manifest.pieces,
        len(index.opened.streams),
    )


def _manifest(release: Manifest, base: bytes, digests: bytes, lengths: "array[int]") -> Manifest:
    size = sum(lengths)
    file = Entry(f"from-{base.hex()[:BASE_DIGITS] or 'nothing'}.pack", FILE, size=size)
    profile = Profile("pack", 1, PATCHES_BYTES, max(*lengths, PATCHES_BYTES))
    return replace(
        release, profile=profile, digests=digests, lengths=lengths, entries=(file,), tree=False, health=None, packs=()
    )
