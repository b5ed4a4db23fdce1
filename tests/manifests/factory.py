"""Small manifests, publishers with keys in memory, and clients, for the tests of this folder."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from manifests.blobs import BlobStore
from manifests.chunker import PROFILES
from manifests.errors import NoSuchBlobError
from manifests.manifest import Entry, HealthCheck, Manifest
from manifests.names import ReleaseName
from manifests.repository import Repository
from manifests.trust import Approved, TrustChain, Wanted
from manifests.tuf_api import CryptoSigner, Metadata, Timestamp

Answer = TypeVar("Answer")
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)
RELEASE = ReleaseName("shop", "1.0")
DIGEST, LENGTH = sha256(b"a manifest").digest(), 1234


def make_manifest(**changes: Any) -> Manifest:
    """A tree of every kind of entry, 300 bytes in two pieces."""
    values: dict[str, Any] = {
        "product": "shop",
        "version": "1.0",
        "sequence": 7,
        "algorithm": "sha256",
        "profile": PROFILES["host"],
        "digests": sha256(bytes(100)).digest() + sha256(bytes(200)).digest(),
        "lengths": array("I", [100, 200]),
        "entries": (
            Entry("bin", "directory", 0o755, 1_700_000_000_000_000_001),
            Entry("bin/shop", "file", 0o755, 1_700_000_000_000_000_002, 250),
            Entry("bin/till", "symlink", 0o777, 3, target="shop"),
            Entry("größe.txt", "file", 0o644, -1, 50),
        ),
        "health": HealthCheck(("bin/shop", "--check")),
    }
    return Manifest(**(values | changes))


def write_tree(root: Path, files: Mapping[str, bytes | str | None]) -> Path:
    """Bytes make a file, text a symlink to it, None an empty directory."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    return root


def new_signer() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


@dataclass
class Publisher:
    """A store with a repository for one product, `shop`, and everybody's keys."""

    store: BlobStore
    now: datetime = NOW
    pinned: bytes | None = None
    keys: dict[str, CryptoSigner] = field(
        default_factory=lambda: {name: new_signer() for name in ("root", "targets", "online", "build", "release")}
    )
    root: bytes = b""

    def __post_init__(self) -> None:
        self.root = self.repository.init([self.keys["root"]], self.keys["targets"], self.keys["online"])
        self.add_product()

    @property
    def repository(self) -> Repository:
        return Repository(self.store, self.now, root=self.pinned)

    def add_product(self, product: str = "shop") -> None:
        parties = {party: [self.keys[party].public_key] for party in ("build", "release")}
        self.repository.add_product(product, parties, self.keys["targets"])

    def sign(
        self,
        release: ReleaseName = RELEASE,
        digest: bytes = DIGEST,
        parties: Sequence[str] = ("build", "release"),
        length: int = LENGTH,
        edits: Sequence[int] = (),
    ) -> None:
        for party in parties:
            self.repository.sign(release, party, self.keys[party], digest, length, edits=edits)

    def promote(self) -> None:
        self.repository.promote(self.keys["online"])

    def timestamp(self) -> Metadata[Timestamp]:
        """What lies in the store; to be forged."""
        return Metadata[Timestamp].from_bytes(self.store.get("metadata/timestamp.json"))


@dataclass
class Client:
    """A machine with a pinned root and a cache."""

    publisher: Publisher
    cache: Path
    asked: list[str] = field(default_factory=list)

    def look_up(
        self, release: ReleaseName = RELEASE, *, offline: bool = False, now: datetime | None = None
    ) -> Approved:
        return self._ask(lambda chain, fetched: chain.look_up(release, fetched, offline=offline), now)

    def prepare(self, *products: str) -> int:
        """As a daemon does that has just started."""
        return self._ask(lambda chain, fetched: chain.prepare(products, fetched))

    def _ask(
        self, look: Callable[[TrustChain, dict[str, bytes | None]], Answer | Wanted], now: datetime | None = None
    ) -> Answer:
        moment = (now or self.publisher.now).timestamp()
        chain = TrustChain(self.publisher.root, self.cache, lambda: moment)
        fetched: dict[str, bytes | None] = {}
        while isinstance(answer := look(chain, fetched), Wanted):
            self.asked.append(answer.path)
            try:
                fetched[answer.path] = self.publisher.store.get(answer.path, max_bytes=answer.max_bytes)
            except NoSuchBlobError:
                fetched[answer.path] = None
        return answer
