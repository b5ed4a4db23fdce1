"""Who vouches for a release: both parties, by TUF, or nobody.

The build infrastructure and release engineering each sign in a role of their own, `build-<product>` and
`release-<product>`, with keys that the other has not. A threshold over one pooled list of keys would accept two keys of
one party, so both roles are looked up and must name the same bytes (TAP 3's rule, done by the caller).

No network here: `look_up` says what it wants, the caller fetches it and asks again.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from tuf.api import exceptions as theirs

from . import trust_seen
from .authority import Authority, find_authority
from .errors import ExpiredMetadataError, MetadataUnavailableError, UnknownReleaseError, UntrustedReleaseError
from .limits import MANIFEST_BYTES_MAX, PACKS_MAX
from .names import ReleaseName
from .trust_updater import METADATA_URL, DurableUpdater, MappingFetcher, NeededError, open_updater
from .tuf_api import TargetFile, Targets

PARTIES: Final = ("build", "release")
"""Who must agree."""


_TARGETS: Final = re.compile(r"metadata/\d+\.(?!root\.|snapshot\.).+\.json")


def role_name(party: str, product: str) -> str:
    """The TUF role in which a party signs for a product."""
    return f"{party}-{product}"


def target_path(party: str, release: ReleaseName) -> str:
    """The TUF target by which a party signs a release."""
    return f"{party}/{release.product}/{release.version}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Fetch `path` from the blob store (at most `max_bytes`; None for 404) and call `look_up` again with it.

    `also`: what will be wanted next, as far as that is known. Whoever fetches it at the same time saves turns; whoever
    does not is asked for it later.
    """

    path: str
    max_bytes: int
    also: tuple["Wanted", ...] = ()


@dataclass(frozen=True, slots=True)
class Approved:
    """Both parties have signed: the manifest of `release` has `length` bytes and this `digest`. `edits`: sequences of
    the releases from which the store has edits that lead to it.
    """

    release: ReleaseName
    digest: bytes
    length: int
    edits: tuple[int, ...] = ()


Answer = TypeVar("Answer")


class TrustChain:
    """From a pinned `root` (the bytes of a root.json) to approved releases.

    `cache_directory` keeps verified metadata, by which rollback is recognised; one TrustChain at a time may use it, one
    call at a time. `utc_now` gives POSIX seconds. All calls read and write small files there: call them in a thread.
    `root_every_s`: how long the next root need not be asked for while the timestamp stays the same.
    """

    def __init__(
        self,
        root: bytes,
        cache_directory: Path,
        utc_now: Callable[[], float],
        *,
        root_every_s: float = trust_seen.ROOT_EVERY_S,
    ) -> None:
        self._root = root
        self._cache = cache_directory
        self._utc_now = utc_now
        self._root_every_s = root_every_s
        self._waiting: tuple[Mapping[str, bytes | None], bool, DurableUpdater] | None = None
        """Who asked for a file, and what to find it in."""

    def look_up(
        self, release: ReleaseName, fetched: Mapping[str, bytes | None], *, offline: bool = False
    ) -> Approved | Wanted:
        """Is this release approved, by metadata `fetched` just now (begin with an empty mapping each time, and go on
        with the same one: what was verified of it is then not verified again)?

        `offline`: the store can't be reached, so take from the cache what `fetched` lacks; expired metadata is refused
        all the same. Raises UnknownReleaseError (nobody signed it), UntrustedReleaseError (one party only, or they
        disagree, or metadata is forged or rolled back), ExpiredMetadataError, MetadataUnavailableError.
        """
        roles = [role_name(party, release.product) for party in PARTIES]
        return self.ask(lambda updater: _approve(updater, release), fetched, offline=offline, roles=roles)

    def authority(self, fetched: Mapping[str, bytes | None], *, offline: bool = False) -> Authority | Wanted | None:
        """Who may set goals in this fleet; None when goals are not signed in it. Otherwise as `look_up`."""
        return self.ask(lambda updater: find_authority(updater.top_targets), fetched, offline=offline)

    def prepare(
        self, products: Sequence[str], fetched: Mapping[str, bytes | None], *, offline: bool = False
    ) -> int | Wanted:
        """Read beforehand what a look-up of any release of these products reads; how many lists of releases that were.
        Otherwise as `look_up`, but that a product may be unknown."""
        roles = [role_name(party, product) for product in products for party in PARTIES]
        return self.ask(lambda updater: _read(updater, products), fetched, offline=offline, roles=roles)

    def ask(
        self,
        question: Callable[[DurableUpdater], Answer],
        fetched: Mapping[str, bytes | None],
        *,
        offline: bool = False,
        roles: Sequence[str] = (),
    ) -> Answer | Wanted:
        """What `question` says of the metadata, refreshed and verified; otherwise as `look_up`. `roles`: those that it
        will look at."""
        utc, before = self._utc_now(), trust_seen.read(self._cache)
        updater = self._begun(fetched, offline, before.now(utc))
        try:
            with _translated():
                updater = updater or self._open(fetched, offline, before, utc)
                updater.refresh()
                answer = question(updater)
        except NeededError as needed:
            self._waiting = None if updater is None else (fetched, offline, updater)
            return Wanted(needed.path, needed.max_bytes, self._also(updater, needed.path, roles, fetched))
        except ExpiredMetadataError:
            self._remember(before, utc, asked_root=False, expired=True)
            raise
        self._remember(before, utc, asked_root=_root_path(updater) in fetched, expired=False)
        return answer

    def _begun(self, fetched: Mapping[str, bytes | None], offline: bool, now: float) -> DurableUpdater | None:
        """Who asked for a file that is now among these; None if nobody did, or something has expired meanwhile."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting[0] is not fetched or waiting[1] != offline:
            return None
        return waiting[2] if waiting[2].go_on(now) else None

    def _open(
        self, fetched: Mapping[str, bytes | None], offline: bool, seen: trust_seen.Seen, utc: float
    ) -> DurableUpdater:
        known = None if seen.root_is_due(utc, self._root_every_s) else self._cached_timestamp()
        fetcher = MappingFetcher(fetched, self._cache if offline else None, settled_by=known)
        return open_updater(self._root, self._cache, fetcher, seen.now(utc))

    def _also(
        self, updater: DurableUpdater | None, path: str, roles: Sequence[str], fetched: Mapping[str, bytes | None]
    ) -> tuple[Wanted, ...]:
        """Beside a list of targets, those of these roles. Before that no snapshot is the newest one for sure."""
        if updater is None or not _TARGETS.fullmatch(path):
            return ()
        found = filter(None, (updater.expected(role, self._cache) for role in roles))
        return tuple(Wanted(one, size) for one, size in found if one != path and one not in fetched)

    def _remember(self, before: trust_seen.Seen, utc: float, *, asked_root: bool, expired: bool) -> None:
        not_after = trust_seen.expiry(self._cached_timestamp())
        after = before.after(utc, not_after=not_after, asked_root=asked_root)
        trust_seen.remember(self._cache, before, after, at_once=expired)

    def _cached_timestamp(self) -> bytes | None:
        try:
            return (self._cache / "timestamp.json").read_bytes()
        except OSError:
            return None


def _root_path(updater: DurableUpdater) -> str:
    return f"{METADATA_URL}{updater.root.version + 1}.root.json"


def _approve(updater: DurableUpdater, release: ReleaseName) -> Approved:
    _check_parties(updater.top_targets, release.product)
    found = {party: _find(updater, party, release) for party in PARTIES}
    signed = {party: target for party, target in found.items() if target is not None}
    if not signed:
        raise UnknownReleaseError(f"nobody has signed {release}")
    if len(signed) < len(PARTIES):
        missing = next(party for party in PARTIES if party not in signed)
        raise UntrustedReleaseError(f"{release} is signed by {next(iter(signed))} only, the {missing} party is missing")
    contents = {(target.length, target.hashes.get("sha256", "")) for target in signed.values()}
    if len(contents) != 1:
        raise UntrustedReleaseError(f"the parties disagree about {release}: they have signed different manifests")
    length, digest = contents.pop()
    if not 0 < length <= MANIFEST_BYTES_MAX or not digest:
        raise UntrustedReleaseError(f"{release} is signed without a SHA-256 or with an impossible length ({length})")
    return Approved(release, bytes.fromhex(digest), length, _edits(signed.values()))


def _read(updater: DurableUpdater, products: Sequence[str]) -> int:
    """Have all lists of these products' releases read, as `_find` does."""
    there = [
        one for one in products if all(f"{role_name(party, one)}.json" in updater.snapshot.meta for party in PARTIES)
    ]
    for product in there:
        for party in PARTIES:
            updater.get_targetinfo(f"{party}/{product}/-")
    return len(there)


