"""The publisher's daily verbs: a party vouches for a release, the online role shows it. Nothing but metadata moves.

Built on `tuf.api` (stable), not on `tuf.repository` (declared unstable). Offline and online are apart: parties sign
lists of releases with keys of their own, on machines of their own; the online role signs only which versions of those
lists are newest, so whoever takes its key can release nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from .ceremonies import ROOT_LIFE, Ceremonies
from .desk import check_key, delegated, signing
from .errors import SigningError, UntrustedReleaseError
from .names import ReleaseName
from .trust import role_name, target_path
from .tuf_api import DelegatedRole, Metadata, MetaFile, Root, Signer, Snapshot, TargetFile, Targets, Timestamp

PARTY_LIFE: Final = timedelta(days=180)
"""Offline keys: people renew these, with each release at the latest."""
SNAPSHOT_LIFE: Final = timedelta(days=14)
TIMESTAMP_LIFE: Final = timedelta(days=3)
"""An online key: how long a mirror can hide that there is something newer. Promote daily, by a timer."""
RELEASES_KEPT: Final = 100
"""Of one product in a party's list; at most some 150 bytes each. Whatever is older can't be installed any more."""
ROLE_VERSIONS_KEPT: Final = 8
SNAPSHOTS_KEPT: Final = 100
"""Superseded files stay so long for clients in the middle of a look, and for caches of the timestamp."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a party's role says now, or will when the `missing` keys have signed too: how many releases it names."""

    role: str
    version: int
    releases: int
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Promotion:
    """What clients see from now on: `roles` and their versions. `foreign`: files in the store that don't verify."""

    snapshot: int
    timestamp: int
    roles: Mapping[str, int]
    foreign: Sequence[str] = field(default=())


