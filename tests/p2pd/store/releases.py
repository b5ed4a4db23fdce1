"""Small releases for tests, made without the chunker, and what is done with them again and again."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from manifests import codec
from manifests.digest import digest_function, manifest_digest
from manifests.entries import DIRECTORY, FILE, SYMLINK, Entry
from manifests.manifest import HealthCheck, Manifest, Profile
from p2pd.store import Artifact, Store
from p2pd.world.disk import Disk

PIECE_BYTES = 1000
STATE = "/var/state"
DESTINATION = "/srv/web/releases/1"


@dataclass(frozen=True)
class Release:
    """A manifest, its bytes, and the data of its pieces."""

    manifest: Manifest
    encoded: bytes
    data: tuple[bytes, ...]

    @property
    def swarm(self) -> bytes:
        return manifest_digest(self.encoded)


def noise(name: str, size: int) -> bytes:
    """Bytes that differ from those of any other name."""
    return hashlib.shake_128(name.encode()).digest(size)


def cut(
    entries: Sequence[Entry], stream: bytes, *, version: str = "1", is_tree: bool = True, piece_bytes: int = PIECE_BYTES
) -> Release:
    """A release of these entries whose files' bytes are `stream`."""
    data = tuple(stream[at : at + piece_bytes] for at in range(0, len(stream), piece_bytes))
    digest = digest_function("blake3")
    manifest = Manifest(
        product="web",
        version=version,
        sequence=int(version),
        algorithm="blake3",
        profile=Profile("test", 1, piece_bytes, piece_bytes),
        digests=b"".join(digest(piece) for piece in data),
        lengths=array("I", (len(piece) for piece in data)),
        entries=tuple(entries),
        tree=is_tree,
        health=HealthCheck(("bin/check",)),
    )
    return Release(manifest, codec.encode(manifest), data)


def sample(version: str = "1", *, symlinks: bool = True, **files: bytes) -> Release:
    """A tree with a bit of everything. `files`: other contents for `app`, `large` and `ro`."""
    contents = {"app": noise("app", 3456), "large": noise("large", 5500), "ro": noise("ro", 700)} | files
    app, large, ro = contents["app"], contents["large"], contents["ro"]
    entries = [
        Entry("bin", DIRECTORY, 0o755, 11_000_000_000),
        Entry("bin/app", FILE, 0o755, 12_000_000_000, len(app)),
        Entry("bin/empty", FILE, 0o600, 13_000_000_000),
        Entry("bin/run", SYMLINK, 0o777, 14_000_000_000, target="app"),
        Entry("data", DIRECTORY, 0o555, 15_000_000_000),
        Entry("data/large", FILE, 0o644, 16_000_000_000, len(large)),
        Entry("data/ro", FILE, 0o444, 17_000_000_000, len(ro)),
        Entry("void", DIRECTORY, 0o700, 18_000_000_000),
    ]
    kept = [entry for entry in entries if symlinks or entry.kind != SYMLINK]
    return cut(kept, app + large + ro, version=version)


def single(size: int = 2500, name: str = "image.bin") -> Release:
    """A release that is one file."""
    return cut([Entry(name, FILE, 0o640, 21_000_000_000, size)], noise(name, size), is_tree=False)


def opened(disk: Disk, state: str = STATE) -> Store:
    """A store of a new process."""
    store = Store(disk, state)
    store.open()
    return store


def fill(store: Store, artifact: Artifact, release: Release, pieces: Iterable[int] | None = None) -> None:
    """Write these pieces (all), as if from a peer."""
    for piece in range(release.manifest.pieces) if pieces is None else pieces:
        store.write_piece(artifact, piece, release.data[piece], "peer")


def install(store: Store, release: Release, destination: str = DESTINATION) -> Artifact:
    """Add, fill and finish."""
    artifact = store.add(release.encoded, destination)
    fill(store, artifact, release)
    store.finish(artifact)
    return artifact


def is_exactly(disk: Disk, path: str, release: Release) -> bool:
    """The release lies at `path` with every name, byte, mode, time and target of it."""
    manifest, stream, at = release.manifest, b"".join(release.data), 0
    for entry in manifest.entries:
        place = f"{path}/{entry.path}" if manifest.tree else path
        found = disk.stat(place)
        if found is None or (found.kind, found.mtime_ns) != (entry.kind, entry.mtime_ns):
            return False
        if entry.kind == SYMLINK:
            if disk.read_link(place) != entry.target:
                return False
        elif found.mode != entry.mode:
            return False
        if entry.kind == FILE:
            if found.size != entry.size or disk.read(place, 0, entry.size) != stream[at : at + entry.size]:
                return False
            at += entry.size
    return True
