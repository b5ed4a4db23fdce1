"""What the commands that compare systems have in common: their flags, rows as they come, errors in one line, Ctrl-C."""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, TypeVar

from manifests.console import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, CommandError

EXIT_CODES = "exit codes: 0 all claims of ours kept, 1 not (the rows say which), 2 usage, 130 interrupted"


class Row(Protocol):
    """One measurement."""

    @property
    def missed(self) -> tuple[str, ...]:
        """Claims of ours that it does not keep."""
        ...

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        ...


AnyRow = TypeVar("AnyRow", bound=Row)


def parser(module: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser with --json and --repeat."""
    made = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        epilog=f"{epilog}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--first", action="store_true", help="run ahead of all other work on this machine, which waits")
    made.add_argument("--repeat", type=int, default=1, metavar="N", help="runs of each (default: 1)")
    made.add_argument("--json", action="store_true", help="print a list of rows instead")
    return made


def add_systems(made: argparse.ArgumentParser, known: Iterable[str], default: Sequence[str]) -> None:
    """--systems, of these."""
    names = tuple(known)

    def parse(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",")]
        if unknown := [name for name in chosen if name not in names]:
            raise argparse.ArgumentTypeError(f"no system {unknown[0]!r}; there are {', '.join(names)}")
        return chosen

    text = f"of {', '.join(names)} (default: {','.join(default)})"
    made.add_argument("--systems", type=parse, default=list(default), metavar="NAME,…", help=text)


def run(program: str, rows: Iterator[AnyRow], line_of: Callable[[AnyRow], str], *, as_json: bool) -> int:
    """Print each row as it comes (as JSON: all at the end, those before an error too); the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    out = sys.stderr if as_json else sys.stdout
    seen = []
    try:
        for row in rows:
            seen.append(row)
            if sys.stderr.isatty():
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # the progress line
            print(line_of(row), file=out, flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except CommandError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        if as_json:
            print(json.dumps([row.plain() for row in seen], indent=1))
    return EXIT_FAILED if any(row.missed for row in seen) else EXIT_OK


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def random_content(size: int, directory: str | None) -> Iterator[Path]:
    """A file of so many random bytes, alone in a directory of its own, for a while."""
    with tempfile.TemporaryDirectory(prefix="p2pbench-", dir=directory) as base:
        content = Path(base, "content", "content")
        content.parent.mkdir()
        with content.open("wb") as file:
            while (left := size - file.tell()) > 0:
                file.write(os.urandom(min(left, 2**24)))
        yield content
