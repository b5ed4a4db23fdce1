"""TUF metadata in the blob store, as a publisher reads and writes it: numbered, verified, never overwritten."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final, TypeVar, cast

from tuf.api.exceptions import RepositoryError

from .blobs import METADATA, BlobStore
from .errors import BlobExistsError, NoSuchBlobError, SigningError, UntrustedReleaseError
from .tuf_api import Metadata, Root, Snapshot, Targets, Timestamp

METADATA_BYTES_MAX: Final = 5_000_000
"""What clients of TUF take at most for a targets role, the largest of all."""
NEWEST_TRIES_MAX: Final = 16
"""How many unverifiable versions are looked past: after a change of keys, or when something wrote rubbish."""
_NAME: Final = re.compile(rf"{METADATA}/(?P<version>[1-9]\d{{0,9}})\.(?P<role>.+)\.json")
_TIMESTAMP: Final = f"{METADATA}/timestamp.json"
_DRAFTS: Final = "drafts"
"""Of metadata that waits for more signatures; no client looks there."""
_Signed = TypeVar("_Signed", Root, Snapshot, Targets, Timestamp)


def _numbered(role: str, version: int) -> str:
    """Where a version of a role is (consistent snapshots)."""
    return f"{METADATA}/{version}.{role}.json"


class TakenError(SigningError):
    """Somebody else put this version at the same time. Look again, then do it anew."""


class Shelf:
    """What lies below `metadata/`, listed once on construction. `foreign`: files found there that verify as nothing."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self.foreign: list[str] = []
        self._versions: dict[str, set[int]] = defaultdict(set)
        for path in store.list(METADATA):
            if match := _NAME.fullmatch(path):
                self._versions[match["role"]].add(int(match["version"]))

    def greatest(self, role: str) -> int:
        """The highest number that lies there for a role, verified or not; 0 if none does."""
        return max(self._versions[role], default=0)

    def free(self, role: str, version: int) -> int:
        """The first number from `version` on under which nothing lies."""
        while version in self._versions[role]:
            version += 1
        return version

    def root(self, pinned: bytes | None) -> Metadata[Root]:
        """The newest root, verified link by link from the pinned one, or from the store's first."""
        if not self._versions[Root.type]:
            raise SigningError("the store has no repository; make one with `p2p-manifest repo init`")
        data = pinned or self._store.get(_numbered(Root.type, 1), max_bytes=METADATA_BYTES_MAX)
        root = self._parse(data, Root)
        if root is None or not _vouches(root.signed, Root.type, root):
            raise UntrustedReleaseError("the root of trust is no root metadata, or is not signed by its own keys")
        number = root.signed.version
        if pinned and number in self._versions[Root.type] and self.raw(Root.type, number) != pinned:
            raise UntrustedReleaseError("this repository has another root than the pinned one")
        while root.signed.version + 1 in self._versions[Root.type]:
            following = self.load(Root.type, root.signed.version + 1, Root)
            if not (following and _vouches(root.signed, Root.type, following) and _follows(following)):
                raise UntrustedReleaseError(f"root version {root.signed.version + 1} is not signed as it must be")
            root = following
        return root

    def newest(self, role: str, delegator: Root | Targets, kind: type[_Signed]) -> Metadata[_Signed] | None:
        """The highest version that `delegator` vouches for; None if there is none."""
        return next(self.each(role, delegator, kind), None)

    def each(self, role: str, delegator: Root | Targets, kind: type[_Signed]) -> Iterator[Metadata[_Signed]]:
        """The versions that `delegator` vouches for, the highest first."""
        for version in sorted(self._versions[role], reverse=True)[:NEWEST_TRIES_MAX]:
            found = self.load(role, version, kind)
            if found is not None and _vouches(delegator, role, found):
                yield found
            else:
                self.foreign.append(_numbered(role, version))

    def load(self, role: str, version: int, kind: type[_Signed]) -> Metadata[_Signed] | None:
        """One version as it lies there, not verified; None if it is not of this kind and number."""
        data = self._store.get(_numbered(role, version), max_bytes=METADATA_BYTES_MAX)
        found = self._parse(data, kind)
        return found if found is not None and found.signed.version == version else None

    def timestamp(self) -> Timestamp | None:
        """The timestamp, whoever signed it (its key may have been replaced since); None if there is none."""
        try:
            found = self._parse(self._store.get(_TIMESTAMP, max_bytes=METADATA_BYTES_MAX), Timestamp)
        except NoSuchBlobError:
            return None
        return found.signed if found else None

    def put(self, role: str, metadata: Metadata[Any]) -> None:
        """Add a version; TakenError if another took its number meanwhile.

        The timestamp, which clients ask for without a number, is then replaced; its numbered copy is for publishers.
        """
        data, version = metadata.to_bytes(), metadata.signed.version
        if len(data) > METADATA_BYTES_MAX:
            raise SigningError(f"the role {role} has {len(data)} bytes, clients take at most {METADATA_BYTES_MAX}")
        try:
            self._store.put_new(_numbered(role, version), data)
        except BlobExistsError:
            raise TakenError(
                f"{_numbered(role, version)} exists: somebody signed at the same time; look, then run this again"
            ) from None
        self._versions[role].add(version)
        if role == Timestamp.type:
            self._store.replace(_TIMESTAMP, data)

    def raw(self, role: str, version: int) -> bytes:
        """The bytes of a version."""
        return self._store.get(_numbered(role, version), max_bytes=METADATA_BYTES_MAX)

    def draft(self, role: str, kind: type[_Signed]) -> Metadata[_Signed] | None:
        """What waits for signatures, not verified; None if nothing does."""
        try:
            return self._parse(self._store.get(_draft_path(role), max_bytes=METADATA_BYTES_MAX), kind)
        except NoSuchBlobError:
            return None

    def put_draft(self, role: str, metadata: Metadata[Any]) -> None:
        """Let it wait for more signatures; the one before it is forgotten."""
        self._store.replace(_draft_path(role), metadata.to_bytes())

    def drop_draft(self, role: str) -> bool:
        """Forget what waits; False if nothing does."""
        return self._store.remove(_draft_path(role))

    def drafts(self) -> list[str]:
        """The roles of which something waits; not those whose version was finished elsewhere."""
        found = []
        for path in self._store.list(_DRAFTS):
            role = path.rpartition("/")[2].removesuffix(".json")
            waiting = self.draft(role, Root) if role == Root.type else self.draft(role, Targets)
            if waiting and waiting.signed.version not in self._versions[role]:
                found.append(role)
        return found

    def prune(self, role: str, keep: int, named: int) -> int:
        """Remove all but the newest `keep` versions and the one that is `named`; how many went."""
        old = sorted(self._versions[role], reverse=True)[keep:]
        gone = [version for version in old if version < named]
        for version in gone:
            self._store.remove(_numbered(role, version))
            self._versions[role].discard(version)
        return len(gone)

    def _parse(self, data: bytes, kind: type[_Signed]) -> Metadata[_Signed] | None:
        try:
            found = Metadata[Any].from_bytes(data)
        except RepositoryError:
            return None
        return cast("Metadata[_Signed]", found) if isinstance(found.signed, kind) else None


def _draft_path(role: str) -> str:
    return f"{_DRAFTS}/{role}.json"


def _vouches(delegator: Root | Targets, role: str, metadata: Metadata[Any]) -> bool:
    try:
        delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except (RepositoryError, ValueError):
        return False
    return True


def _follows(root: Metadata[Root]) -> bool:
    """A new root must be signed by its own keys as well as by the old ones (TUF 5.3.4)."""
    return _vouches(root.signed, Root.type, root)
