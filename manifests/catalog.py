"""Which releases were published to a store: `releases/<product>/<sequence>-<version>` holds the manifest's digest.

Publishers run at the same time. So a sequence is claimed before it is used: `sequences/<product>/<number>` is made
once, by whoever has it, and `versions/<product>/<version>` says which number a version has. Both are never changed; a
number whose publication failed belongs to that version still.

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

SEQUENCES: Final = "sequences"
VERSIONS: Final = "versions"
CLAIMS_MAX: Final = 1_000
"""Publishers of one product that may be quicker than oneself."""
_NAME: Final = re.compile(r"(?P<sequence>\d{1,19})-(?P<version>.+)")
_NUMBER: Final = re.compile(r"\d{19}")
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

    def path(self, release: ReleaseName) -> str:
        """Where its record lies; PublishError if it was not published."""
        for one in self.releases(release.product):
            if one.version == release.version:
                return one.path
        raise PublishError(f"{release} was not published to {self._store.url}")

    def digest(self, release: ReleaseName) -> bytes:
        """What was published under this name; PublishError if nothing was."""
        path = self.path(release)
        data = self._store.get(path, max_bytes=64)
        if not _DIGEST.fullmatch(data):
            raise StoreError(f"{path} in the store is no digest")
        return bytes.fromhex(data.decode())

    def sequence(self, release: ReleaseName, chosen: int | None) -> int:
        """The release's sequence, claimed: what it has already, or `chosen`, or one more than the greatest.

        PublishError when `chosen` is another release's, or not the one that this release has.
        """
        mine = self._number_of(release)
        if mine is None:
            number = self._claim(release, chosen)
            mine = self._put_or_get(f"{VERSIONS}/{release.product}/{release.version}", number)
        if chosen is not None and mine != chosen:
            raise PublishError(f"{release} was published with sequence {mine}")
        return mine

    def _number_of(self, release: ReleaseName) -> int | None:
        for one in self.releases(release.product):
            if one.version == release.version:
                return one.sequence
        try:
            return self._number(f"{VERSIONS}/{release.product}/{release.version}")
        except NoSuchBlobError:
            return None

    def _claim(self, release: ReleaseName, chosen: int | None) -> int:
        """A number that nobody else has, or `chosen` if that is nobody else's."""
        taken = {one.sequence: one.version for one in self.releases(release.product)}
        claimed = (path.rpartition("/")[2] for path in self._store.list(f"{SEQUENCES}/{release.product}"))
        greatest = max([*taken, *(int(name) for name in claimed if _NUMBER.fullmatch(name))], default=0)
        for number in range(greatest + 1, greatest + 1 + CLAIMS_MAX) if chosen is None else (chosen,):
            holder = taken.get(number) or self._holder(release, number)
            if holder == release.version:
                return number
            if chosen is not None:
                raise PublishError(f"sequence {chosen} is that of {release.product}@{holder}")
        raise StoreError(f"{CLAIMS_MAX} sequences of {release.product} in a row were taken meanwhile")

    def _holder(self, release: ReleaseName, number: int) -> str:
        """Whose version has the number, after trying to take it."""
        path = f"{SEQUENCES}/{release.product}/{number:019d}"
        try:
            self._store.put_new(path, release.version.encode())
            return release.version
        except BlobExistsError:
            return self._store.get(path, max_bytes=64).decode(errors="replace")

    def _put_or_get(self, path: str, number: int) -> int:
        try:
            self._store.put_new(path, b"%d" % number)
            return number
        except BlobExistsError:  # the same version, published twice at the same time
            return self._number(path)

    def _number(self, path: str) -> int:
        data = self._store.get(path, max_bytes=19)
        if not data.isdigit():
            raise StoreError(f"{path} in the store is no number")
        return int(data)

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
