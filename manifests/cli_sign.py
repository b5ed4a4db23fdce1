"""`p2p-manifest sign`, `revoke`, `yank`, `renew` and `repo promote`: whoever vouches for something."""

import time
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .blobs import BlobStore
from .catalog import Catalog, manifest_bytes
from .cli_keys import signer
from .codec import decode
from .console import EXIT_OK, Console, UsageError
from .errors import ManifestError, SigningError
from .names import ReleaseName, parse_release
from .publish import stored_edits
from .repository import Promotion, Repository, Signature
from .tuf_api import Signer


def sign(arguments: Namespace, console: Console) -> int:
    """`sign`."""
    release, store = parse_release(arguments.release), BlobStore(arguments.store)
    digest = _digest(arguments.digest) if arguments.digest else Catalog(store).digest(release)
    data = manifest_bytes(store, digest)
    manifest = decode(data)
    if manifest.release != str(release):
        raise SigningError(f"{digest.hex()[:16]}… is the manifest of {manifest.release}, not of {release}")
    done = repository(arguments).sign(
        release, arguments.party, signer(arguments, arguments.key), digest, len(data),
        sequence=manifest.sequence, edits=stored_edits(store, manifest, digest), life=life(arguments.expires),
    )  # fmt: skip
    return _tell(console, done, f"{arguments.party} vouches for {release} ({digest.hex()})", release, digest)


def revoke(arguments: Namespace, console: Console) -> int:
    """`revoke`."""
    release = parse_release(arguments.release)
    key = signer(arguments, arguments.key)
    done = repository(arguments).revoke(release, arguments.party, key, life(arguments.expires))
    return _tell(console, done, f"{arguments.party} no longer vouches for {release}", release)


def yank(arguments: Namespace, console: Console) -> int:
    """`yank`: revoke and promote, with a look at both keys before anything is done."""
    release = parse_release(arguments.release)
    key, online = signer(arguments, arguments.key), signer(arguments, arguments.online_key)
    done = repository(arguments).revoke(release, arguments.party, key, life(arguments.expires))
    if done.missing:
        return _tell(console, done, f"{arguments.party} is to vouch for {release} no longer", release)
    shown = _promote(arguments, online)
    value = {"release": str(release), "role": done.role, "version": done.version, "snapshot": shown.snapshot}
    console.result(
        value,
        lambda: print(
            f"{release} is yanked: nobody installs it any more. Where it runs, go back: p2p-tracker rollback"
        ),
    )
    return EXIT_OK


def renew(arguments: Namespace, console: Console) -> int:
    """`renew`."""
    done = repository(arguments).renew(
        arguments.product,
        arguments.party,
        signer(arguments, arguments.key),
        life(arguments.expires),
        carry_over=arguments.carry_over,
    )
    return _tell(console, done, f"{done.role} is renewed, with {done.releases} releases")


def promote(arguments: Namespace, console: Console) -> int:
    """`repo promote`, `repo refresh`; with --every, until interrupted."""
    online = signer(arguments, arguments.key)
    if not arguments.every:
        _show_promotion(console, _promote(arguments, online))
        return EXIT_OK
    while True:
        try:
            if repository(arguments).is_stale(life(arguments.timestamp_expires)):
                _show_promotion(console, _promote(arguments, online))
        except (
            ManifestError
        ) as error:  # a store that is away, somebody who signs at this moment: the next look mends it
            console.error(str(error))
        time.sleep(arguments.every)


def _promote(arguments: Namespace, online: Signer) -> Promotion:
    return repository(arguments).promote(
        online, snapshot_life=life(arguments.snapshot_expires), timestamp_life=life(arguments.timestamp_expires)
    )


def _show_promotion(console: Console, done: Promotion) -> None:
    for path in done.foreign:
        console.note(f"passed over {path}: it does not verify")
    value = {"snapshot": done.snapshot, "timestamp": done.timestamp, "roles": done.roles, "foreign": done.foreign}
    console.result(value, lambda: print(f"promoted: snapshot {done.snapshot}, {len(done.roles)} roles"))


def _tell(
    console: Console, done: Signature, words: str, release: ReleaseName | None = None, digest: bytes | None = None
) -> int:
    value = {
        "role": done.role,
        "version": done.version,
        "releases": done.releases,
        "missing": done.missing,
        "release": str(release) if release else None,
        "digest": digest.hex() if digest else None,
    }
    then = "clients see it after `p2p-manifest repo promote`"
    if done.missing:
        then = f"{done.missing} more must sign: each holder runs this same command with a key of their own"
    console.result(value, lambda: print(f"{words}; {then}"))
    return EXIT_OK


def repository(arguments: Namespace, *, create: bool = False) -> Repository:
    """The one of --store, seen from --root."""
    root = Path(arguments.root).read_bytes() if arguments.root and not create else None
    return Repository(BlobStore(arguments.store, create=create), datetime.now(UTC), root=root)


def life(seconds: float) -> timedelta:
    """A flag's time."""
    return timedelta(seconds=seconds)


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise UsageError(f"{text!r} is no digest: 64 hex digits")
    return digest
