"""`p2p-seeder`: serve a blob store to a fleet, look at a running seeder, warm its cache.

What does the work is loaded when it is asked for, so that `--help` costs nothing.
"""

from argparse import ArgumentParser, Namespace
from typing import Final

from manifests.console import Console, add_output_flags, command_parser, run_command
from p2pd.identity.flags import add_identity_flags

DEFAULT_HTTP: Final = "127.0.0.1:8480"
DEFAULT_URL: Final = "http://127.0.0.1:8482"
_EXAMPLE: Final = """\
  p2p-seeder serve --store /srv/blobs --http 0.0.0.0:8480 --local 127.0.0.1:8482 --token-file seeder.token
  p2p-seeder prefetch web@42 --root root.json
  p2p-seeder stats"""
_FLAGS: Final = {
    "store": ("--store", "URL", "directory or URL (s3://, gs://, az://) of the blob store"),
    "http_listen": (
        "--http",
        "HOST:PORT",
        f"where HTTP for the fleet listens (default {DEFAULT_HTTP}; port 0: any free one)",
    ),
    "http_url": ("--http-url", "URL", "what hosts are told to fetch from, if not where we listen"),
    "local_listen": ("--local", "HOST:PORT", "where plain HTTP listens for this machine alone (default: nowhere)"),
    "listen": ("--listen", "HOST:PORT", "where the peer wire listens"),
    "advertise": ("--advertise", "HOST:PORT", "what peers are told to dial, if not where we listen"),
    "tracker": ("--tracker", "HOST:PORT,…", "trackers to announce to, the preferred first"),
    "fleet": ("--fleet", "NAME", "the fleet that we belong to"),
    "region": ("--region", "NAME", "the region that we stand in"),
    "node": ("--node", "NAME", "our own name"),
    "state_directory": ("--state-directory", "PATH", "where our papers are kept"),
    "cache_directory": ("--cache-directory", "PATH", "where objects are kept (default: in memory only)"),
    "cache_bytes": ("--cache-bytes", "AMOUNT", "what the cache directory may hold (default 20 GiB)"),
    "memory_bytes": ("--memory-bytes", "AMOUNT", "what is kept in memory (default 64 MiB)"),
}
"""By the name of the setting (`config.SeederConfig`)."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    return run_command(_parser(), argv, {"serve": _serve, "stats": _stats, "prefetch": _prefetch})


def _parser() -> ArgumentParser:
    about = "The origin shield: serves a blob store to a fleet, and fetches each object from it once."
    parser = command_parser("p2p-seeder", about, _EXAMPLE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve until SIGTERM", description="Serve until SIGTERM or Ctrl-C.")
    serve.add_argument("--config", metavar="FILE", help="TOML file; P2P_SEEDER_… variables and flags override it")
    for name, (flag, shape, text) in _FLAGS.items():
        serve.add_argument(flag, dest=name, metavar=shape, help=text)
    add_identity_flags(serve)
    stats = commands.add_parser("stats", help="what a running seeder has done", description="Show its counters.")
    prefetch = commands.add_parser("prefetch", help="warm the cache", description="Fetch a release into the cache.")
    prefetch.add_argument("release", metavar="RELEASE|DIGEST", help="product@version, or a manifest's SHA-256 in hex")
    prefetch.add_argument("--root", metavar="FILE", help="pinned root.json, to look up product@version")
    for asking in (stats, prefetch):
        asking.add_argument("--url", default=DEFAULT_URL, help="of the running seeder (default %(default)s)")
    for command in (serve, stats, prefetch):
        add_output_flags(command, nested=True)
    return parser


def _serve(arguments: Namespace, console: Console) -> int:
    from .serving import serve

    return serve(arguments, console, (*_FLAGS, "insecure"))


def _stats(arguments: Namespace, console: Console) -> int:
    from .asking import stats

    return stats(arguments, console)


def _prefetch(arguments: Namespace, console: Console) -> int:
    from .asking import prefetch

    return prefetch(arguments, console)
