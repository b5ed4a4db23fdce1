"""The rare verbs, at which people meet: who the parties are, and whose word makes them so."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Final

from .authority import DIRECTOR, GOAL_PATHS, OPERATORS
from .desk import Desk, Proposal, delegated
from .errors import SigningError
from .names import check_product
from .trust import PARTIES, role_name
from .tuf_api import DelegatedRole, Delegations, Key, Root, Signer, Snapshot, Targets, Timestamp

ROOT_LIFE: Final = timedelta(days=365)
KEY_ID_CHARS_MIN: Final = 8
TARGETS_LIFE: Final = timedelta(days=365)
"""Offline keys, a few times a year."""


class Ceremonies(Desk):
    """What is done with root's and targets' keys. Each verb may be done by several holders in turn (`Desk`)."""

    def make_root(
        self,
        keys: Sequence[Key],
        signers: Sequence[Signer],
        targets: Sequence[Key],
        online: Sequence[Key],
        *,
        threshold: int = 1,
        targets_threshold: int = 1,
        life: timedelta = ROOT_LIFE,
    ) -> Proposal:
        """The first root: of all who share it the public `keys`, and the `signers` that are here.

        SigningError if there is one, or keys are few.
        """
        if self._shelf.greatest(Root.type):
            raise SigningError("the store has a repository already")
        if not 1 <= threshold <= len(keys):
            raise SigningError(f"{threshold} signatures of {len(keys)} root keys are impossible")
        document = Root(version=1, expires=self._now + life, consistent_snapshot=True)
        for role, theirs in (
            (Root.type, keys), (Targets.type, targets), (Snapshot.type, online), (Timestamp.type, online),
        ):  # fmt: skip
            for key in theirs:
                document.add_key(key, role)
        document.roles[Root.type].threshold = threshold
        document.roles[Targets.type].threshold = targets_threshold
        return self._propose(Root.type, document, signers, [document])

    def first_root(self) -> bytes:
        """root.json as it was made, which clients pin."""
        return self._shelf.raw(Root.type, 1)

    def make_targets(self, signers: Sequence[Signer]) -> Proposal:
        """The first list of products, which is empty."""
        root = self._root().signed
        top = Targets(version=1, expires=self._now + TARGETS_LIFE, delegations=Delegations({}, {}))
        return self._propose(Targets.type, top, signers, [root])

    def add_product(
        self,
        product: str,
        keys: Mapping[str, Sequence[Key]],
        *targets: Signer,
        thresholds: Mapping[str, int] | None = None,
    ) -> Proposal:
        """Delegate to both parties of a product: `keys` by party, and how many of them must sign (1 unless said).

        Replaces those it had. SigningError when a key is in both parties, or there are too few.
        """
        check_product(product)
        _check_disjoint(keys, thresholds or {})
        roles = {
            role_name(party, product): DelegatedRole(
                role_name(party, product),
                [key.keyid for key in keys[party]],
                (thresholds or {}).get(party, 1),
                terminating=True,
                paths=[f"{party}/{product}/*"],
            )
            for party in PARTIES
        }
        return self._delegate(roles, [key for party in PARTIES for key in keys[party]], targets)

    def set_authority(self, director: Sequence[Key], operators: Sequence[Key], *targets: Signer) -> Proposal:
        """Goals are signed from now on: by one of the director's keys, and rollbacks by one of the operators' as well.

        Replaces those there were. SigningError when a key is in both.
        """
        _check_apart({DIRECTOR: director, OPERATORS: operators}, "the director and the operators")
        roles = {
            name: DelegatedRole(name, [key.keyid for key in keys], 1, terminating=True, paths=list(GOAL_PATHS))
            for name, keys in ((DIRECTOR, director), (OPERATORS, operators))
        }
        return self._delegate(roles, [*director, *operators], targets)

    def renew_targets(self, *targets: Signer) -> Proposal:
        """The list of products and their keys again, with a new date of expiry and nothing else changed."""
        return self._delegate({}, [], targets)

    def revoke_key(self, role: str, keyid: str, *targets: Signer) -> Proposal:
        """A key signs for this role no longer (`build-PRODUCT`, `release-PRODUCT`, `director`, `operators`).

        `keyid`: its id, or enough of its beginning (8 digits at least). What it alone signed is void: the other holders
        renew the list. SigningError when too few keys would be left.
        """
        top = self._top()
        known = delegated(top.signed).get(role) if top else None
        if known is None:
            raise SigningError(f"there is no role {role}")
        left = [one for one in known.keyids if not (len(keyid) >= KEY_ID_CHARS_MIN and one.startswith(keyid))]
        if len(left) != len(known.keyids) - 1:
            raise SigningError(f"the role {role} has not one key {keyid!r}; see `p2p-manifest repo status`")
        if len(left) < known.threshold:
            raise SigningError(f"{role} needs {known.threshold} keys: give it a new one first (add-product)")
        role_left = DelegatedRole(role, left, known.threshold, known.terminating, paths=known.paths)
        return self._delegate({role: role_left}, [], targets)

    def rotate_root(
        self,
        signers: Sequence[Signer],
        *,
        root: Sequence[Key] = (),
        targets: Signer | None = None,
        online: Key | None = None,
        threshold: int | None = None,
        life: timedelta = ROOT_LIFE,
    ) -> Proposal:
        """A new root version, with a new date and, where given, new keys.

        `signers`: enough of the old and of the new root keys, or those that are here. A new targets key signs the
        targets role at once; after a new online key, promote with it.
        """
        old = self._root()
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
        if threshold is not None:
            document.roles[Root.type].threshold = threshold
        if document.roles[Root.type].threshold > len(document.roles[Root.type].keyids):
            raise SigningError("more root signatures are asked for than there are root keys")
        done = self._propose(Root.type, document, signers, [old.signed, document])
        if targets and top and not done.missing:
            self._put_targets(top.signed, [targets], document)
        return done

    def _delegate(self, roles: Mapping[str, DelegatedRole], keys: Sequence[Key], targets: Sequence[Signer]) -> Proposal:
        return self._again(lambda: self._try_to_delegate(roles, keys, targets))

    def _try_to_delegate(
        self, roles: Mapping[str, DelegatedRole], keys: Sequence[Key], targets: Sequence[Signer]
    ) -> Proposal:
        root = self._root().signed
        if not self._shelf.greatest(Targets.type):
            self.make_targets(targets)
        top = self._require(self._top(), Targets.type, targets, root.roles)
        before = top.signed.delegations or Delegations({}, {})
        known = dict(before.keys) | {key.keyid: key for key in keys}
        delegations = delegated(top.signed) | dict(roles)
        used = {keyid for role in delegations.values() for keyid in role.keyids}
        top.signed.delegations = Delegations({one: known[one] for one in known if one in used}, delegations)
        return self._put_targets(top.signed, targets, root)

    def _put_targets(self, top: Targets, signers: Sequence[Signer], root: Root) -> Proposal:
        top.version, top.expires = self._next_version(Targets.type, top.version), self._now + TARGETS_LIFE
        return self._propose(Targets.type, top, signers, [root])


def _check_disjoint(keys: Mapping[str, Sequence[Key]], thresholds: Mapping[str, int]) -> None:
    for party in PARTIES:
        if not keys.get(party):
            raise SigningError(f"the {party} party needs a key")
        if not 1 <= thresholds.get(party, 1) <= len({str(key.keyval) for key in keys[party]}):
            raise SigningError(f"{thresholds[party]} signatures of {len(keys[party])} {party} keys are impossible")
    _check_apart(keys, "both parties: then one party alone could release")


def _check_apart(keys: Mapping[str, Sequence[Key]], where: str) -> None:
    """SigningError when two of these share a key, under whatever ids."""
    seen: dict[str, str] = {}
    for name, theirs in keys.items():
        for key in theirs:
            if seen.setdefault(str(key.keyval), name) != name:
                raise SigningError(f"the key {key.keyid[:16]}… is in {where}")
