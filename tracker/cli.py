"""`p2p-tracker`: serve a tracker; deploy, promote, pause, roll back; look at what runs and who commanded it.

What does the work is loaded when it is asked for, so that `--help` costs nothing.
"""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Any, Final

from manifests.console import Console, UsageError, add_output_flags, command_parser, parse_duration, run_command
from p2pd.identity.flags import add_identity_flags

from .ca.cli import DEFAULT_IDENTITY
from .ca.cli import add_parser as add_ca_commands

_EXAMPLE: Final = """\
  p2p-tracker ca init /var/lib/p2p-tracker/ca
  p2p-tracker serve --listen 0.0.0.0:8470 --state-directory /var/lib/p2p-tracker --ca /var/lib/p2p-tracker/ca
  p2p-tracker deploy web web@42 --reason 'faster search' --wait
  p2p-tracker status web --hosts
  p2p-tracker pause web --reason 'errors in the log'
  p2p-tracker rollback web"""
_FLAGS: Final = {
    "listen": ("--listen", "HOST:PORT", "where to listen (port 0: any free one)"),
    "state_directory": ("--state-directory", "PATH", "where the goals are kept"),
    "region": ("--region", "NAME", "the region whose hosts it serves (default: global)"),
    "upstream": ("--upstream", "HOST:PORT", "the global tracker, which a regional one follows"),
    "fleet": ("--fleet", "NAME", "the fleet that it serves"),
    "node": ("--node", "NAME", "its own name (default: tracker-REGION)"),
    "ca_directory": ("--ca", "DIR", "the fleet's authority (`ca init`), if it is on this machine"),
    "admin_socket": ("--admin-socket", "PATH", "for operators on this machine (default: beside the goals)"),
}
"""By the name of the setting (`config.TrackerConfig`)."""
DEFAULT_TRACKER: Final = "/var/lib/p2p-tracker/admin.sock"
TRACKER_VARIABLE: Final = "P2P_TRACKER"
IDENTITY_VARIABLE: Final = "P2P_IDENTITY"
WAIT_TIMEOUT_S: Final = 1_800.0
"""The mission's own figure: from build to running everywhere within 30 minutes."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    return run_command(
        _parser(),
        argv,
        {
            "serve": _serve,
            "deploy": _operate,
            "rollback": _operate,
            "promote": _operate,
            "pause": _operate,
            "resume": _operate,
            "status": _operate,
            "swarms": _operate,
            "audit": _operate,
            "ca": _ca,
        },
    )


def _parser() -> ArgumentParser:
    about = "The tracker: who has what, what every service should run, and how it goes."
    parser = command_parser("p2p-tracker", about, _EXAMPLE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve until SIGTERM", description="Serve until SIGTERM or Ctrl-C.")
    serve.add_argument("--config", metavar="FILE", help="TOML file; P2P_TRACKER_… variables and flags override it")
    for name, (flag, shape, text) in _FLAGS.items():
        serve.add_argument(flag, dest=name, metavar=shape, help=text)
    deploy = commands.add_parser("deploy", help="run a release", description="Say which release a service should run.")
    deploy.add_argument("service", metavar="SERVICE")
    deploy.add_argument("release", metavar="RELEASE", help="product@version")
    deploy.add_argument("--allow-older", action="store_true", help="hosts may go to a release older than they run")
    deploy.add_argument("--deadline", metavar="TIME", type=_duration, default=0.0,
                        help="all hosts should have it within this, e.g. 15m: what peers would bring too late "
                        "comes by HTTP (default: whenever it comes)")  # fmt: skip
    rollback = commands.add_parser("rollback", help="go back", description="Go back to an earlier release.")
    rollback.add_argument("service", metavar="SERVICE")
    rollback.add_argument("--to", metavar="RELEASE", default="", help="which one (default: the one before)")
    about = "Say that what a service runs in one region should run elsewhere too."
    promote = commands.add_parser("promote", help="what one region runs, elsewhere too", description=about)
    promote.add_argument("service", metavar="SERVICE")
    promote.add_argument("--from", dest="source", metavar="REGION", required=True,
                         help="all hosts there must run it and be healthy")  # fmt: skip
    promote.add_argument("--force", action="store_true", help="also if they don't")
    for command in (deploy, rollback):
        _add_key_flags(command)
    for command in (deploy, rollback, promote):
        _add_scope_flags(command)
        _add_wait_flags(command)
    pause, resume = _add_pauses(commands)
    status = commands.add_parser("status", help="how it goes", description="Show what should run, and what does.")
    status.add_argument("service", metavar="SERVICE", nargs="?", default="", help="(default: all)")
    status.add_argument("--hosts", action="store_true", help="every host")
    status.add_argument("--watch", action="store_true", help="again every second, until Ctrl-C")
    swarms = commands.add_parser("swarms", help="who has what", description="Show the swarms of this tracker.")
    audit = commands.add_parser(
        "audit", help="who commanded what", description="Show who commanded what, and verify it."
    )
    audit.add_argument("what", choices=("show", "verify"), help="all records, or whether none was changed or removed")
    audit.add_argument("--anchor", metavar="SEAL", default="",
                       help="a seal that `audit verify` printed before: it must still be there")  # fmt: skip
    ca = commands.add_parser("ca", help="who belongs to the fleet", description="The fleet's certificate authority.")
    add_ca_commands(ca)
    add_identity_flags(serve)
    operations = (deploy, rollback, promote, pause, resume, status, swarms, audit)
    for command in operations:
        _add_connection_flags(command)
    for command in (serve, *operations):
        add_output_flags(command, nested=True)
    return parser


def _add_pauses(commands: Any) -> tuple[ArgumentParser, ArgumentParser]:
    about = "No host begins with a release, or goes on with one; what runs goes on running. A rollback still works."
    pause = commands.add_parser("pause", help="stop a rollout at once", description=about)
    resume = commands.add_parser("resume", help="end a pause", description="End the pause that was given so.")
    for command in (pause, resume):
        command.add_argument("service", metavar="SERVICE", nargs="?", default="", help="(default: all)")
        _add_scope_flags(command)
    return pause, resume


def _add_scope_flags(command: ArgumentParser) -> None:
    command.add_argument("--region", metavar="NAME", help="only there (default: everywhere)")
    command.add_argument("--reason", metavar="TEXT", default="", help="why, for those who look later")


def _add_key_flags(command: ArgumentParser) -> None:
    about = "sign it with this operator's key: in a fleet with a director, only so do hosts go back"
    command.add_argument("--key", metavar="FILE", default="", help=about)
    command.add_argument("--passphrase-file", metavar="FILE",
                         help="of that key; else $P2P_KEY_PASSPHRASE, or a prompt")  # fmt: skip


def _add_wait_flags(command: ArgumentParser) -> None:
    command.add_argument("--wait", action="store_true", help="until all hosts run it; exit code 1 if some give up")
    command.add_argument("--timeout", metavar="TIME", type=_duration, default=WAIT_TIMEOUT_S,
                         help="how long to wait (default: 30 min)")  # fmt: skip


def _add_connection_flags(command: ArgumentParser) -> None:
    tracker = os.environ.get(TRACKER_VARIABLE) or DEFAULT_TRACKER
    command.add_argument("--tracker", metavar="ADDRESS", default=tracker,
                         help="host:port, or the path of a tracker's socket on this machine (default: "
                         f"${TRACKER_VARIABLE}, or {DEFAULT_TRACKER})")  # fmt: skip
    command.add_argument("--identity", metavar="DIR",
                         default=os.environ.get(IDENTITY_VARIABLE) or os.path.expanduser(DEFAULT_IDENTITY),
                         help="your papers, made by `ca issue` "
                         f"(default: ${IDENTITY_VARIABLE}, or {DEFAULT_IDENTITY})")  # fmt: skip
    command.add_argument("--insecure", action="store_true", help="plain TCP to a tracker that runs so on this machine")
    command.add_argument("--fleet", metavar="NAME", default="", help="refuse to speak to another fleet's tracker")


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _serve(arguments: Namespace, console: Console) -> int:
    from .serving import serve

    return serve(arguments, console, (*_FLAGS, "insecure"))


def _ca(arguments: Namespace, console: Console) -> int:
    from .ca.commands import run

    return run(arguments, console)


def _operate(arguments: Namespace, console: Console) -> int:
    import trio

    from p2pd.wire.announce import NAME_CHARS_MAX

    from .commands import OPERATIONS
    from .operator_network import operator_network

    for name in ("service", "reason"):
        if len(getattr(arguments, name, "")) > NAME_CHARS_MAX:
            raise UsageError(f"{name}: at most {NAME_CHARS_MAX} characters")
    network, name = operator_network(arguments)
    arguments.by = name or _user()
    return trio.run(OPERATIONS[arguments.command], network, arguments, console)


def _user() -> str:
    """Who gives the command, as far as this machine knows; a proven identity counts more at the tracker."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"[:128]
