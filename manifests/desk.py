"""Where the publisher signs: reads what verifies in the store, and puts one new version, whole or as a draft.

Old content is only signed again when a pinned root vouches for it or the very same key signed it before: whoever can
write to the store must not get a forged list signed along with a new release.

Where a role needs several keys, each holder runs the same command on a machine of their own. The first makes a draft,
the others find it to say exactly what they themselves would (but for its date), and add a signature; the last one's
makes it count. So nobody signs what somebody else laid there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from securesystemslib.exceptions import UnverifiedSignatureError

from .blobs import BlobStore
from .errors import SigningError, UntrustedReleaseError
from .shelf import Shelf, TakenError
from .tuf_api import DelegatedRole, Key, Metadata, Root, Signer, Snapshot, Targets

TRIES_MAX: Final = 8
"""When others sign at the same time, what they did is read and one's own is done anew."""
DRAFT_SLACK: Final = timedelta(days=1)
"""A draft may expire so much later than what oneself would sign."""
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new version of a role. `missing`: how many more keys must sign before it counts."""

    role: str
    version: int
    missing: int = 0


class Desk:
    """The trust metadata in `store`, at the time `now` (aware). `root`: the pinned root.json's bytes, if any."""

    def __init__(self, store: BlobStore, now: datetime, *, root: bytes | None = None) -> None:
        self._store = store
        self._shelf = Shelf(store)
        self._now = now
        self._pinned = root

    def _again(self, act: Callable[[], Done]) -> Done:
        """Do it; and anew, from what lies there then, when somebody else was quicker."""
        for _ in range(TRIES_MAX - 1):
            try:
                return act()
            except TakenError:
                self._shelf = Shelf(self._store)
        return act()

    def _root(self) -> Metadata[Root]:
        return self._shelf.root(self._pinned)

    def _top(self) -> Metadata[Targets] | None:
        return self._shelf.newest(Targets.type, self._root().signed, Targets)

    def _promoted(self, root: Root) -> dict[str, int]:
        """The versions that clients were shown last; theirs never go down."""
        last = self._shelf.newest(Snapshot.type, root, Snapshot)
        return {name.removesuffix(".json"): meta.version for name, meta in last.signed.meta.items()} if last else {}

    def _next_version(self, role: str, verified: int) -> int:
        """Above all that clients may have seen, past numbers that something else lies under."""
        promoted = self._promoted(self._root().signed).get(role, 0) if self._shelf.greatest(Root.type) else 0
        return self._shelf.free(role, max(verified, promoted) + 1)

    def _propose(
        self, role: str, document: Any, signers: Sequence[Signer], delegators: Sequence[Root | Targets]
    ) -> Proposal:
        """Sign; put it when the thresholds of all delegators are met, else as a draft."""
        metadata = self._shelf.draft(role, type(document))
        if metadata is None or metadata.signed.version != document.version:
            metadata = Metadata(document)
        elif not _says_the_same(metadata.signed, document):
            raise SigningError(
                f"a draft of {role} says something else and waits for signatures: finish it first, or remove it with "
                f"`p2p-manifest repo drop-draft {role}`"
            )
        for signer in signers:
            with signing():
                metadata.sign(signer, append=True)
        missing = max(_missing(delegator, role, metadata) for delegator in delegators)
        if missing:
            self._shelf.put_draft(role, metadata)
        else:
            self._shelf.put(role, metadata)
            self._shelf.drop_draft(role)
        return Proposal(role, document.version, missing)

    def drop_draft(self, role: str) -> bool:
        """Forget what waits for signatures; False if nothing does."""
        return self._shelf.drop_draft(role)

    def _require(
        self, metadata: Metadata[Any] | None, role: str, signers: Sequence[Signer], roles: Mapping[str, Any]
    ) -> Metadata[Any]:
        if metadata is None:
            raise UntrustedReleaseError(f"no version of {role} in the store verifies")
        for signer in signers:
            check_key(signer, roles[role].keyids, role)
        self._check_genuine(metadata, role, signers)
        return metadata

    def _check_genuine(self, metadata: Metadata[Any], role: str, signers: Sequence[Signer]) -> None:
        if self._pinned is None and not any(_signed_by(metadata, signer.public_key) for signer in signers):
            raise SigningError(
                f"the last version of {role} was signed with another key; give --root ROOT.json, so that what is "
                "signed again is known to be genuine"
            )


@contextmanager
def signing() -> Iterator[None]:
    """A key that does not sign: SigningError."""
    try:
        yield
    except Exception as error:  # each token and each cloud has its own
        raise SigningError(f"the key does not sign: {error}") from error


def delegated(top: Targets) -> dict[str, DelegatedRole]:
    """The roles that the top-level targets role names."""
    return dict((top.delegations.roles if top.delegations else None) or {})


def check_key(signer: Signer, keyids: Sequence[str], whose: str) -> None:
    """SigningError unless the key is one of these."""
    if signer.public_key.keyid not in keyids:
        raise SigningError(f"this key ({signer.public_key.keyid[:16]}…) is not one of {whose}")


def _missing(delegator: Root | Targets, role: str, metadata: Metadata[Any]) -> int:
    result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    return 0 if result else result.missing


def _says_the_same(draft: Any, document: Any) -> bool:
    theirs, mine = draft.to_dict(), document.to_dict()
    theirs.pop("expires")
    mine.pop("expires")
    return bool(theirs == mine and draft.expires <= document.expires + DRAFT_SLACK)


def _signed_by(metadata: Metadata[Any], key: Key) -> bool:
    """Truly signed, not only listed: a forged signature beside a valid one of a forger's key would pass a threshold."""
    try:
        key.verify_signature(metadata.signatures[key.keyid], metadata.signed_bytes)
    except (KeyError, UnverifiedSignatureError):
        return False
    return True
