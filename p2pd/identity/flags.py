"""The flags about identity, which all services share. They override the configuration's."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from .config import IdentityConfig


def add_identity_flags(command: ArgumentParser) -> None:
    """`--identity`, `--token-file`, `--insecure`."""
    command.add_argument("--identity", metavar="DIRECTORY", help="where our papers are kept (identity.directory)")
    command.add_argument("--token-file", metavar="FILE", help="the join token for the first start")
    command.add_argument(
        "--insecure",
        action="store_const",
        const="true",
        help="plain TCP without identities, on this machine only",
    )


def with_flags(config: IdentityConfig, arguments: Namespace) -> IdentityConfig:
    """The configuration with what these flags say."""
    given = {"directory": arguments.identity, "token_file": arguments.token_file}
    return replace(config, **{name: value for name, value in given.items() if value})
