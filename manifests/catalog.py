"""Which releases were published to a store: `releases/<product>/<sequence>-<version>` holds the manifest's digest.

A convenience for publishers, unsigned: nobody installs by it. Parties should sign the digest that they were told, not
the one that they find here.
"""

import re
from dataclasses import dataclass
from typing import Final

from .blobs import RELEASES, BlobStore, manifest_path
from .digest import manifest_digest
from .errors import BlobExistsError, MalformedManifestError, NoSuchBlobError, PublishError, StoreError
from .limits import MANIFEST_BYTES_MAX
from .names import ReleaseName

_NAME: Final = re.compile(r"(?P<sequence>\d{1,19})-(?P<version>.+)")
_DIGEST: Final = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Published:
    """One published release of a product."""

    sequence: int
    version: str
    path: str


class Catalog:
    """The published releases in `store`."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def releases(self, product: str) -> list[Published]:
        """All of a product, by sequence."""
        found = []
        for path in self._store.list(f"{RELEASES}/{product}"):
            if match := _NAME.fullmatch(path.rpartition("/")[2]):
                found.append(Published(int(match["sequence"]), match["version"], path))
        return sorted(found, key=lambda one: (one.sequence, one.version))

    def digest(self, release: ReleaseName) -> bytes:
        """What was published under this name; PublishError if nothing was."""
        for one in self.releases(release.product):
            if one.version == release.version:
                data = self._store.get(one.path, max_bytes=64)
                if not _DIGEST.fullmatch(data):
                    raise StoreError(f"{one.path} in the store is no digest")
                return bytes.fromhex(data.decode())
        raise PublishError(f"{release} was not published to {self._store.url}")

    def sequence(self, release: ReleaseName, chosen: int | None) -> int:
        """The release's sequence: what it has already, or `chosen`, or one more than the greatest.

        PublishError when `chosen` is another release's, or not the one that this release has.
        """
        known = self.releases(release.product)
        mine = next((one.sequence for one in known if one.version == release.version), None)
        if chosen is None:
            return mine if mine is not None else max((one.sequence for one in known), default=0) + 1
        if mine is not None and mine != chosen:
            raise PublishError(f"{release} was published with sequence {mine}")
        for one in known:
            if one.sequence == chosen and one.version != release.version:
                raise PublishError(f"sequence {chosen} is that of {release.product}@{one.version}")
        return chosen

    def add(self, release: ReleaseName, sequence: int, digest: bytes) -> bool:
        """Record a release. False if it was recorded so; PublishError if its name has another digest."""
        try:
            known = self.digest(release)
        except PublishError:
            known = None
        if known is None:
            try:
                self._store.put_new(
                    f"{RELEASES}/{release.product}/{sequence:010d}-{release.version}", digest.hex().encode()
                )
                return True
            except BlobExistsError:
                known = self.digest(release)
        if known != digest:
            raise PublishError(f"{release} was published with other content; a version is never used twice")
        return False


def manifest_bytes(store: BlobStore, digest: bytes) -> bytes:
    """The manifest of a digest, verified; NoSuchBlobError, MalformedManifestError."""
    try:
        data = store.get(manifest_path(digest), max_bytes=MANIFEST_BYTES_MAX)
    except NoSuchBlobError:
        raise NoSuchBlobError(f"the store has no manifest {digest.hex()}") from None
    if manifest_digest(data) != digest:
        raise MalformedManifestError(f"what the store has as manifest {digest.hex()[:16]}… is damaged or forged")
    return data
