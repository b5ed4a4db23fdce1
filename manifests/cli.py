"""`p2p-manifest`: publish, sign, look at and unpack releases. The work is in the other cli_ files."""

import importlib
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Sequence
from typing import Any, Final

from . import cli_trust
from .cli_flags import command, life, patching, root, store
from .console import Console, Handler, command_parser, run_command

EXAMPLE: Final = """
  p2p-manifest keys new root --directory keys        (and targets, online, build, release)
  p2p-manifest repo init --store store --root-key keys/root.key --targets-key keys/targets.key \\
      --online-key keys/online.key --output root.json
  p2p-manifest repo add-product shop --build-key keys/build.pub --release-key keys/release.pub \\
      --targets-key keys/targets.key --store store
  p2p-manifest publish build/shop --product shop --version 1.0 --store store
  p2p-manifest sign shop@1.0 --party build --key keys/build.key --store store
  p2p-manifest sign shop@1.0 --party release --key keys/release.key --store store
  p2p-manifest repo promote --key keys/online.key --store store
  p2p-manifest unpack shop@1.0 --store store --root root.json --output shop-1.0"""

PROFILES: Final = ("device", "swarm", "host", "bulk")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run_command(build_parser(), argv, HANDLERS)


def build_parser() -> ArgumentParser:
    """All flags."""
    parser = command_parser(
        "p2p-manifest", "Say exactly what a release is, and who vouches for it.", EXAMPLE.strip("\n")
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_publish, _inspect, _diff, _advise, _verify, _unpack):
        add(commands)
    cli_trust.add(commands)
    return parser


def _lazily(module: str, name: str) -> Handler:
    def handler(arguments: Namespace, console: Console) -> int:
        run: Handler = getattr(importlib.import_module(f".{module}", __package__), name)
        return run(arguments, console)

    return handler


HANDLERS: Final[dict[str, Handler]] = {
    "publish": _lazily("cli_publish", "publish"),
    "inspect": _lazily("cli_release", "inspect"),
    "diff": _lazily("cli_diff", "diff"),
    "advise": _lazily("cli_advise", "advise"),
    "verify": _lazily("cli_release", "verify"),
    "unpack": _lazily("cli_release", "unpack"),
    "sign": _lazily("cli_sign", "sign"),
    "revoke": _lazily("cli_sign", "revoke"),
    "yank": _lazily("cli_sign", "yank"),
    "renew": _lazily("cli_sign", "renew"),
    "promote": _lazily("cli_sign", "promote"),
    "refresh": _lazily("cli_sign", "promote"),
    "init": _lazily("cli_repo", "init"),
    "status": _lazily("cli_repo", "status"),
    "add-product": _lazily("cli_repo", "add_product"),
    "revoke-key": _lazily("cli_repo", "revoke_key"),
    "set-director": _lazily("cli_repo", "set_director"),
    "renew-targets": _lazily("cli_repo", "renew_targets"),
    "rotate-root": _lazily("cli_repo", "rotate_root"),
    "copy": _lazily("cli_repo", "copy"),
    "drop-draft": _lazily("cli_repo", "drop_draft"),
    "new": _lazily("cli_keys", "new"),
    "show": _lazily("cli_keys", "show"),
    "tuf-client": _lazily("cli_tuf", "tuf_client"),
}


