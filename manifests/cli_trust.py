"""The flags of `sign`, `revoke`, `renew`, `yank`, `repo`, `keys` and `tuf-client`."""

from argparse import ArgumentParser
from typing import Any

from . import cli_flags as flags
from .console import parse_duration


def add(commands: Any) -> None:
    """All of them."""
    for make in (_sign, _revoke, _yank, _renew):
        make(commands)
    repo = commands.add_parser("repo", help="the trust metadata of a blob store")
    ceremonies = repo.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for make in (_init, _status, _add_product, _revoke_key, _set_director, _rotate_root, _renew_targets):
        make(ceremonies)
    for make in (_promote, _copy, _drop_draft):
        make(ceremonies)
    _tuf_client(commands)
    keys = commands.add_parser("keys", help="make and show keys")
    _keys(keys.add_subparsers(title="commands", metavar="COMMAND", required=True))


def _party(parser: ArgumentParser) -> None:
    parser.add_argument("--party", choices=("build", "release"), required=True, help="for whom the key signs")


def _signing(parser: ArgumentParser) -> None:
    _party(parser)
    flags.key(parser, "--key", "the party's private key")
    flags.passphrase(parser)
    flags.life(parser, "--expires", "180d", "how long the party's list is valid")
    flags.store(parser)
    flags.root(parser)


def _sign(commands: Any) -> None:
    example = "p2p-manifest sign shop@1.0 --party build --key keys/build.key --digest 5f1a… --store store"
    parser = flags.command(commands, "sign", "vouch for a release as one of the two parties", example)
    parser.add_argument("release", metavar="PRODUCT@VERSION")
    parser.add_argument("--digest", metavar="HEX", help="the manifest's, as you were told (default: as the store says)")
    _signing(parser)


def _revoke(commands: Any) -> None:
    example = "p2p-manifest revoke shop@1.0 --party release --key keys/release.key --store store"
    parser = flags.command(commands, "revoke", "no longer vouch for a release", example)
    parser.add_argument("release", metavar="PRODUCT@VERSION")
    _signing(parser)


def _yank(commands: Any) -> None:
    example = "p2p-manifest yank shop@1.0 --party release --key keys/release.key --online-key keys/online.key"
    parser = flags.command(commands, "yank", "revoke a release, and show it to clients at once", example)
    parser.add_argument("release", metavar="PRODUCT@VERSION")
    flags.key(parser, "--online-key", "the online key")
    _signing(parser)
    _online_lives(parser)


def _renew(commands: Any) -> None:
    example = "p2p-manifest renew shop --party build --key keys/build.key --store store"
    parser = flags.command(commands, "renew", "sign a party's list again with a new date of expiry", example)
    parser.add_argument("product")
    parser.add_argument("--carry-over", action="store_true",
                        help="after a planned change of all the party's keys: take over what those before signed "
                        "(never after a theft)")  # fmt: skip
    _signing(parser)


def _init(commands: Any) -> None:
    example = (
        "p2p-manifest repo init --store store --root-key keys/root.key --targets-key keys/targets.key "
        "--online-key keys/online.key --output root.json"
    )
    parser = flags.command(commands, "init", "make the trust metadata of an empty store", example)
    flags.key(parser, "--root-key", "may be repeated; one's own is private, a colleague's public", many=True)
    parser.add_argument("--root-threshold", type=int, default=1, help="how many root keys must sign (default: 1)")
    flags.key(parser, "--targets-key", "says which products there are; private or public, may be repeated", many=True)
    parser.add_argument("--targets-threshold", type=int, default=1, help="how many of them must sign (default: 1)")
    flags.key(parser, "--online-key", "says what is newest; private or public, may be repeated", many=True)
    flags.life(parser, "--root-expires", "365d", "how long the root is valid")
    parser.add_argument("--output", metavar="FILE", help="also write root.json here, to be pinned by clients")
    _finish(parser)


def _status(commands: Any) -> None:
    example = "p2p-manifest repo status --store store --root root.json"
    about = "who may sign what, what expires when, what waits for signatures"
    parser = flags.command(commands, "status", about, example)
    parser.add_argument("--warn", metavar="TIME", type=parse_duration, default="14d",
                        help="exit code 1 when something expires within this time (default: 14d)")  # fmt: skip
    flags.store(parser)
    flags.root(parser)


def _add_product(commands: Any) -> None:
    example = (
        "p2p-manifest repo add-product shop --build-key keys/build.pub --release-key keys/ann.pub "
        "--release-key keys/bob.pub --release-threshold 2 --targets-key keys/targets.key --store store"
    )
    parser = flags.command(
        commands, "add-product", "name both parties' keys for a product (replaces those it had)", example
    )
    parser.add_argument("product")
    for party in ("build", "release"):
        flag = f"--{party}-key"
        parser.add_argument(flag, metavar="PUB", action="append", required=True, help="public; may be repeated")
        parser.add_argument(f"--{party}-threshold", type=int, default=1, help="how many must sign (default: 1)")
    _targets_key(parser)
    _finish(parser)


def _revoke_key(commands: Any) -> None:
    example = "p2p-manifest repo revoke shop --party build --key-id 5f1a… --targets-key keys/targets.key --store store"
    parser = flags.command(commands, "revoke", "take a key away from a party; what it alone signed is void", example)
    parser.set_defaults(command="revoke-key")
    parser.add_argument("product")
    _party(parser)
    parser.add_argument("--key-id", required=True, metavar="HEX", help="as `repo status` shows it")
    _targets_key(parser)
    _finish(parser)


