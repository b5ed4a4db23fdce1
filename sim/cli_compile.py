"""`p2p-sim compile`: what an engine spends its time in as machine code."""

from argparse import ArgumentParser, Namespace
from typing import Any, Final

from manifests.console import EXIT_OK, Console, add_output_flags

_ABOUT: Final = """\
Compile what an engine spends its time in. quick: the daemon's brains and the heap that runs them; the same outcome,
message for message, in half the time. fleet: the brains, the bodies around them and the simulated world; the same
trace, byte for byte, in less time. It takes a minute or two of a core, with mypy, setuptools and a C compiler; the
simulator goes on without any of them, interpreted. What is made is kept in the user's cache, for exactly these sources,
this Python and this mypy: after an edit the sources run until they are compiled again. `run --interpreted` runs them in
any case, to debug; `chaos` always does. Daemons on real machines are never compiled."""


def add_command(commands: Any) -> None:
    """Put `compile` beside the other commands."""
    command: ArgumentParser = commands.add_parser("compile", help="make an engine faster", description=_ABOUT)
    command.add_argument("engine", nargs="?", choices=["quick", "fleet"], default="quick", help="(default: quick)")
    add_output_flags(command, nested=True)


def compile_engine(arguments: Namespace, console: Console) -> int:
    """Compile what is not compiled yet."""
    from sim.native import GROUPS, found
    from sim.native.building import build

    group = GROUPS[arguments.engine]
    if found(group) is None:
        console.note(f"compiling the engine {arguments.engine}; this takes a minute or two")
    folder, made = build(group)
    value = {"engine": arguments.engine, "folder": str(folder), "made": made}
    console.result(value, lambda: console.say(f"{'compiled' if made else 'compiled already'}: {folder}"))
    return EXIT_OK
