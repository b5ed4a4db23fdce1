"""`p2p-manifest sign`, `revoke`, `renew` and `repo`: whoever vouches for something."""

from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import keys
from .blobs import BlobStore
from .catalog import Catalog, manifest_bytes
from .cli_keys import signer
from .codec import decode
from .console import EXIT_OK, Console, UsageError
from .errors import SigningError
from .names import ReleaseName, parse_release
from .repository import Repository, Signature
from .trust_files import replace_durably


def init(arguments: Namespace, console: Console) -> int:
    """`repo init`."""
    root = _repository(arguments, create=True).init(
        [signer(arguments, file) for file in arguments.root_key],
        signer(arguments, arguments.targets_key),
        signer(arguments, arguments.online_key),
        root_threshold=arguments.root_threshold,
        root_life=_life(arguments.root_expires),
    )
    if arguments.output:
        replace_durably(Path(arguments.output), root)
    value = {"store": arguments.store, "root": arguments.output, "version": 1}
    where = arguments.output or f"{arguments.store}/metadata/1.root.json"
    console.result(value, lambda: print(f"the repository is made; pin {where} on every client"))
    return EXIT_OK


def add_product(arguments: Namespace, console: Console) -> int:
    """`repo add-product`."""
    parties = {"build": arguments.build_key, "release": arguments.release_key}
    public = {party: [keys.load_public(Path(file)) for file in files] for party, files in parties.items()}
    version = _repository(arguments).add_product(arguments.product, public, signer(arguments, arguments.targets_key))
    value = {"product": arguments.product, "targets_version": version}
    console.result(value, lambda: print(f"{arguments.product} has its two parties (targets version {version})"))
    return EXIT_OK


def promote(arguments: Namespace, console: Console) -> int:
    """`repo promote`, `repo refresh`."""
    done = _repository(arguments).promote(
        signer(arguments, arguments.key),
        snapshot_life=_life(arguments.snapshot_expires),
        timestamp_life=_life(arguments.timestamp_expires),
    )
    for path in done.foreign:
        console.note(f"passed over {path}: it does not verify")
    value = {"snapshot": done.snapshot, "timestamp": done.timestamp, "roles": done.roles, "foreign": done.foreign}
    console.result(value, lambda: print(f"promoted: snapshot {done.snapshot}, {len(done.roles)} roles"))
    return EXIT_OK


def rotate_root(arguments: Namespace, console: Console) -> int:
    """`repo rotate-root`."""
    version = _repository(arguments).rotate_root(
        [signer(arguments, file) for file in arguments.key],
        root=[keys.load_public(Path(file)) for file in arguments.new_root_key],
        targets=signer(arguments, arguments.new_targets_key) if arguments.new_targets_key else None,
        online=keys.load_public(Path(arguments.new_online_key)) if arguments.new_online_key else None,
        life=_life(arguments.root_expires),
    )
    console.result({"root_version": version}, lambda: print(f"root version {version}; clients follow by themselves"))
    return EXIT_OK


def sign(arguments: Namespace, console: Console) -> int:
    """`sign`."""
    release, store = parse_release(arguments.release), BlobStore(arguments.store)
    digest = _digest(arguments.digest) if arguments.digest else Catalog(store).digest(release)
    data = manifest_bytes(store, digest)
    if (found := decode(data).release) != str(release):
        raise SigningError(f"{digest.hex()[:16]}… is the manifest of {found}, not of {release}")
    repository, key = _repository(arguments), signer(arguments, arguments.key)
    done = repository.sign(release, arguments.party, key, digest, len(data), life=_life(arguments.expires))
    return _tell(console, done, f"{arguments.party} vouches for {release} ({digest.hex()})", release, digest)


def revoke(arguments: Namespace, console: Console) -> int:
    """`revoke`."""
    release = parse_release(arguments.release)
    repository, key = _repository(arguments), signer(arguments, arguments.key)
    done = repository.revoke(release, arguments.party, key, _life(arguments.expires))
    return _tell(console, done, f"{arguments.party} no longer vouches for {release}", release)


def renew(arguments: Namespace, console: Console) -> int:
    """`renew`."""
    repository, key = _repository(arguments), signer(arguments, arguments.key)
    done = repository.renew(arguments.product, arguments.party, key, _life(arguments.expires))
    return _tell(console, done, f"{done.role} is renewed")


def _tell(
    console: Console, done: Signature, words: str, release: ReleaseName | None = None, digest: bytes | None = None
) -> int:
    value = {
        "role": done.role,
        "version": done.version,
        "releases": done.releases,
        "release": str(release) if release else None,
        "digest": digest.hex() if digest else None,
    }
    console.result(value, lambda: print(f"{words}; clients see it after `p2p-manifest repo promote`"))
    return EXIT_OK


def _repository(arguments: Namespace, *, create: bool = False) -> Repository:
    root = Path(arguments.root).read_bytes() if arguments.root and not create else None
    return Repository(BlobStore(arguments.store, create=create), datetime.now(UTC), root=root)


def _life(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise UsageError(f"{text!r} is no digest: 64 hex digits")
    return digest
