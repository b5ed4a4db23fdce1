"""The publisher's side of trust: makes, signs and renews the TUF metadata in a blob store. Nothing else travels.

Built on `tuf.api` (stable), not on `tuf.repository` (declared unstable). Every verb reads what lies in the store,
verifies it, and puts one new version. Old content is only signed again when a pinned root vouches for it or the very
same key signed it before: whoever can write to the store must not get a forged list signed along with a new release.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from securesystemslib.exceptions import UnverifiedSignatureError

from .authority import DIRECTOR, GOAL_PATHS, OPERATORS
from .blobs import BlobStore
from .errors import SigningError, UntrustedReleaseError
from .names import ReleaseName, check_product
from .shelf import Shelf
from .trust import PARTIES, role_name, target_path
from .tuf_api import (
    CryptoSigner,
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

ROOT_LIFE: Final = timedelta(days=365)
TARGETS_LIFE: Final = timedelta(days=365)
PARTY_LIFE: Final = timedelta(days=180)
"""Offline keys: people renew these, with each release at the latest."""
SNAPSHOT_LIFE: Final = timedelta(days=14)
TIMESTAMP_LIFE: Final = timedelta(days=3)
"""An online key: how long a mirror can hide that there is something newer. Promote daily, by a timer."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a party's role says now: its `version`, and how many releases of the product it names."""

    role: str
    version: int
    releases: int


@dataclass(frozen=True, slots=True)
class Promotion:
    """What clients see from now on: `roles` and their versions. `foreign`: files in the store that don't verify."""

    snapshot: int
    timestamp: int
    roles: Mapping[str, int]
    foreign: Sequence[str] = field(default=())