def _renew_targets(commands: Any) -> None:
    example = "p2p-manifest repo renew --targets-key keys/targets.key --store store --root root.json"
    parser = flags.command(commands, "renew", "the list of products again, with a new date of expiry", example)
    parser.set_defaults(command="renew-targets")
    _targets_key(parser)
    _finish(parser)


def _set_director(commands: Any) -> None:
    example = (
        "p2p-manifest repo set-director --director-key keys/director.pub --operator-key keys/ann.pub "
        "--targets-key keys/targets.key --store store"
    )
    about = "sign goals from now on: name the tracker's key, and those of operators who may order rollbacks"
    parser = flags.command(commands, "set-director", about, example)
    for who in ("director", "operator"):
        parser.add_argument(f"--{who}-key", metavar="PUB", action="append", required=True, help="may be repeated")
    _targets_key(parser)
    _finish(parser)


def _rotate_root(commands: Any) -> None:
    example = (
        "p2p-manifest repo rotate-root --key keys/root.key --key keys/root-2.key --new-root-key keys/root-2.pub "
        "--store store --root root.json"
    )
    about = "a new root version: renewed, and with new keys where given"
    parser = flags.command(commands, "rotate-root", about, example)
    flags.key(parser, "--key", "old and new root keys that are here, private; may be repeated", many=True)
    parser.add_argument("--new-root-key", metavar="PUB", action="append", default=[], help="instead of the old ones")
    parser.add_argument("--new-root-threshold", type=int, help="how many root keys must sign (default: as before)")
    parser.add_argument("--new-targets-key", metavar="FILE", help="private; signs the targets role at once")
    parser.add_argument("--new-online-key", metavar="PUB", help="then promote with it")
    flags.life(parser, "--root-expires", "365d", "how long the new root is valid")
    _finish(parser)


def _promote(commands: Any) -> None:
    for name in ("promote", "refresh"):
        parser = flags.command(
            commands, name, "show clients what is newest, with fresh dates; do it daily",
            "p2p-manifest repo promote --key keys/online.key --every 30s --store store",
        )  # fmt: skip
        flags.key(parser, "--key", "the online key")
        parser.add_argument("--every", metavar="TIME", type=parse_duration,
                            help="stay, look so often, and show all that was signed since in one go")  # fmt: skip
        _online_lives(parser)
        _finish(parser)


def _copy(commands: Any) -> None:
    example = "p2p-manifest repo copy --from s3://releases --to /media/usb --release shop@1.0"
    parser = flags.command(
        commands, "copy", "carry the metadata (and no content) to or from a machine without a network", example
    )
    parser.add_argument("--from", dest="source", metavar="URL", required=True, help="the store to read")
    parser.add_argument("--to", dest="target", metavar="URL", required=True, help="the store to write")
    parser.add_argument("--release", metavar="PRODUCT@VERSION", action="append", default=[],
                        help="also this release's manifest, which its signers look at; may be repeated")  # fmt: skip


def _drop_draft(commands: Any) -> None:
    parser = flags.command(commands, "drop-draft", "forget what waits for signatures")
    parser.add_argument("role", help="as `repo status` shows it, such as build-shop")
    flags.store(parser)
    flags.root(parser)


def _targets_key(parser: ArgumentParser) -> None:
    flags.key(parser, "--targets-key", "private key that says which products there are; may be repeated", many=True)


def _online_lives(parser: ArgumentParser) -> None:
    flags.life(parser, "--timestamp-expires", "3d", "after that clients install nothing")
    flags.life(parser, "--snapshot-expires", "14d", "the same, for the list of versions")


def _finish(parser: ArgumentParser) -> None:
    flags.passphrase(parser)
    flags.store(parser)
    flags.root(parser)


def _tuf_client(commands: Any) -> None:
    example = "p2p-manifest tuf-client --metadata-dir cache init root.json"
    about = "be an ordinary TUF client, as TUF's conformance suite drives one"
    parser = flags.command(commands, "tuf-client", about, example)
    parser.add_argument("--metadata-dir", metavar="DIR", required=True, help="verified metadata is kept here")
    parser.add_argument("--metadata-url", metavar="URL", help="where the repository's metadata is")
    parser.add_argument("--target-name", metavar="PATH", action="append", help="may be repeated: one after the other")
    parser.add_argument("--target-base-url", metavar="URL", help="where its targets are")
    parser.add_argument("--target-dir", metavar="DIR", help="downloaded targets go here")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="begin with a trusted root; asks nobody")
    init.add_argument("trusted_root", metavar="ROOT", help="root.json")
    actions.add_parser("refresh", help="bring the metadata up to date")
    actions.add_parser("download", help="refresh, then fetch and verify the named targets")


def _keys(commands: Any) -> None:
    example = (
        "p2p-manifest keys new build --directory keys\n"
        "  p2p-manifest keys new release --uri 'hsm:2?label=release' --public release-token.pem"
    )
    parser = flags.command(commands, "new", "make NAME.key (private, mode 0600, encrypted) and NAME.pub", example)
    parser.add_argument("name")
    parser.add_argument("--directory", default=".", help="(default: here)")
    parser.add_argument("--unencrypted", action="store_true", help="no passphrase: for a key that a machine uses alone")
    parser.add_argument("--uri", help="the private key stays in this token or service: a URI of securesystemslib "
                        "(hsm:, awskms:, gcpkms:, azurekms:, hv:)")  # fmt: skip
    parser.add_argument("--public", metavar="PEM", help="its public key, as the token or service tells it")
    flags.passphrase(parser)
    parser = flags.command(commands, "show", "say a key's id", "p2p-manifest keys show keys/build.pub")
    parser.add_argument("file", help="NAME.key or NAME.pub")
    flags.passphrase(parser)