def _edits(signed: Iterable[TargetFile]) -> tuple[int, ...]:
    """What all parties say. It is a hint: nothing but a request in vain comes of a wrong one."""
    said = [one.custom.get("edits") if isinstance(one.custom, dict) else None for one in signed]
    known = [{number for number in one if type(number) is int} if isinstance(one, list) else set() for one in said]
    return tuple(sorted(set.intersection(*known))[:PACKS_MAX])


def _find(updater: DurableUpdater, party: str, release: ReleaseName) -> TargetFile | None:
    """What a party has signed, and nobody in its place."""
    role, path = role_name(party, release.product), target_path(party, release)
    if f"{role}.json" not in updater.snapshot.meta:
        return None  # the party exists, but has not signed anything yet
    target = updater.get_targetinfo(path)
    answered = updater.role(role)
    if target is not None and (answered is None or answered.targets.get(path) is not target):
        raise UntrustedReleaseError(f"{release} is signed, but not by the role {role}")
    return target


def _check_parties(targets: Targets, product: str) -> None:
    """Both roles exist and share no key, whatever the publisher's tools allowed."""
    delegations = targets.delegations
    roles = (delegations.roles if delegations else None) or {}
    parties = [roles.get(role_name(party, product)) for party in PARTIES]
    if delegations is None or None in parties:
        raise UnknownReleaseError(f"the product {product!r} is not known to the repository")
    keys = [{str(delegations.keys[keyid].keyval) for keyid in role.keyids} for role in parties if role]
    if set.intersection(*keys):
        raise UntrustedReleaseError(f"one key signs for both parties of {product}: neither vouches for the other")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except theirs.ExpiredMetadataError as error:
        raise ExpiredMetadataError(
            f"{error}: the publisher must sign anew, or this machine's clock is wrong"
        ) from error
    except theirs.BadVersionNumberError as error:
        raise UntrustedReleaseError(f"metadata older than what was seen before (rollback): {error}") from error
    except theirs.RepositoryError as error:
        raise UntrustedReleaseError(f"the trust metadata does not verify: {error}") from error
    except theirs.DownloadHTTPError as error:
        raise MetadataUnavailableError(str(error)) from error
    except theirs.DownloadError as error:
        raise UntrustedReleaseError(f"the trust metadata is not as announced: {error}") from error
