"""The command `p2pd`: the daemon, and what a person on its machine asks of it."""

import gc
from argparse import ArgumentParser, Namespace

from manifests.console import Console, add_output_flags, command_parser, run_command
from p2pd.identity.flags import add_identity_flags

_EXAMPLE = """\
  p2pd run --config /etc/p2pd.toml
  p2pd status
  p2pd get web@42 --output ./web --trust-root root.json --tracker tracker.example:7400
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    handlers = {
        "run": _run,
        "get": _get,
        "attest": _attest,
        "status": _ask,
        "list": _ask,
        "pause": _ask,
        "resume": _ask,
        "gc": _ask,
    }
    return run_command(_parser(), argv, handlers)


def _parser() -> ArgumentParser:
    parser = command_parser("p2pd", "Fetch signed releases from peers, verify, install and serve them.", _EXAMPLE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="be the daemon: follow the goal state of this host's services")
    run.add_argument("--config", metavar="FILE", help="TOML file (see packaging/examples/p2pd.toml)")
    for name in (
        "state-directory",
        "data-directory",
        "node",
        "region",
        "fleet",
        "listen",
        "trust-root",
        "control-socket",
    ):
        run.add_argument(f"--{name}", metavar=name.rpartition("-")[2].upper(), help="overrides the file")
    add_identity_flags(run)
    run.add_argument("--tracker", action="append", metavar="HOST:PORT", help="overrides the file; may be repeated")
    attest = commands.add_parser(
        "attest",
        help="what this machine can show of what it runs",
        description="Show the attestation key, the TPM's registers, and what is remembered of each product.",
    )
    attest.add_argument("--config", metavar="FILE", required=True, help="the daemon's, with its table [attestation]")
    add_output_flags(attest, nested=True)
    _get_parser(commands.add_parser("get", help="fetch one release to a path, without a goal state"))
    for name, words in (
        ("status", "what each download does, how fast, from where, and what it waits for"),
        ("list", "the releases on this disk"),
        ("pause", "fetch nothing until `resume` (serving goes on)"),
        ("resume", "fetch again"),
        ("gc", "delete releases that are not needed any more"),
    ):
        command = commands.add_parser(name, help=words, description=words.capitalize() + ".")
        command.add_argument(
            "--socket", metavar="PATH", help="the daemon's control socket (default: P2PD_CONTROL_SOCKET)"
        )
        add_output_flags(command, nested=True)
        if name == "status":
            command.add_argument("--watch", action="store_true", help="show it again every second")
        if name == "gc":
            command.add_argument("--dry-run", action="store_true", help="only say what would go")
    add_output_flags(run, nested=True)
    return parser


def _get_parser(get: ArgumentParser) -> None:
    get.add_argument("release", metavar="PRODUCT@VERSION")
    where = get.add_mutually_exclusive_group(required=True)
    where.add_argument("--output", metavar="PATH", help="where it shall be; must not exist")
    where.add_argument(
        "--into", metavar="PATH", help="write it over this file or block device, of which it takes the beginning"
    )
    get.add_argument(
        "--seed", action="append", metavar="PATH", help="a file or block device that may hold old bytes; not trusted"
    )
    get.add_argument("--dear-link", action="store_true", help="bytes cost more than time: fetch them compressed")
    get.add_argument(
        "--fallback-max",
        metavar="SIZE",
        help="what may come as it is where a pack can't be used; beyond that wait",
    )
    get.add_argument("--trust-root", required=True, metavar="FILE", help="the pinned root.json")
    get.add_argument("--tracker", action="append", metavar="HOST:PORT", help="who knows peers; may be repeated")
    get.add_argument(
        "--origin", action="append", metavar="URL", help="a shield or CDN to fall back to; may be repeated"
    )
    get.add_argument("--lan", action="store_true", help="find peers on the local network, and serve them meanwhile")
    get.add_argument("--identity", metavar="DIRECTORY", help="our papers: identity.pem and root.pem")
    get.add_argument("--insecure", action="store_true", help="plain TCP, with a tracker and peers on this machine only")
    get.add_argument("--fleet", default="default")
    get.add_argument("--region", default="default")
    get.add_argument(
        "--deadline",
        metavar="TIME",
        help="be done within this, e.g. 10m: what peers would bring too late comes by HTTP",
    )
    get.add_argument("--timeout", metavar="TIME", help="give up after this, e.g. 10m (what is there is kept)")
    get.add_argument(
        "--state-directory", metavar="DIRECTORY", help="what is kept between attempts (default: in your home)"
    )
    add_output_flags(get, nested=True)


def _run(arguments: Namespace, console: Console) -> int:
    gc.disable()  # what is loaded is no garbage, and looking for some is a tenth of a daemon's start
    from p2pd.commands.run import run

    gc.enable()
    return run(arguments, console)


def _get(arguments: Namespace, console: Console) -> int:
    from p2pd.commands.get import get

    return get(arguments, console)


def _attest(arguments: Namespace, console: Console) -> int:
    from p2pd.commands.attest import attest

    return attest(arguments, console)


def _ask(arguments: Namespace, console: Console) -> int:
    from p2pd.commands.ask import ask

    return ask(arguments, console)