class Repository(Ceremonies):
    """All verbs."""

    def init(
        self,
        root: Sequence[Signer],
        targets: Signer,
        online: Signer,
        *,
        root_threshold: int = 1,
        root_life: timedelta = ROOT_LIFE,
    ) -> bytes:
        """A new repository with all keys in one place; returns root.json, which clients pin."""
        keys = [signer.public_key for signer in root]
        self.make_root(keys, root, [targets.public_key], [online.public_key], threshold=root_threshold, life=root_life)
        self.make_targets([targets])
        self.promote(online)
        return self.first_root()

    def sign(
        self, release: ReleaseName, party: str, signer: Signer, digest: bytes, length: int,
        *, sequence: int = 0, edits: Sequence[int] = (), life: timedelta = PARTY_LIFE,
    ) -> Signature:  # fmt: skip
        """A party vouches for a release: its manifest has `length` bytes and this digest. To be promoted.

        `sequence`: the manifest's; of more than RELEASES_KEPT releases the lowest leaves the list. `edits`: those of
        the releases to which the store has edits. SigningError when the name is signed with another digest, by this
        party or by the other.
        """

        def add(targets: dict[str, TargetFile]) -> None:
            path = target_path(party, release)
            custom = {"sequence": sequence} | ({"edits": list(edits)} if edits else {})
            fields = {"custom": custom}
            targets[path] = TargetFile(length, {"sha256": digest.hex()}, path, unrecognized_fields=fields)
            for old in sorted(targets, key=lambda path: _sequence(targets[path]))[:-RELEASES_KEPT]:
                del targets[old]

        def act() -> Signature:
            for other in ("build", "release"):
                self._check_same(release, other, digest)
            return self._resign(release.product, party, signer, add, life)

        return self._again(act)

    def revoke(self, release: ReleaseName, party: str, signer: Signer, life: timedelta = PARTY_LIFE) -> Signature:
        """A party no longer vouches for a release; SigningError if it never did."""
        path = target_path(party, release)

        def remove(targets: dict[str, TargetFile]) -> None:
            if targets.pop(path, None) is None:
                raise SigningError(f"the {party} party has not signed {release}")

        return self._again(lambda: self._resign(release.product, party, signer, remove, life))

    def renew(
        self, product: str, party: str, signer: Signer, life: timedelta = PARTY_LIFE, *, carry_over: bool = False
    ) -> Signature:
        """A party says the same again, with a new date of expiry.

        `carry_over`: after its keys were replaced as planned, take over the list that the keys before signed. Never
        after a theft: then what was released is signed for anew, one by one.
        """

        def act() -> Signature:
            return self._resign(product, party, signer, lambda targets: None, life, carry_over=carry_over)

        return self._again(act)

    def promote(
        self, online: Signer,
        *, snapshot_life: timedelta = SNAPSHOT_LIFE, timestamp_life: timedelta = TIMESTAMP_LIFE,
    ) -> Promotion:  # fmt: skip
        """Show clients the newest verified version of every role, with fresh dates (even when nothing else is new).

        The snapshot, which every client fetches, is only made anew when it must be.
        """
        return self._again(lambda: self._promote(online, snapshot_life, timestamp_life))

    def is_stale(self, timestamp_life: timedelta = TIMESTAMP_LIFE) -> bool:
        """Whether there is something to promote: a new version of a role, or a timestamp in its second half."""
        root = self._root().signed
        shown = self._shelf.timestamp()
        top = self._shelf.newest(Targets.type, root, Targets)
        if shown is None or top is None or shown.expires - self._now < timestamp_life / 2:
            return True
        return self._promoted_roles(root, top.signed) != self._promoted(root)

    def signed_digest(self, release: ReleaseName, party: str) -> bytes | None:
        """What a party has signed for this name, promoted or not."""
        role = self._party(release.product, party)[0]
        target = role.signed.targets.get(target_path(party, release)) if role else None
        return bytes.fromhex(target.hashes["sha256"]) if target else None

    def _promote(self, online: Signer, snapshot_life: timedelta, timestamp_life: timedelta) -> Promotion:
        root = self._root().signed
        check_key(online, root.roles[Timestamp.type].keyids, "the timestamp")
        top = self._shelf.newest(Targets.type, root, Targets)
        if top is None:
            raise UntrustedReleaseError("no targets metadata in the store verifies")
        roles = self._promoted_roles(root, top.signed)
        snapshot = self._snapshot(root, roles, online, snapshot_life)
        timestamp = Timestamp(
            self._next_timestamp(root),
            expires=self._now + timestamp_life,
            snapshot_meta=MetaFile(snapshot),
        )
        self._shelf.put(Timestamp.type, _signed(timestamp, online))
        for role, version in roles.items():
            self._shelf.prune(role, ROLE_VERSIONS_KEPT, version)
        self._shelf.prune(Snapshot.type, SNAPSHOTS_KEPT, snapshot)
        self._shelf.prune(Timestamp.type, ROLE_VERSIONS_KEPT, timestamp.version)
        return Promotion(snapshot, timestamp.version, roles, tuple(dict.fromkeys(self._shelf.foreign)))

    def _next_timestamp(self, root: Root) -> int:
        """Above what is shown, and above what was, should the file itself be away for a moment."""
        shown, last = self._shelf.timestamp(), self._shelf.newest(Timestamp.type, root, Timestamp)
        newest = max(shown.version if shown else 0, last.signed.version if last else 0)
        return self._shelf.free(Timestamp.type, newest + 1)

    def _snapshot(self, root: Root, roles: Mapping[str, int], online: Signer, life: timedelta) -> int:
        """The version of the snapshot that names these; the last one if it does and will for a while."""
        last = self._shelf.newest(Snapshot.type, root, Snapshot)
        meta = {f"{name}.json": MetaFile(version) for name, version in sorted(roles.items())}
        if last and last.signed.meta == meta and last.signed.expires - self._now >= life / 2:
            return last.signed.version
        shown = self._shelf.timestamp()
        newest = max(last.signed.version if last else 0, shown.snapshot_meta.version if shown else 0)
        version = self._shelf.free(Snapshot.type, newest + 1)
        self._shelf.put(Snapshot.type, _signed(Snapshot(version, expires=self._now + life, meta=meta), online))
        return version

    def _promoted_roles(self, root: Root, top: Targets) -> dict[str, int]:
        """The newest verified version of each role; those that the last snapshot names already are not read.

        A list that no longer verifies (its key was revoked) keeps its number: clients refuse it, and the number can
        only rise. Its party renews it.
        """
        shown = self._promoted(root)
        same = shown.get(Targets.type) == top.version
        roles = {Targets.type: top.version}
        for name in delegated(top):
            before = shown.get(name, 0)
            if same and before and before == self._shelf.greatest(name):
                roles[name] = before
            elif newest := self._shelf.newest(name, top, Targets):
                roles[name] = max(newest.signed.version, before)
            elif before:
                roles[name] = before
        return roles

    def _resign(
        self, product: str, party: str, signer: Signer,
        change: Callable[[dict[str, TargetFile]], None], life: timedelta, *, carry_over: bool = False,
    ) -> Signature:  # fmt: skip
        name = role_name(party, product)
        current, delegation = self._party(product, party)
        check_key(signer, delegation.keyids, f"the {party} party of {product}")
        if current is not None:
            self._require(current, name, [signer], {name: delegation})
        elif carry_over:
            current = self._before_rotation(name)
        current = current or Metadata(Targets())
        change(current.signed.targets)
        current.signed.version = self._next_version(name, current.signed.version if current.signatures else 0)
        current.signed.expires = self._now + life
        top = self._top()
        assert top is not None
        done = self._propose(name, current.signed, [signer], [top.signed])
        return Signature(name, done.version, len(current.signed.targets), done.missing)

    def _before_rotation(self, name: str) -> Metadata[Targets] | None:
        """The newest list that the keys before the present ones signed for."""
        if self._pinned is None:
            raise SigningError("give --root ROOT.json, so that what is taken over is known to be genuine")
        for top in self._shelf.each(Targets.type, self._root().signed, Targets):
            if found := self._shelf.newest(name, top.signed, Targets):
                return found
        return None

    def _party(self, product: str, party: str) -> tuple[Metadata[Targets] | None, DelegatedRole]:
        name = role_name(party, product)
        top = self._top()
        delegation = delegated(top.signed).get(name) if top else None
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


def _signed(document: Any, online: Signer) -> Metadata[Any]:
    metadata: Metadata[Any] = Metadata(document)
    with signing():
        metadata.sign(online)
    return metadata


def _sequence(target: TargetFile) -> int:
    found = target.custom.get("sequence", 0) if target.custom else 0
    return found if isinstance(found, int) else 0
