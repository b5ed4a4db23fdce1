"""`p2p-manifest`: publish, sign, look at and unpack releases. The work is in cli_release, cli_sign and cli_keys."""

import importlib
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any, Final

from .console import Console, Handler, add_output_flags, command_parser, parse_duration, run_command

EXAMPLE: Final = """
  p2p-manifest keys new root --directory keys        (also: targets, online, build, release)
  p2p-manifest repo init --store store --root-key keys/root.key --targets-key keys/targets.key \\
      --online-key keys/online.key --output root.json
  p2p-manifest repo add-product shop --build-key keys/build.pub --release-key keys/release.pub \\
      --targets-key keys/targets.key --store store
  p2p-manifest publish build/shop --product shop --version 1.0 --store store
  p2p-manifest sign shop@1.0 --party build --key keys/build.key --store store
  p2p-manifest sign shop@1.0 --party release --key keys/release.key --store store
  p2p-manifest repo promote --key keys/online.key --store store
  p2p-manifest unpack shop@1.0 --store store --root root.json --output shop-1.0"""

PASSPHRASES: Final = "passphrase of an encrypted key: --passphrase-file, or $P2P_KEY_PASSPHRASE, or a prompt"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run_command(build_parser(), argv, HANDLERS)


def build_parser() -> ArgumentParser:
    """All flags."""
    parser = command_parser(
        "p2p-manifest", "Say exactly what a release is, and who vouches for it.", EXAMPLE.strip("\n")
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_publish, _sign, _revoke, _renew, _inspect, _diff, _verify, _unpack):
        add(commands)
    repo = commands.add_parser("repo", help="the trust metadata of a blob store")
    _repo(repo.add_subparsers(title="commands", metavar="COMMAND", required=True))
    _tuf_client(commands)
    keys = commands.add_parser("keys", help="make and show keys")
    _keys(keys.add_subparsers(title="commands", metavar="COMMAND", required=True))
    return parser


def _lazily(module: str, name: str) -> Handler:
    def handler(arguments: Namespace, console: Console) -> int:
        run: Handler = getattr(importlib.import_module(f".{module}", __package__), name)
        return run(arguments, console)

    return handler


HANDLERS: Final[dict[str, Handler]] = {
    "publish": _lazily("cli_release", "publish"),
    "inspect": _lazily("cli_release", "inspect"),
    "diff": _lazily("cli_release", "diff"),
    "verify": _lazily("cli_release", "verify"),
    "unpack": _lazily("cli_release", "unpack"),
    "sign": _lazily("cli_sign", "sign"),
    "revoke": _lazily("cli_sign", "revoke"),
    "renew": _lazily("cli_sign", "renew"),
    "init": _lazily("cli_sign", "init"),
    "add-product": _lazily("cli_sign", "add_product"),
    "promote": _lazily("cli_sign", "promote"),
    "refresh": _lazily("cli_sign", "promote"),
    "rotate-root": _lazily("cli_sign", "rotate_root"),
    "new": _lazily("cli_keys", "new"),
    "show": _lazily("cli_keys", "show"),
    "tuf-client": _lazily("cli_tuf", "tuf_client"),
}


def _command(commands: Any, name: str, help: str, example: str = "") -> ArgumentParser:  # noqa: A002  # argparse's word
    from argparse import RawDescriptionHelpFormatter

    parser: ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"example:\n  {example}" if example else None,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=name)
    add_output_flags(parser, nested=True)
    return parser


def _store(parser: ArgumentParser, *, required: bool = True) -> None:
    default = os.environ.get("P2P_STORE")
    parser.add_argument(
        "--store", metavar="URL", default=default, required=required and default is None,
        help="directory, or file://, s3://, gs://, az:// URL of the blob store (default: $P2P_STORE)",
    )  # fmt: skip


def _root(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--root", metavar="FILE", default=os.environ.get("P2P_ROOT"),
        help="the pinned root.json, by which signatures are checked (default: $P2P_ROOT)",
    )  # fmt: skip


def _key(parser: ArgumentParser, flag: str, help: str) -> None:  # noqa: A002
    parser.add_argument(flag, metavar="FILE", required=True, help=help)


def _passphrase(parser: ArgumentParser) -> None:
    parser.add_argument("--passphrase-file", metavar="FILE", help=PASSPHRASES)


def _life(parser: ArgumentParser, flag: str, days: str, what: str) -> None:
    parser.add_argument(flag, metavar="TIME", type=parse_duration, default=days, help=f"{what} (default: {days})")


