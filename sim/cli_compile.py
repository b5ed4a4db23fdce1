"""`p2p-sim compile`: the brains of the engine quick as machine code."""

from argparse import ArgumentParser, Namespace
from typing import Any, Final

from manifests.console import EXIT_OK, Console, add_output_flags

_ABOUT: Final = """\
Compile the daemon's brains and the engine quick, which runs them on a heap: the same outcome, message for message, in
half the time. It takes a minute or two of a core, with mypy, setuptools and a C compiler; the simulator goes on without
any of them, interpreted. What is made is kept in the user's cache, for exactly these sources, this Python and this
mypy: after an edit the sources run until they are compiled again. `run --interpreted` runs them in any case, to debug.
Daemons are never compiled."""


def add_command(commands: Any) -> None:
    """Put `compile` beside the other commands."""
    command: ArgumentParser = commands.add_parser("compile", help="make the engine quick faster", description=_ABOUT)
    add_output_flags(command, nested=True)


def compile_brains(arguments: Namespace, console: Console) -> int:
    """Compile what is not compiled yet."""
    from sim.native import found
    from sim.native.building import build

    if found() is None:
        console.note("compiling the brains; this takes a minute or two")
    folder, made = build()
    value = {"folder": str(folder), "made": made}
    console.result(value, lambda: console.say(f"{'compiled' if made else 'compiled already'}: {folder}"))
    return EXIT_OK
