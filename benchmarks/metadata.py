"""What trust costs a fleet in metadata: requests and bytes of a first visit, of a later look, of a release.

    python -m benchmarks.metadata [--products 500] [--releases 50] [--json]

A repository of so many products, two parties each, in memory; the real trust code of a client asks for what it wants,
and each answer is counted: its path (a request) and its bytes, packed as the seeder packs them (bodies; HTTP's own
heads are some 300 bytes more). Every party of every product has a key of its own: with shared keys it is less.

The claims: a first visit takes at most 8 requests and 300 KB, a later look that finds nothing new 1 request and 2 KB.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from manifests.blobs import BlobStore
from manifests.errors import NoSuchBlobError
from manifests.names import ReleaseName
from manifests.repository import PARTY_LIFE, Repository
from manifests.trust import PARTIES, Approved, TrustChain, role_name, target_path
from manifests.tuf_api import CryptoSigner, DelegatedRole, Delegations, Key, Metadata, TargetFile, Targets
from p2pd.gzipped import PACKED_MIN_BYTES, pack

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FIRST_REQUESTS_MAX, FIRST_BYTES_MAX = 8, 300_000
LATER_REQUESTS_MAX, LATER_BYTES_MAX = 1, 2_000
BATCH_RELEASES = 50
"""Of different products, signed between two promotions."""
MANIFEST_BYTES = 1_200_000


@dataclass(frozen=True)
class Look:
    """What one look of a client cost."""

    requests: int
    received_bytes: int
    plain_bytes: int
    cpu_s: float


class Site:
    """The repository and its keys."""

    def __init__(self, products: int, releases: int) -> None:
        self.store = BlobStore("memory:///")
        self.now = NOW
        self.keys = {name: CryptoSigner.generate_ed25519() for name in ("root", "targets", "online")}
        self.parties = {
            role_name(party, product(number)): CryptoSigner.generate_ed25519()
            for number in range(products)
            for party in PARTIES
        }
        root, targets, online = self.keys.values()
        self.root = self.repository.init([root], targets, online)
        self._lay_out(products, releases, targets)
        self.repository.promote(online)

    @property
    def repository(self) -> Repository:
        """As it is now."""
        return Repository(self.store, self.now)

    def _lay_out(self, products: int, releases: int, targets: CryptoSigner) -> None:
        """What add-product and sign would have left there, in one go: 50,000 single signatures take minutes."""
        keys: dict[str, Key] = {signer.public_key.keyid: signer.public_key for signer in self.parties.values()}
        roles = {}
        for number in range(products):
            for party in PARTIES:
                name = role_name(party, product(number))
                keyids = [self.parties[name].public_key.keyid]
                roles[name] = DelegatedRole(name, keyids, 1, terminating=True, paths=[f"{party}/{product(number)}/*"])
                listed = Targets(1, expires=self.now + PARTY_LIFE)
                for release in range(releases):
                    path = target_path(party, ReleaseName(product(number), f"1.{release}"))
                    more = {"custom": {"sequence": release}}
                    digest = sha256(b"%d" % release).hexdigest()
                    listed.targets[path] = TargetFile(MANIFEST_BYTES, {"sha256": digest}, path, more)
                self._put(name, 1, listed, self.parties[name])
        top = Targets(2, expires=self.now + timedelta(days=365), delegations=Delegations(keys, roles))
        self._put("targets", 2, top, targets)

    def _put(self, role: str, version: int, document: Targets, signer: CryptoSigner) -> None:
        metadata = Metadata(document)
        metadata.sign(signer)
        self.store.put_new(f"metadata/{version}.{role}.json", metadata.to_bytes())

    def release(self, number: int, version: str) -> None:
        """Both parties of a product sign one more."""
        name = ReleaseName(product(number), version)
        for party in PARTIES:
            signer = self.parties[role_name(party, product(number))]
            digest = sha256(version.encode()).digest()
            self.repository.sign(name, party, signer, digest, MANIFEST_BYTES, sequence=1_000)


def product(number: int) -> str:
    """Its name."""
    return f"service-{number:04d}"


def look(site: Site, cache: Path, release: ReleaseName) -> Look:
    """A client looks a release up."""
    chain = TrustChain(site.root, cache, site.now.timestamp)
    fetched: dict[str, bytes | None] = {}
    began = time.process_time()
    while not isinstance(answer := chain.look_up(release, fetched), Approved):
        for wanted in (answer, *answer.also):
            try:
                fetched[wanted.path] = site.store.get(wanted.path)
            except NoSuchBlobError:
                fetched[wanted.path] = None
    cpu_s = time.process_time() - began
    bodies = [data for data in fetched.values() if data is not None]
    packed = sum(len(pack(data)) if len(data) >= PACKED_MIN_BYTES else len(data) for data in bodies)
    return Look(len(fetched), packed, sum(map(len, bodies)), cpu_s)


def looks(site: Site, cache: Path) -> Iterator[tuple[str, Look]]:
    """A client's life, one look after the other."""
    old = ReleaseName(product(0), "1.0")
    yield "first visit", look(site, cache, old)
    yield "nothing new", look(site, cache, old)
    site.now += timedelta(hours=1)
    site.repository.promote(site.keys["online"])
    yield "the timestamp was renewed", look(site, cache, old)
    site.release(0, "2.0")
    site.repository.promote(site.keys["online"])
    yield "one release, of its own product", look(site, cache, ReleaseName(product(0), "2.0"))
    for number in range(1, 1 + BATCH_RELEASES):
        site.release(number, "2.0")
    site.repository.promote(site.keys["online"])
    yield f"{BATCH_RELEASES} releases of other products, in one batch", look(site, cache, old)


def main() -> int:
    """0 when the claims are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=500)
    parser.add_argument("--releases", type=int, default=50, help="that each party's list names")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    site = Site(given.products, given.releases)
    with tempfile.TemporaryDirectory(prefix="p2pd-metadata-") as directory:
        found = dict(looks(site, Path(directory)))
    first, later = found["first visit"], found["nothing new"]
    kept = (
        first.requests <= FIRST_REQUESTS_MAX
        and first.received_bytes <= FIRST_BYTES_MAX
        and later.requests <= LATER_REQUESTS_MAX
        and later.received_bytes <= LATER_BYTES_MAX
    )
    value = {
        "products": given.products,
        "releases": given.releases,
        "looks": {name: asdict(one) for name, one in found.items()},
        "claims_kept": kept,
    }
    if given.json:
        print(json.dumps(value))
    else:
        for name, one in found.items():
            size = f"{one.received_bytes:>8,} bytes ({one.plain_bytes:,} plain)"
            print(f"{name:48} {one.requests} requests {size:32} {one.cpu_s * 1000:6.0f} ms of CPU")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
