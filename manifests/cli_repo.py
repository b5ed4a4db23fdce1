"""`p2p-manifest repo`: the ceremonies, and a look at what stands."""

from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from . import keys
from .blobs import EDITS, MANIFESTS, METADATA, BlobStore, manifest_path
from .catalog import Catalog
from .cli_keys import key_or_signer, own, public, signer
from .cli_sign import life, repository
from .console import EXIT_FAILED, EXIT_OK, Console, UsageError
from .desk import Proposal
from .errors import BlobExistsError
from .names import parse_release
from .repo_status import RepositoryStatus, repository_status
from .trust_files import replace_durably
from .tuf_api import Key, Signer


def init(arguments: Namespace, console: Console) -> int:
    """`repo init`: the root, and what the keys that are here allow beyond."""
    root, targets, online = (
        [key_or_signer(arguments, file) for file in files]
        for files in (arguments.root_key, arguments.targets_key, arguments.online_key)
    )
    desk = repository(arguments, create=True)
    done = desk.make_root(
        [public(key) for key in root],
        own(root),
        [public(key) for key in targets],
        [public(key) for key in online],
        threshold=arguments.root_threshold,
        targets_threshold=arguments.targets_threshold,
        life=life(arguments.root_expires),
    )
    if done.missing:
        return _tell(console, done, "the root waits")
    if len(own(targets)) >= arguments.targets_threshold and own(online):
        desk.make_targets(own(targets))
        desk.promote(own(online)[0])
    if arguments.output:
        replace_durably(Path(arguments.output), desk.first_root())
    value = {"store": arguments.store, "root": arguments.output, "version": 1, "missing": 0}
    where = arguments.output or f"{arguments.store}/metadata/1.root.json"
    console.result(value, lambda: print(f"the repository is made; pin {where} on every client"))
    return EXIT_OK


def status(arguments: Namespace, console: Console) -> int:
    """`repo status`; exit code 1 when a person should do something."""
    pinned = Path(arguments.root).read_bytes() if arguments.root else None
    found = repository_status(BlobStore(arguments.store), datetime.now(UTC), pinned, life(arguments.warn))
    console.result(asdict(found), lambda: _show(console, found))
    return EXIT_FAILED if found.warnings else EXIT_OK


def _show(console: Console, found: RepositoryStatus) -> None:
    rows = [
        (
            row.role,
            row.version or "",
            "" if row.shown is None else row.shown,
            f"{row.expires:%Y-%m-%d}" if row.expires else "",
            "" if row.releases is None else row.releases,
            f"{row.threshold} of {len(row.keys)}",
        )
        for row in found.roles
    ]
    console.table("", ("role", "#version", "#clients see", "expires", "#releases", "keys"), rows)
    for row in found.roles:
        print(f"keys of {row.role}: {' '.join(key[:16] for key in row.keys)}")
    for warning in found.warnings:
        print(f"! {warning}")


def add_product(arguments: Namespace, console: Console) -> int:
    """`repo add-product`."""
    parties = {"build": arguments.build_key, "release": arguments.release_key}
    named = {party: _publics(files) for party, files in parties.items()}
    thresholds = {"build": arguments.build_threshold, "release": arguments.release_threshold}
    targets = _signers(arguments, arguments.targets_key)
    done = repository(arguments).add_product(arguments.product, named, *targets, thresholds=thresholds)
    return _tell(console, done, f"{arguments.product} has its two parties", product=arguments.product)


def revoke_key(arguments: Namespace, console: Console) -> int:
    """`repo revoke`."""
    role = f"{arguments.party}-{arguments.product}"
    done = repository(arguments).revoke_key(role, arguments.key_id, *_signers(arguments, arguments.targets_key))
    return _tell(
        console, done, f"{arguments.key_id[:12]}… signs for {role} no longer; promote, then renew what is left"
    )


def renew_targets(arguments: Namespace, console: Console) -> int:
    """`repo renew`."""
    done = repository(arguments).renew_targets(*_signers(arguments, arguments.targets_key))
    return _tell(console, done, "the list of products is renewed; promote")


def set_director(arguments: Namespace, console: Console) -> int:
    """`repo set-director`."""
    director, operators = _publics(arguments.director_key), _publics(arguments.operator_key)
    done = repository(arguments).set_authority(director, operators, *_signers(arguments, arguments.targets_key))
    return _tell(console, done, "goals are signed from now on")


def rotate_root(arguments: Namespace, console: Console) -> int:
    """`repo rotate-root`."""
    done = repository(arguments).rotate_root(
        _signers(arguments, arguments.key),
        root=_publics(arguments.new_root_key),
        targets=signer(arguments, arguments.new_targets_key) if arguments.new_targets_key else None,
        online=keys.load_public(Path(arguments.new_online_key)) if arguments.new_online_key else None,
        threshold=arguments.new_root_threshold,
        life=life(arguments.root_expires),
    )
    return _tell(console, done, "clients follow by themselves", root_version=done.version)


def copy(arguments: Namespace, console: Console) -> int:
    """`repo copy`."""
    source, target = BlobStore(arguments.source), BlobStore(arguments.target, create=True)
    paths = [path for prefix in (METADATA, "drafts") for path in source.list(prefix)]
    for name in arguments.release:
        release = parse_release(name)
        catalog = Catalog(source)
        digest = catalog.digest(release)
        paths += [manifest_path(digest), catalog.path(release), *_leading_to(source, digest)]
    copied = 0
    for path in paths:
        data = source.get(path)
        try:
            target.put_new(path, data)
        except BlobExistsError:
            if target.get(path) == data:
                continue
            if not path.startswith("drafts/") and not path.endswith("/timestamp.json"):
                raise UsageError(f"{path} is another file in {arguments.target}: these are two repositories") from None
            target.replace(path, data)
        copied += 1
    value = {"from": arguments.source, "to": arguments.target, "copied": copied, "files": len(paths)}
    console.result(value, lambda: print(f"{copied} of {len(paths)} files were new there"))
    return EXIT_OK


def _leading_to(store: BlobStore, digest: bytes) -> list[str]:
    """Edits that lead to a manifest, and what they start from: its signers say which there are."""
    found = store.list(f"{EDITS}/{digest.hex()}")
    return found + [f"{MANIFESTS}/{path.rpartition('/')[2]}" for path in found]


def drop_draft(arguments: Namespace, console: Console) -> int:
    """`repo drop-draft`."""
    dropped = repository(arguments).drop_draft(arguments.role)
    console.result(
        {"role": arguments.role, "dropped": dropped}, lambda: print("dropped" if dropped else "nothing waits")
    )
    return EXIT_OK if dropped else EXIT_FAILED


def _publics(files: list[str]) -> list[Key]:
    return [keys.load_public(Path(file)) for file in files]


def _signers(arguments: Namespace, files: list[str]) -> list[Signer]:
    return [signer(arguments, file) for file in files]


def _tell(console: Console, done: Proposal, words: str, **more: object) -> int:
    value = {"role": done.role, "version": done.version, "missing": done.missing} | more
    if done.role == "targets":
        value["targets_version"] = done.version
    then = f"({done.role} version {done.version})"
    if done.missing:
        then = f"for {done.missing} more to sign: each holder runs this same command with a key of their own"
    console.result(value, lambda: print(f"{words} {then}"))
    return EXIT_OK