class Repository:
    """The trust metadata in `store`, at the time `now` (aware). `root`: the pinned root.json's bytes, if any."""

    def __init__(self, store: BlobStore, now: datetime, *, root: bytes | None = None) -> None:
        self._shelf = Shelf(store)
        self._now = now
        self._pinned = root

    def init(
        self,
        root: Sequence[CryptoSigner],
        targets: CryptoSigner,
        online: CryptoSigner,
        *,
        root_threshold: int = 1,
        root_life: timedelta = ROOT_LIFE,
    ) -> bytes:
        """A new repository; returns root.json, which clients pin. SigningError if there is one, or keys are few."""
        if self._shelf.greatest(Root.type):
            raise SigningError("the store has a repository already")
        if not 1 <= root_threshold <= len(root):
            raise SigningError(f"{root_threshold} signatures of {len(root)} root keys are impossible")
        document = Root(version=1, expires=self._now + root_life, consistent_snapshot=True)
        for signer in root:
            document.add_key(signer.public_key, Root.type)
        document.roles[Root.type].threshold = root_threshold
        document.add_key(targets.public_key, Targets.type)
        document.add_key(online.public_key, Snapshot.type)
        document.add_key(online.public_key, Timestamp.type)
        metadata = _signed(document, root)
        self._shelf.put(Root.type, metadata)
        top = Targets(version=1, expires=self._now + TARGETS_LIFE, delegations=Delegations({}, {}))
        self._shelf.put(Targets.type, _signed(top, [targets]))
        self.promote(online)
        return metadata.to_bytes()

    def add_product(self, product: str, keys: Mapping[str, Sequence[Key]], targets: CryptoSigner) -> int:
        """Delegate to both parties of a product (`keys` by party; replaces those it had); returns targets' version.

        One signature of a party suffices, whichever of its keys. SigningError when a key is in both parties.
        """
        check_product(product)
        _check_disjoint(keys)
        root = self._shelf.root(self._pinned).signed
        top = self._require(self._shelf.newest(Targets.type, root, Targets), "targets", targets, root.roles)
        delegations = top.signed.delegations or Delegations({}, {})
        roles = _delegated(top.signed)
        known = dict(delegations.keys)
        for party in PARTIES:
            known.update({key.keyid: key for key in keys[party]})
            name, keyids = role_name(party, product), [key.keyid for key in keys[party]]
            roles[name] = DelegatedRole(name, keyids, 1, terminating=True, paths=[f"{party}/{product}/*"])
        top.signed.delegations = _delegations(known, roles)
        return self._next(Targets.type, top, [targets], TARGETS_LIFE)

    def set_authority(self, director: Sequence[Key], operators: Sequence[Key], targets: CryptoSigner) -> int:
        """Goals are signed from now on: by one of the director's keys, and rollbacks by one of the operators' as well.

        Replaces those there were; returns targets' version. SigningError when a key is in both.
        """
        _check_apart({DIRECTOR: director, OPERATORS: operators}, "the director and the operators")
        root = self._shelf.root(self._pinned).signed
        top = self._require(self._shelf.newest(Targets.type, root, Targets), "targets", targets, root.roles)
        roles, known = _delegated(top.signed), dict(top.signed.delegations.keys if top.signed.delegations else {})
        for name, keys in ((DIRECTOR, director), (OPERATORS, operators)):
            known.update({key.keyid: key for key in keys})
            roles[name] = DelegatedRole(name, [key.keyid for key in keys], 1, terminating=True, paths=list(GOAL_PATHS))
        top.signed.delegations = _delegations(known, roles)
        return self._next(Targets.type, top, [targets], TARGETS_LIFE)

    def sign(
        self, release: ReleaseName, party: str, signer: CryptoSigner, digest: bytes, length: int,
        *, life: timedelta = PARTY_LIFE,
    ) -> Signature:  # fmt: skip
        """A party vouches for a release: its manifest has `length` bytes with this SHA-256. To be promoted.

        SigningError when the name is signed with another digest, by this party or by the other.
        """
        for other in PARTIES:
            self._check_same(release, other, digest)

        def add(targets: dict[str, TargetFile]) -> None:
            path = target_path(party, release)
            targets[path] = TargetFile(length, {"sha256": digest.hex()}, path)

        return self._resign(release.product, party, signer, add, life)

    def revoke(self, release: ReleaseName, party: str, signer: CryptoSigner, life: timedelta = PARTY_LIFE) -> Signature:
        """A party no longer vouches for a release; SigningError if it never did."""
        path = target_path(party, release)

        def remove(targets: dict[str, TargetFile]) -> None:
            if targets.pop(path, None) is None:
                raise SigningError(f"the {party} party has not signed {release}")

        return self._resign(release.product, party, signer, remove, life)

    def renew(self, product: str, party: str, signer: CryptoSigner, life: timedelta = PARTY_LIFE) -> Signature:
        """A party says the same again, with a new date of expiry."""
        return self._resign(product, party, signer, lambda targets: None, life)

    def promote(
        self, online: CryptoSigner,
        *, snapshot_life: timedelta = SNAPSHOT_LIFE, timestamp_life: timedelta = TIMESTAMP_LIFE,
    ) -> Promotion:  # fmt: skip
        """Show clients the newest verified version of every role, with fresh dates (even when nothing else is new)."""
        root = self._shelf.root(self._pinned).signed
        _check_key(online, root.roles[Timestamp.type].keyids, "the timestamp")
        top = self._shelf.newest(Targets.type, root, Targets)
        if top is None:
            raise UntrustedReleaseError("no targets metadata in the store verifies")
        roles = self._promoted_roles(root, top.signed)
        meta = {f"{name}.json": MetaFile(version) for name, version in sorted(roles.items())}
        snapshot = Snapshot(self._shelf.greatest(Snapshot.type) + 1, expires=self._now + snapshot_life, meta=meta)
        self._shelf.put(Snapshot.type, _signed(snapshot, [online]))
        timestamp = Timestamp(
            self._shelf.timestamp_version() + 1,
            expires=self._now + timestamp_life,
            snapshot_meta=MetaFile(snapshot.version),
        )
        self._shelf.put(Timestamp.type, _signed(timestamp, [online]))
        return Promotion(snapshot.version, timestamp.version, roles, tuple(self._shelf.foreign))

    def rotate_root(
        self,
        signers: Sequence[CryptoSigner],
        *,
        root: Sequence[Key] = (),
        targets: CryptoSigner | None = None,
        online: Key | None = None,
        life: timedelta = ROOT_LIFE,
    ) -> int:
        """A new root version, with a new date and, where given, new keys; returns its version.

        `signers`: enough of the old and of the new root keys. A new targets key signs the targets role at once; after a
        new online key, promote with it.
        """
        old = self._shelf.root(self._pinned)
        self._check_genuine(old, Root.type, signers)
        top = self._shelf.newest(Targets.type, old.signed, Targets)
        document = deepcopy(old.signed)
        document.version, document.expires = old.signed.version + 1, self._now + life
        replaced: dict[str, list[Key]] = {Root.type: list(root), Targets.type: [targets.public_key] if targets else []}
        replaced |= {name: [online] if online else [] for name in (Snapshot.type, Timestamp.type)}
        for role, keys in replaced.items():
            for keyid in document.roles[role].keyids.copy() if keys else []:
                document.revoke_key(keyid, role)
            for key in keys:
                document.add_key(key, role)
        metadata = _signed(document, signers)
        for delegator, whose in ((old.signed, "old"), (document, "new")):
            result = delegator.get_verification_result(Root.type, metadata.signed_bytes, metadata.signatures)
            if not result:
                raise SigningError(f"{result.missing} more signatures of the {whose} root keys are needed")
        self._shelf.put(Root.type, metadata)
        if targets and top:
            self._next(Targets.type, top, [targets], TARGETS_LIFE)
        return document.version

    def signed_digest(self, release: ReleaseName, party: str) -> bytes | None:
        """What a party has signed for this name, promoted or not."""
        role = self._party(release.product, party)[0]
        target = role.signed.targets.get(target_path(party, release)) if role else None
        return bytes.fromhex(target.hashes["sha256"]) if target else None

    def _promoted_roles(self, root: Root, top: Targets) -> dict[str, int]:
        """The newest verified version of each role; those that the last snapshot names already are not read."""
        last = self._shelf.newest(Snapshot.type, root, Snapshot)
        before = {name: meta.version for name, meta in last.signed.meta.items()} if last else {}
        if before.get(f"{Targets.type}.json") != top.version:
            before = {}  # the delegations may have changed: what was valid under them may not be any more
        roles = {Targets.type: top.version}
        for name in _delegated(top):
            if before.get(f"{name}.json") == self._shelf.greatest(name):
                roles[name] = self._shelf.greatest(name)
            elif newest := self._shelf.newest(name, top, Targets):
                roles[name] = newest.signed.version
        return roles

    def _resign(
        self, product: str, party: str, signer: CryptoSigner,
        change: Callable[[dict[str, TargetFile]], None], life: timedelta,
    ) -> Signature:  # fmt: skip
        name = role_name(party, product)
        current, delegation = self._party(product, party)
        if current is None:
            _check_key(signer, delegation.keyids, f"the {party} party of {product}")
            current = Metadata(Targets())
            current.signed.version = self._shelf.greatest(name)
        else:
            self._require(current, name, signer, {name: delegation})
        change(current.signed.targets)
        version = self._next(name, current, [signer], life)
        return Signature(name, version, len(current.signed.targets))

    def _party(self, product: str, party: str) -> tuple[Metadata[Targets] | None, DelegatedRole]:
        name = role_name(party, product)
        top = self._shelf.newest(Targets.type, self._shelf.root(self._pinned).signed, Targets)
        delegation = _delegated(top.signed).get(name) if top else None
        if top is None or delegation is None:
            raise SigningError(f"{product} has no {party} party; add it with `p2p-manifest repo add-product {product}`")
        return self._shelf.newest(name, top.signed, Targets), delegation

    def _check_same(self, release: ReleaseName, party: str, digest: bytes) -> None:
        signed = self.signed_digest(release, party)
        if signed not in (None, digest):
            raise SigningError(
                f"the {party} party has signed {release} as {(signed or b'').hex()[:16]}…, not {digest.hex()[:16]}…; "
                "a name is never used twice: publish another version"
            )

    def _require(
        self, metadata: Metadata[Any] | None, role: str, signer: CryptoSigner, roles: Mapping[str, Any]
    ) -> Metadata[Any]:
        if metadata is None:
            raise UntrustedReleaseError(f"no version of {role} in the store verifies")
        _check_key(signer, roles[role].keyids, role)
        self._check_genuine(metadata, role, [signer])
        return metadata

    def _check_genuine(self, metadata: Metadata[Any], role: str, signers: Sequence[CryptoSigner]) -> None:
        if self._pinned is None and not any(_signed_by(metadata, signer.public_key) for signer in signers):
            raise SigningError(
                f"the last version of {role} was signed with another key; give --root ROOT.json, so that what is "
                "signed again is known to be genuine"
            )

    def _next(self, role: str, current: Metadata[Any], signers: Sequence[CryptoSigner], life: timedelta) -> int:
        current.signed.version += 1
        current.signed.expires = self._now + life
        version: int = current.signed.version
        self._shelf.put(role, _signed(current.signed, signers))
        return version


