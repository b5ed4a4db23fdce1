"""`python -m demo`: run the story, say what came of it, leave nothing running."""

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import trio
from rich.console import Console

from . import view
from .board import Board
from .errors import DemoError
from .fleet import Fleet
from .processes import children
from .publisher import Publisher
from .story import Story, check_space
from .verdict import Figures, as_json, passed

EXIT_INTERRUPTED: Final = 130
SOCKET_PATH_BYTES_MAX: Final = 107
"""What fits into sockaddr_un on Linux, with its final zero."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED: Final = "interrupted"
MARKER: Final = ".p2pd-demo"
"""A file by which we know a directory as ours, so that nobody else's is ever emptied."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="demo",
        description="Publishes three releases, deploys them to a fleet on this machine, and takes them back.",
        epilog="example: python -m demo --json figures.json",
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there, as one JSON object")
    parser.add_argument("--nodes", type=int, default=8, help="daemons to start (8)")
    parser.add_argument("--directory", type=Path, default=Path(".demo"), help="where to work (.demo)")
    parser.add_argument("--keep", action="store_true", help="leave the directory as it is at the end")
    given = parser.parse_args(argv)
    if given.nodes < 5:
        parser.error("--nodes: at least 5, host-5 is the one that crashes")
    if given.json and not given.json.absolute().parent.is_dir():
        parser.error(f"--json: there is no directory {given.json.absolute().parent}")
    return given


def main(argv: list[str] | None = None) -> int:
    """0 when every claim holds, 1 when one does not, 130 when interrupted."""
    given = arguments(argv)
    console, board, figures = Console(stderr=True), Board(), Figures(nodes=given.nodes)
    try:
        directory = workplace(given.directory.absolute(), given.nodes)
    except DemoError as error:
        console.print(f"demo: {error}", markup=False, highlight=False)
        return 1
    started = time.monotonic()
    with view.live(console, board):
        interrupted = trio.run(run, directory, console, board, figures)
    figures.seconds = time.monotonic() - started
    if interrupted:
        console.print("Stopped. Nothing of it runs any more.")
    else:
        view.verdict(console, figures, directory / "logs")
    if given.json:
        given.json.write_text(json.dumps(as_json(figures), indent=2) + "\n", encoding="utf-8")
    if not given.keep:
        tidy(directory, keep_logs=not passed(figures) and not interrupted)
    return EXIT_INTERRUPTED if interrupted else 0 if passed(figures) else 1


async def run(directory: Path, console: Console, board: Board, figures: Figures) -> bool:
    """The story with all its processes; True when a signal ended it."""
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_on, signals, nursery.cancel_scope, board, figures)
            nursery.start_soon(view.tell_lines, console, board)
            try:
                await tell(directory, board, figures)
            except DemoError as error:
                figures.error = str(error)
            except httpx.HTTPError as error:
                figures.error = f"the seeder's /metrics: {error!r}"
            nursery.cancel_scope.cancel()
    return figures.error == INTERRUPTED


async def _end_on(signals: AsyncIterator[int], scope: trio.CancelScope, board: Board, figures: Figures) -> None:
    async for _ in signals:
        board.begin("Stop everything")
        figures.error = INTERRUPTED
        scope.cancel()


async def tell(directory: Path, board: Board, figures: Figures) -> None:
    """Set the scene and play."""
    names = [f"host-{number}" for number in range(1, figures.nodes + 1)]
    publisher = Publisher(directory / "publisher", directory / "logs" / "commands.log")
    async with children(directory / "logs") as family, httpx.AsyncClient(timeout=5.0) as http:
        fleet = Fleet(directory / "fleet", names, publisher, family, board, http)
        await Story(publisher, fleet, board, figures, directory / "sources").tell()


def workplace(directory: Path, nodes: int) -> Path:
    """An empty directory of ours; DemoError when it is somebody else's or the disk is too small."""
    if directory.exists() and any(directory.iterdir()) and not (directory / MARKER).exists():
        raise DemoError(f"{directory} holds files that are not the demo's; name another place with --directory")
    if len(bytes(directory / "fleet" / f"host-{nodes}" / "control")) > SOCKET_PATH_BYTES_MAX:
        raise DemoError(f"{directory} is too long a path for sockets; name a shorter one with --directory")
    tidy(directory, keep_logs=False)
    for part in ("logs", "publisher", "fleet", "sources"):
        (directory / part).mkdir(parents=True)
    (directory / MARKER).touch()
    check_space(directory, nodes)
    return directory


def tidy(directory: Path, *, keep_logs: bool) -> None:
    """Remove what the demo made."""
    for entry in directory.iterdir() if directory.exists() else ():
        if entry.name in (MARKER, "logs") and keep_logs:
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    if not keep_logs and directory.exists():
        directory.rmdir()


if __name__ == "__main__":
    sys.exit(main())
