"""From a file or tree to chunks and a manifest in a blob store. Nothing is signed here."""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from . import chunker, codec, edits
from .blobs import BlobStore, chunk_path, edits_path, manifest_path
from .catalog import Catalog, manifest_bytes
from .digest import digest_function, manifest_digest
from .entries import FILE
from .errors import NoSuchBlobError, PublishError
from .manifest import HealthCheck, Manifest, Pack, Profile
from .names import ReleaseName
from .scan import FileRun, Found, scan

UPLOADS_AT_ONCE: Final = 8
"""Threads; a bucket answers in tens of milliseconds, a directory at once."""
WAITING_BYTES_MAX: Final = 64 * 2**20
"""Of chunks that were cut and wait for the store."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published: its manifest, the manifest's digest and bytes, and what the store did not have before."""

    manifest: Manifest
    digest: bytes
    manifest_bytes: int
    new_chunks: int
    new_bytes: int
    new: bool


def publish(
    path: Path,
    store: BlobStore,
    release: ReleaseName,
    *,
    sequence: int | None = None,
    profile: Profile | None = None,
    algorithm: str = "blake3",
    health: HealthCheck | None = None,
    packs: Callable[[Manifest], Iterable[Pack]] = lambda manifest: (),
    advance: Callable[[int], None] = lambda count: None,
) -> Publication:
    """Chunk what is at `path`, upload what the store lacks, write the manifest and record the release.

    `packs` is asked, when all pieces are known and in the store, for the packs that the manifest is to name. `advance`
    is told of bytes as they are read. Memory is bounded whatever the sizes. Raises PublishError (it changed while it
    was read, or holds what can't be released, or the version is taken), UnsafePathError, StoreError.
    """
    profile = profile or chunker.PROFILES["host"]
    catalog = Catalog(store)
    sequence = catalog.sequence(release, sequence)
    found, tree = scan(path)
    files = [one for one in found if one.entry.kind == FILE]
    digest_of = digest_function(algorithm)
    digests, lengths = bytearray(), array("I")
    with Uploads(store, profile) as uploads:
        for chunk in chunks(files, profile, advance):
            digest = digest_of(chunk)
            uploads.add(digest, chunk)
            digests += digest
            lengths.append(len(chunk))
    if scan(path) != (found, tree):
        raise PublishError(f"{path} changed while it was read; publish something that keeps still")
    store.sync()
    manifest = Manifest(
        release.product, release.version, sequence, algorithm, profile, bytes(digests), lengths,
        tuple(one.entry for one in found), tree, health,
    )  # fmt: skip
    manifest = replace(manifest, packs=tuple(sorted(packs(manifest), key=lambda pack: pack.base)))
    encoded = _as_published(release, catalog, store, manifest) or codec.encode(manifest)
    name = manifest_digest(encoded)
    store.put(manifest_path(name), encoded)
    _put_edits(store, manifest, name, encoded)
    new = catalog.add(release, sequence, name)
    return Publication(manifest, name, len(encoded), uploads.new_chunks, uploads.new_bytes, new)


def chunks(files: Sequence[Found], profile: Profile, advance: Callable[[int], None]) -> Iterator[memoryview]:
    """The files' chunks, in order, each valid until the next is asked for. Raises as FileRun does."""
    for run in chunker.runs([file.entry.size for file in files], profile.average_bytes):
        with FileRun(files[run.start : run.stop], advance) as stream:
            yield from chunker.cut(stream, profile)


def _as_published(release: ReleaseName, catalog: Catalog, store: BlobStore, manifest: Manifest) -> bytes | None:
    """The bytes of just this manifest if it was published before: another version of zstd may compress it otherwise."""
    try:
        encoded = manifest_bytes(store, catalog.digest(release))
    except (PublishError, NoSuchBlobError):
        return None
    return encoded if codec.decode(encoded) == manifest else None


def stored_edits(store: BlobStore, manifest: Manifest, digest: bytes) -> list[int]:
    """Sequences of the releases from which edits in the store lead to this one: for its signers to say, so that no
    device asks for what is not there.
    """
    bases = [pack.base for pack in manifest.packs if pack.base and store.exists(edits_path(digest, pack.base))]
    return sorted(codec.decode(manifest_bytes(store, base)).sequence for base in bases)


def _put_edits(store: BlobStore, manifest: Manifest, digest: bytes, encoded: bytes) -> None:
    """Beside the manifest, what leads to it from those that its packs start from: for devices that have only a CDN."""
    for pack in manifest.packs:
        found = edits.make(manifest_bytes(store, pack.base), encoded) if pack.base else None
        if found is not None:
            store.put(edits_path(digest, pack.base), found)


class Uploads:
    """Puts chunks by a few threads, each once; the first error is raised at the next call."""

    def __init__(self, store: BlobStore, profile: Profile) -> None:
        self.new_chunks = 0
        self.new_bytes = 0
        self._store = store
        self._seen: set[bytes] = set()
        self._waiting_max = max(UPLOADS_AT_ONCE, WAITING_BYTES_MAX // profile.max_bytes)
        self._waiting: deque[Future[int]] = deque()
        self._threads = ThreadPoolExecutor(UPLOADS_AT_ONCE)

    def __enter__(self) -> "Uploads":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._threads:
            while self._waiting and kind is None:
                self._take()
            self._threads.shutdown(cancel_futures=True)

    def add(self, digest: bytes, chunk: memoryview) -> None:
        """Put a chunk, unless it was put before; waits while too many are under way."""
        if digest in self._seen:
            return
        self._seen.add(digest)
        if len(self._waiting) >= self._waiting_max:
            self._take()
        self._waiting.append(self._threads.submit(self._put, digest, bytes(chunk)))

    def _put(self, digest: bytes, data: bytes) -> int:
        return len(data) if self._store.put(chunk_path(digest), data, durable=False) else 0

    def _take(self) -> None:
        if count := self._waiting.popleft().result():
            self.new_chunks += 1
            self.new_bytes += count
