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
from .condensing import condense
from .encoding import BEST_LEVEL
from .limits import SMALL_BYTES_MAX
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


@dataclass(frozen=True, slots=True)
class Built:
    """A pack as the release is to name it. `object`: its manifest or, of a small one, itself. `index_bytes`,
    `pieces`: 0 of a small one."""

    pack: Pack
    object: bytes
    index: PackIndex
    index_bytes: int
    pieces: int


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
) -> Built:
    """Make a pack. `put` is given each of its pieces with its digest, the index last; a small one has none.

    `base` None: for devices that hold no earlier release. `level`: zstd's. `opened_memory_bytes`,
    `apply_speed_min`, `advance`: see `making.make`. Raises what reading the sources and `put` raise.
    """
    pieces = _Pieces(release.manifest.algorithm, put)
    index = making.make(
        release, base, base_digest, pieces.take,
        level=level, threads=threads, opened_memory_bytes=opened_memory_bytes, apply_speed_min=apply_speed_min,
        advance=advance,
    )  # fmt: skip
    small = condense(index, pieces.held, release, base) if pieces.total <= SMALL_BYTES_MAX else None
    encoded_index = index_codec.encode(index)
    if small is not None and len(small) <= pieces.total + len(encoded_index):
        return Built(Pack(base_digest, manifest_digest(small), len(small), 0), small, index, 0, 0)
    pieces.take(encoded_index)
    pieces.put_held()
    manifest = pieces.manifest(release.manifest, base_digest)
    encoded = codec.encode(manifest)
    pack = Pack(base_digest, manifest_digest(encoded), len(encoded), manifest.size)
    return Built(pack, encoded, index, len(encoded_index), manifest.pieces)


class _Pieces:
    """A pack's pieces on their way: held until it is known that it is no small one, then put."""

    def __init__(self, algorithm: str, put: Callable[[bytes, bytes], None]) -> None:
        self._digest_of, self._put = digest_function(algorithm), put
        self._digests, self._lengths = bytearray(), array("I")
        self.held: list[bytes] = []
        self.total = 0
        """Bytes taken so far."""

    def take(self, piece: bytes) -> None:
        """The next piece."""
        self._digests += self._digest_of(piece)
        self._lengths.append(len(piece))
        self.total += len(piece)
        self.held.append(piece)
        if self.total > SMALL_BYTES_MAX:
            self.put_held()

    def put_held(self) -> None:
        """All that was taken is put."""
        for piece in self.held:
            self._put(self._digest_of(piece), piece)
        self.held = []

    def manifest(self, release: Manifest, base: bytes) -> Manifest:
        """The pack's own; the last piece taken is the index, which comes first."""
        digests = bytes(self._digests[-DIGEST_BYTES:] + self._digests[:-DIGEST_BYTES])
        return _manifest(release, base, digests, self._lengths[-1:] + self._lengths[:-1])


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

    built = build(
        release, base, base_digest, put,
        level=level, threads=threads, opened_memory_bytes=opened_memory_bytes, apply_speed_min=apply_speed_min,
        advance=advance,
    )  # fmt: skip
    store.sync()
    store.put(manifest_path(built.pack.manifest), built.object)
    lacking = missing(release.manifest, base.manifest if base else None)
    return MadePack(
        built.pack,
        sum(release.manifest.lengths[piece] for piece in lacking),
        max(1, built.pieces),
        len(built.index.opened.streams),
    )


def _manifest(release: Manifest, base: bytes, digests: bytes, lengths: "array[int]") -> Manifest:
    size = sum(lengths)
    file = Entry(f"from-{base.hex()[:BASE_DIGITS] or 'nothing'}.pack", FILE, size=size)
    profile = Profile("pack", 1, PATCHES_BYTES, max(*lengths, PATCHES_BYTES))
    return replace(
        release, profile=profile, digests=digests, lengths=lengths, entries=(file,), tree=False, health=None, packs=()
    )