def _signed(document: Any, signers: Sequence[CryptoSigner]) -> Metadata[Any]:
    metadata: Metadata[Any] = Metadata(document)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata


def _signed_by(metadata: Metadata[Any], key: Key) -> bool:
    """Truly signed, not only listed: a forged signature beside a valid one of a forger's key would pass a threshold."""
    try:
        key.verify_signature(metadata.signatures[key.keyid], metadata.signed_bytes)
    except (KeyError, UnverifiedSignatureError):
        return False
    return True


def _delegated(top: Targets) -> dict[str, DelegatedRole]:
    return dict((top.delegations.roles if top.delegations else None) or {})


def _delegations(known: Mapping[str, Key], roles: dict[str, DelegatedRole]) -> Delegations:
    """The roles, and of the known keys those that one of them has."""
    used = {keyid for role in roles.values() for keyid in role.keyids}
    return Delegations({keyid: key for keyid, key in known.items() if keyid in used}, roles)


def _check_key(signer: CryptoSigner, keyids: Sequence[str], whose: str) -> None:
    if signer.public_key.keyid not in keyids:
        raise SigningError(f"this key ({signer.public_key.keyid[:16]}…) is not one of {whose}")


def _check_disjoint(keys: Mapping[str, Sequence[Key]]) -> None:
    for party in PARTIES:
        if not keys.get(party):
            raise SigningError(f"the {party} party needs a key")
    _check_apart(keys, "both parties: then one party alone could release")


def _check_apart(keys: Mapping[str, Sequence[Key]], where: str) -> None:
    """SigningError when two of these share a key, under whatever ids."""
    seen: dict[str, str] = {}
    for name, theirs in keys.items():
        for key in theirs:
            if seen.setdefault(str(key.keyval), name) != name:
                raise SigningError(f"the key {key.keyid[:16]}… is in {where}")
