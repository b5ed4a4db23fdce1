"""The publisher of the stories: the real publishing and signing code before a blob store in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random

from manifests.blobs import BlobStore
from manifests.chunker import PROFILES
from manifests.manifest import HealthCheck, Manifest
from manifests.names import parse_release
from manifests.packs import Pack
from manifests.publish import publish, stored_edits
from manifests.tuf_api import CryptoSigner
from tests.fakes.world import EPOCH
from tests.manifests.factory import Publisher, new_signer, write_tree

Files = dict[str, bytes]


@cache
def keys() -> dict[str, CryptoSigner]:
    """Everybody's keys, made once a session."""
    return {name: new_signer() for name in ("root", "targets", "online", "build", "release")}


def make_files(rng_seed: int = 1, files: int = 12, file_bytes: int = 150_000) -> Files:
    """A tree of random files."""
    rng = Random(rng_seed)
    return {f"lib/{number}.bin": rng.randbytes(file_bytes) for number in range(files)}


def changed(files: Files, rng_seed: int = 2) -> Files:
    """The same tree with one file written anew."""
    name = sorted(files)[0]
    return files | {name: Random(rng_seed).randbytes(len(files[name]))}


@dataclass(frozen=True)
class Release:
    """What was published. `digest` is its swarm."""

    name: str
    files: Files
    manifest: Manifest
    digest: bytes
    manifest_bytes: int

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return self.manifest.size


class Publishing:
    """Publishes, signs and promotes. `root` is what machines pin."""

    def __init__(self, directory: Path, store: BlobStore) -> None:
        self.store = store
        self.publisher = Publisher(store, datetime.fromtimestamp(EPOCH, UTC), keys=keys())
        self.root = self.publisher.root
        self._directory = directory
        self._products = {"shop"}

    def publish(
        self,
        name: str,
        files: Files,
        *,
        parties: tuple[str, ...] = ("build", "release"),
        health: bool = True,
        packs: Callable[[Manifest], Iterable[Pack]] = lambda manifest: (),
    ) -> Release:
        """A release of these files, signed by these parties. Blocks."""
        release = parse_release(name)
        tree = write_tree(self._directory / name, files)
        check = HealthCheck(("bin/check",), attempts=2) if health else None
        made = publish(tree, self.store, release, profile=PROFILES["device"], health=check, packs=packs)
        edits = stored_edits(self.store, made.manifest, made.digest)
        self.sign(name, made.digest, made.manifest_bytes, parties, edits)
        return Release(name, files, made.manifest, made.digest, made.manifest_bytes)

    def sign(
        self, name: str, digest: bytes, manifest_bytes: int, parties: tuple[str, ...] = ("build", "release"),
        edits: Sequence[int] = (),
    ) -> None:  # fmt: skip
        """These parties say that this manifest is the release of this name."""
        release = parse_release(name)
        if release.product not in self._products:
            self.publisher.add_product(release.product)
            self._products.add(release.product)
        self.publisher.sign(release, digest, parties, manifest_bytes, edits)
        self.publisher.promote()

    def renew(self, utc: float) -> None:
        """The online metadata is signed anew, at this time."""
        self.publisher.now = datetime.fromtimestamp(utc, UTC)
        self.publisher.promote()