def _publish(commands: Any) -> None:
    example = "p2p-manifest publish build/shop --product shop --version 1.0 --store store --health 'bin/shop --check'"
    parser = command(commands, "publish", "chunk a file or tree into a blob store and write its manifest", example)
    parser.add_argument("path", help="file or directory; symlinks are kept as such, never followed")
    parser.add_argument("--product", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--sequence", type=int, help="orders releases (default: one more than the greatest published)")
    parser.add_argument(
        "--profile", choices=PROFILES, default="host",
        help="chunks of about 160 KiB, 115 KiB, 320 KiB or 2.5 MiB (default: host)",
    )  # fmt: skip
    parser.add_argument("--digest", choices=("blake3", "sha256"), default="blake3", help="(default: blake3)")
    _packs(parser)
    parser.add_argument("--health", metavar="'CMD ...'", help="command in the release that exits 0 when it is healthy")
    life(parser, "--health-timeout", "10s", "for each attempt")
    life(parser, "--health-interval", "1s", "between attempts")
    parser.add_argument("--health-attempts", type=int, default=3, help="(default: 3)")
    store(parser)


def _packs(parser: ArgumentParser) -> None:
    packs = parser.add_argument_group("packs", "what travels instead of whole chunks; signed for with the release")
    packs.add_argument(
        "--base", metavar="VERSION", action="append", default=[],
        help="patches for devices that run this earlier version; may be repeated",
    )  # fmt: skip
    packs.add_argument(
        "--bases", metavar="N", type=int, help="for the N releases before this one (with a mix: at most)"
    )
    packs.add_argument(
        "--fleet-mix", metavar="FILE", help='choose bases by how many run what: a JSON object such as {"1.0": 120000}'
    )
    packs.add_argument(
        "--compressed", action=BooleanOptionalAction, help="all chunks, compressed, for devices without a base "
        "(default: with the profile device)",
    )  # fmt: skip
    packs.add_argument(
        "--pack-level", metavar="LEVEL", type=int, choices=range(1, 20), default=18, help="zstd's (default: 18)"
    )
    patching(packs, "packs")


def _reference(parser: ArgumentParser, name: str) -> None:
    parser.add_argument(name, metavar=name.upper(), help="a manifest's file or digest, or product@version")


def _inspect(commands: Any) -> None:
    parser = command(commands, "inspect", "say what a manifest holds", "p2p-manifest inspect shop@1.0 --store store")
    _reference(parser, "manifest")
    parser.add_argument("--files", action="store_true", help="list all paths")
    store(parser, required=False)
    root(parser)


def _diff(commands: Any) -> None:
    example = (
        "p2p-manifest diff shop@1.0 shop@1.1 --store store --json\n"
        "  p2p-manifest diff old.img new.img --what-if device host --html update.html"
    )
    parser = command(commands, "diff", "say what would travel from one release to the next, and why", example)
    for name in ("old", "new"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help="a manifest's file or digest, product@version, or a file or directory itself",
        )
    parser.add_argument(
        "--profile", choices=PROFILES, help="to cut files and directories by (default: as the other side is, or host)"
    )
    parser.add_argument(
        "--patches", action=BooleanOptionalAction,
        help="make a pack, to see what it would save (default: for files and directories, not for releases)",
    )  # fmt: skip
    parser.add_argument(
        "--what-if",
        metavar="PROFILE",
        nargs="+",
        choices=PROFILES,
        default=[],
        help=f"cut otherwise: {', '.join(PROFILES)}",
    )
    parser.add_argument("--html", metavar="FILE", help="write a picture of it: one page that needs nothing else")
    patching(parser, "patches")
    store(parser, required=False)
    root(parser)


def _advise(commands: Any) -> None:
    example = "p2p-manifest advise build/rootfs --old last/rootfs"
    parser = command(commands, "advise", "find compression inside a release, which makes its updates large", example)
    parser.add_argument("path", help="file, image or directory")
    parser.add_argument("--old", metavar="PATH", help="the release before: measure what an update would save")


def _verify(commands: Any) -> None:
    example = "p2p-manifest verify /srv/shop shop@1.0 --store store --root root.json"
    parser = command(commands, "verify", "compare what is on disk with a manifest; exit code 3 if it differs", example)
    parser.add_argument("path")
    _reference(parser, "manifest")
    parser.add_argument("--ignore-times", action="store_true", help="don't compare modification times")
    store(parser, required=False)
    root(parser)


def _unpack(commands: Any) -> None:
    example = "p2p-manifest unpack shop@1.0 --store store --root root.json --output shop-1.0"
    parser = command(commands, "unpack", "make the artifact from the store, each chunk verified", example)
    _reference(parser, "manifest")
    parser.add_argument("--output", required=True, metavar="PATH", help="must not be there yet")
    store(parser)
    root(parser)
