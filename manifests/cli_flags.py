"""Flags that several commands of `p2p-manifest` share."""

import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any, Final

from .console import add_output_flags, parse_bytes, parse_duration

PASSPHRASES: Final = "passphrase of an encrypted key: --passphrase-file, or $P2P_KEY_PASSPHRASE, or a prompt"


def command(commands: Any, name: str, help: str, example: str = "") -> ArgumentParser:  # noqa: A002  # argparse's word
    """A sub-command in our manner; `example` is a whole command line."""
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


def store(parser: ArgumentParser, *, required: bool = True) -> None:
    """`--store`."""
    default = os.environ.get("P2P_STORE")
    parser.add_argument(
        "--store", metavar="URL", default=default, required=required and default is None,
        help="directory, or file://, s3://, gs://, az:// URL of the blob store (default: $P2P_STORE)",
    )  # fmt: skip


def root(parser: ArgumentParser) -> None:
    """`--root`."""
    parser.add_argument(
        "--root", metavar="FILE", default=os.environ.get("P2P_ROOT"),
        help="the pinned root.json, by which signatures are checked (default: $P2P_ROOT)",
    )  # fmt: skip


def key(parser: ArgumentParser, flag: str, help: str, *, many: bool = False) -> None:  # noqa: A002
    """A flag that takes a key's file, or several one after the other."""
    parser.add_argument(flag, metavar="FILE", required=True, action="append" if many else "store", help=help)


def passphrase(parser: ArgumentParser) -> None:
    """`--passphrase-file`."""
    parser.add_argument("--passphrase-file", metavar="FILE", help=PASSPHRASES)


def life(parser: ArgumentParser, flag: str, days: str, what: str) -> None:
    """A flag that takes a time such as 180d."""
    parser.add_argument(flag, metavar="TIME", type=parse_duration, default=days, help=f"{what} (default: {days})")


def patching(parser: Any, what: str) -> None:
    """`--recompress-memory`, `--apply-speed`, `--threads`."""
    parser.add_argument(
        "--recompress-memory", metavar="SIZE", type=parse_bytes, default="32 MiB",
        help="patch what gzip, zip, xz and zstd streams hold, if they can be compressed again byte for byte in so much "
        "memory (default: 32 MiB; 0: leave them closed). Devices that lack the memory, or the very libzstd, fetch "
        "those chunks as they are",
    )  # fmt: skip
    parser.add_argument(
        "--apply-speed", metavar="SIZE", type=parse_bytes,
        help="bytes of the release that a device shall apply in a processor second at least: no more streams are "
        "opened than that leaves time for (0: all that can be, for the fewest bytes; default: 0 with the profile "
        "device, 300 MB with the others)",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, help=f"that make {what} (default: one a core)")