def _publish(commands: Any) -> None:
    example = "p2p-manifest publish build/shop --product shop --version 1.0 --store store --health 'bin/shop --check'"
    parser = _command(commands, "publish", "chunk a file or tree into a blob store and write its manifest", example)
    parser.add_argument("path", help="file or directory; symlinks are kept as such, never followed")
    parser.add_argument("--product", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--sequence", type=int, help="orders releases (default: one more than the greatest published)")
    parser.add_argument(
        "--profile", choices=("device", "host", "bulk"), default="host",
        help="chunks of about 80 KiB, 320 KiB or 5 MiB (default: host)",
    )  # fmt: skip
    parser.add_argument("--digest", choices=("blake3", "sha256"), default="blake3", help="(default: blake3)")
    parser.add_argument("--health", metavar="'CMD ...'", help="command in the release that exits 0 when it is healthy")
    _life(parser, "--health-timeout", "10s", "for each attempt")
    _life(parser, "--health-interval", "1s", "between attempts")
    parser.add_argument("--health-attempts", type=int, default=3, help="(default: 3)")
    _store(parser)


def _reference(parser: ArgumentParser, name: str) -> None:
    parser.add_argument(name, metavar=name.upper(), help="a manifest's file or digest, or product@version")


def _inspect(commands: Any) -> None:
    parser = _command(commands, "inspect", "say what a manifest holds", "p2p-manifest inspect shop@1.0 --store store")
    _reference(parser, "manifest")
    parser.add_argument("--files", action="store_true", help="list all paths")
    _store(parser, required=False)
    _root(parser)


def _diff(commands: Any) -> None:
    example = "p2p-manifest diff shop@1.0 shop@1.1 --store store --json"
    parser = _command(commands, "diff", "say what would travel from one release to the next", example)
    _reference(parser, "old")
    _reference(parser, "new")
    _store(parser, required=False)
    _root(parser)


def _verify(commands: Any) -> None:
    example = "p2p-manifest verify /srv/shop shop@1.0 --store store --root root.json"
    parser = _command(commands, "verify", "compare what is on disk with a manifest; exit code 3 if it differs", example)
    parser.add_argument("path")
    _reference(parser, "manifest")
    parser.add_argument("--ignore-times", action="store_true", help="don't compare modification times")
    _store(parser, required=False)
    _root(parser)


def _unpack(commands: Any) -> None:
    example = "p2p-manifest unpack shop@1.0 --store store --root root.json --output shop-1.0"
    parser = _command(commands, "unpack", "make the artifact from the store, each chunk verified", example)
    _reference(parser, "manifest")
    parser.add_argument("--output", required=True, metavar="PATH", help="must not be there yet")
    _store(parser)
    _root(parser)


def _signing(parser: ArgumentParser) -> None:
    parser.add_argument("--party", choices=("build", "release"), required=True, help="for whom the key signs")
    _key(parser, "--key", "the party's private key")
    _passphrase(parser)
    _life(parser, "--expires", "180d", "how long the party's list is valid")
    _store(parser)
    _root(parser)


def _sign(commands: Any) -> None:
    example = "p2p-manifest sign shop@1.0 --party build --key keys/build.key --digest 5f1a… --store store"
    parser = _command(commands, "sign", "vouch for a release as one of the two parties", example)
    parser.add_argument("release", metavar="PRODUCT@VERSION")
    parser.add_argument("--digest", metavar="HEX", help="the manifest's, as you were told (default: as the store says)")
    _signing(parser)


def _revoke(commands: Any) -> None:
    example = "p2p-manifest revoke shop@1.0 --party release --key keys/release.key --store store"
    parser = _command(commands, "revoke", "no longer vouch for a release", example)
    parser.add_argument("release", metavar="PRODUCT@VERSION")
    _signing(parser)


def _renew(commands: Any) -> None:
    example = "p2p-manifest renew shop --party build --key keys/build.key --store store"
    parser = _command(commands, "renew", "sign a party's list again with a new date of expiry", example)
    parser.add_argument("product")
    _signing(parser)


def _repo(commands: Any) -> None:
    parser = _command(commands, "init", "make the trust metadata of an empty store")
    parser.add_argument("--root-key", metavar="FILE", action="append", required=True, help="private; may be repeated")
    parser.add_argument("--root-threshold", type=int, default=1, help="how many root keys must sign (default: 1)")
    _key(parser, "--targets-key", "private key that says which products there are")
    _key(parser, "--online-key", "private key that says what is newest")
    _life(parser, "--root-expires", "365d", "how long the root is valid")
    parser.add_argument("--output", metavar="FILE", help="also write root.json here, to be pinned by clients")
    parser = _finish_repo(parser)
    parser = _command(commands, "add-product", "name both parties' keys for a product (replaces those it had)")
    parser.add_argument("product")
    for party in ("build", "release"):
        flag = f"--{party}-key"
        parser.add_argument(flag, metavar="PUB", action="append", required=True, help="public; may be repeated")
    _key(parser, "--targets-key", "private key that says which products there are")
    _finish_repo(parser)
    for name in ("promote", "refresh"):
        parser = _command(commands, name, "show clients what is newest, with fresh dates; do it daily")
        _key(parser, "--key", "the online key")
        _life(parser, "--timestamp-expires", "3d", "after that clients install nothing")
        _life(parser, "--snapshot-expires", "14d", "the same, for the list of versions")
        _finish_repo(parser)
    parser = _command(commands, "rotate-root", "a new root version: renewed, and with new keys where given")
    parser.add_argument("--key", metavar="FILE", action="append", required=True, help="old and new root keys, private")
    parser.add_argument("--new-root-key", metavar="PUB", action="append", default=[], help="instead of the old ones")
    parser.add_argument("--new-targets-key", metavar="FILE", help="private; signs the targets role at once")
    parser.add_argument("--new-online-key", metavar="PUB", help="then promote with it")
    _life(parser, "--root-expires", "365d", "how long the new root is valid")
    _finish_repo(parser)


def _tuf_client(commands: Any) -> None:
    example = "p2p-manifest tuf-client --metadata-dir cache init root.json"
    parser = _command(
        commands, "tuf-client", "be an ordinary TUF client, as TUF's conformance suite drives one", example
    )
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


def _finish_repo(parser: ArgumentParser) -> ArgumentParser:
    _passphrase(parser)
    _store(parser)
    _root(parser)
    return parser


def _keys(commands: Any) -> None:
    example = "p2p-manifest keys new build --directory keys --encrypt"
    parser = _command(commands, "new", "make NAME.key (private, mode 0600) and NAME.pub", example)
    parser.add_argument("name")
    parser.add_argument("--directory", default=".", help="(default: here)")
    parser.add_argument("--encrypt", action="store_true", help="with a passphrase")
    _passphrase(parser)
    parser = _command(commands, "show", "say a key's id", "p2p-manifest keys show keys/build.pub")
    parser.add_argument("file", help="NAME.key or NAME.pub")
    _passphrase(parser)
