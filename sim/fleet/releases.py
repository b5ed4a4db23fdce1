"""What a simulated fleet is given: releases made, signed and stored by the publisher's own code, once a process.

Keys come from fixed dice, so the bytes are the same in every process. A release is a single file or a small tree of
random bytes in pieces of equal size; a later one shares pieces with the one before.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from manifests import codec
from manifests.blobs import BlobStore, chunk_path, manifest_path
from manifests.digest import digest_function, manifest_digest
from manifests.manifest import Entry, HealthCheck, Manifest, Profile
from manifests.names import ReleaseName
from manifests.repository import TIMESTAMP_LIFE, Repository
from manifests.trust import PARTIES
from manifests.tuf_api import CryptoSigner

EPOCH: Final = 1_700_000_000.0
"""Civil time when a simulation begins."""
PRODUCT: Final = "web"
ROLES: Final = ("root", "targets", "online", *PARTIES)
ALGORITHM: Final = "blake3"
FILES: Final = 5
HEALTH: Final = HealthCheck(("bin/check",), timeout_s=5.0, attempts=2, interval_s=1.0)


@dataclass(frozen=True)
class ReleaseSpec:
    """One release. `fresh`: the share of pieces that no earlier release has. `signed_by`: the parties that vouch."""

    version: str
    sequence: int
    fresh: float = 1.0
    healthy: bool = True
    signed_by: tuple[str, ...] = PARTIES

    @property
    def name(self) -> str:
        """`product@version`."""
        return f"{PRODUCT}@{self.version}"

    @property
    def trusted(self) -> bool:
        """Both parties vouch for it."""
        return set(self.signed_by) == set(PARTIES)


@dataclass(frozen=True)
class Release:
    """A made one: its manifest, the manifest's bytes and digest, and its pieces in order."""

    spec: ReleaseSpec
    manifest: Manifest
    encoded: bytes
    swarm: bytes
    pieces: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """The whole stream of bytes."""
        return b"".join(self.pieces)


@dataclass(frozen=True)
class Published:
    """All releases by name; the blob store's objects; the pinned root; what replaces what when the online key signs
    again (`renewed`), which is the cure for metadata that expires after `life_s`."""

    releases: Mapping[str, Release]
    blobs: Mapping[str, bytes]
    renewed: Mapping[str, bytes]
    root: bytes
    life_s: float


@lru_cache(maxsize=8)
def publish(
    specs: tuple[ReleaseSpec, ...], pieces: int, piece_bytes: int, life_s: float = TIMESTAMP_LIFE.total_seconds()
) -> Published:
    """Make, sign and store them."""
    releases = _make(specs, pieces, piece_bytes)
    store = BlobStore("memory:///")
    dice = Random("keys")
    keys = {role: CryptoSigner(Ed25519PrivateKey.from_private_bytes(dice.randbytes(32))) for role in ROLES}
    at = datetime.fromtimestamp(EPOCH, UTC) - timedelta(hours=1)
    repository = Repository(store, at)
    root = repository.init([keys["root"]], keys["targets"], keys["online"])
    repository.add_product(PRODUCT, {party: [keys[party].public_key] for party in PARTIES}, keys["targets"])
    for release in releases:
        store.put(manifest_path(release.swarm), release.encoded)
        for digest, piece in zip(_digests(release.manifest), release.pieces, strict=True):
            store.put(chunk_path(digest), piece)
        for party in release.spec.signed_by:
            name = ReleaseName(PRODUCT, release.spec.version)
            repository.sign(name, party, keys[party], release.swarm, len(release.encoded))
    repository.promote(keys["online"], timestamp_life=timedelta(hours=1, seconds=life_s))
    blobs = {path: store.get(path) for path in store.list("")}
    later_s = max(
        life_s, TIMESTAMP_LIFE.total_seconds()
    )  # a clock that was ahead believes in nothing that ends earlier
    Repository(store, at).promote(keys["online"], timestamp_life=timedelta(hours=2, seconds=later_s))
    renewed = {path: store.get(path) for path in store.list("metadata/")}
    return Published({one.spec.name: one for one in releases}, blobs, renewed, root, life_s)


def _make(specs: tuple[ReleaseSpec, ...], pieces: int, piece_bytes: int) -> list[Release]:
    dice, made = Random("content"), list[Release]()
    parts: list[bytes] = []
    for spec in specs:
        parts = [
            parts[at] if parts and dice.random() >= spec.fresh else dice.randbytes(piece_bytes) for at in range(pieces)
        ]
        made.append(_release(spec, tuple(parts), piece_bytes))
    return made


def _release(spec: ReleaseSpec, parts: tuple[bytes, ...], piece_bytes: int) -> Release:
    size, hashed = len(parts) * piece_bytes, digest_function(ALGORITHM)
    each = size // FILES
    sizes = [each] * (FILES - 1) + [size - each * (FILES - 1)]
    entries = (
        Entry("bin", "directory", 0o755, 1),
        *(Entry(f"bin/part{at}", "file", 0o644, 2, one) for at, one in enumerate(sizes)),
    )
    manifest = Manifest(
        PRODUCT, spec.version, spec.sequence, ALGORITHM, Profile("sim", 1, piece_bytes, piece_bytes),
        b"".join(map(hashed, parts)), array("I", [piece_bytes] * len(parts)), entries, True, HEALTH,
    )  # fmt: skip
    encoded = codec.encode(manifest)
    return Release(spec, manifest, encoded, manifest_digest(encoded), parts)


def _digests(manifest: Manifest) -> list[bytes]:
    return [manifest.digest(piece) for piece in range(manifest.pieces)]
