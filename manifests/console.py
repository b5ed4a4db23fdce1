"""How every command of ours speaks: exit codes, JSON or words, progress bars, one-line errors.

Imports nothing heavy: rich is loaded when a table or a bar is really drawn, so that `--help` stays cheap.
"""

import json
import os
import re
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from . import errors

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
"""It ran, and the answer is no, or it could not be done."""
EXIT_USAGE: Final = 2
"""Flags or configuration."""
EXIT_UNTRUSTED: Final = 3
"""A signature or a verification failed."""
EXIT_UNREACHABLE: Final = 4
"""The tracker, the seeder or the store does not answer."""
EXIT_INTERRUPTED: Final = 130
"""Ctrl-C, as shells count it."""

EXIT_CODES_HELP: Final = "exit codes: 0 done, 1 failed or the answer is no, 2 usage, 3 not trusted, 4 unreachable"


_WIDTH_IN_FILES: Final = 1000
"""Of tables that no terminal shows: a path in a log shall be whole."""


class CommandError(Exception):
    """A command cannot go on; the message is for a person, `exit_code` for a script."""

    exit_code = EXIT_FAILED


class UsageError(CommandError):
    """The flags or the configuration make no sense together. The caller's fault."""

    exit_code = EXIT_USAGE


class UnreachableError(CommandError):
    """The other side did not answer. The world's fault: try again."""

    exit_code = EXIT_UNREACHABLE


class Progress(Protocol):
    """A bar, or its silent twin."""

    def advance(self, count: int) -> None:
        """So many more bytes are done."""
        ...


class _Silent:
    def advance(self, count: int) -> None:
        """Nobody is looking."""


class Console:
    """Where a command's words go: results to stdout, everything else to stderr.

    `json`: print results as one JSON object. `quiet`: print only errors and JSON. `program`: the name before an error.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False, program: str = "p2p") -> None:
        self.json = json
        self.quiet = quiet
        self.program = program

    def result(self, value: Mapping[str, object], human: Callable[[], None]) -> None:
        """The command's answer: `value` as one JSON object, or `human()` which prints words."""
        if self.json:
            print(json.dumps(value, ensure_ascii=False, default=_jsonable), flush=True)
        elif not self.quiet:
            human()

    def say(self, message: str) -> None:
        """A line for a person; nothing in JSON or when quiet."""
        if not self.json and not self.quiet:
            print(message, flush=True)

    def note(self, message: str) -> None:
        """A remark on stderr while it works; nothing when quiet."""
        if not self.quiet:
            print(message, file=sys.stderr, flush=True)

    def error(self, message: str) -> None:
        """`program: message` on stderr, on one line."""
        print(f"{self.program}: {' '.join(message.split())}", file=sys.stderr, flush=True)

    @contextmanager
    def progress(self, description: str, total_bytes: int | None) -> Iterator[Progress]:
        """A bar on stderr when that is a terminal; `total_bytes` None when unknown."""
        if self.quiet or not sys.stderr.isatty():
            yield _Silent()
            return
        import rich.console
        import rich.progress as bars

        columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.DownloadColumn(binary_units=True))
        tail = (bars.TransferSpeedColumn(), bars.TimeRemainingColumn())
        with bars.Progress(*columns, *tail, console=rich.console.Console(stderr=True), transient=True) as drawn:
            task = drawn.add_task(description, total=total_bytes)
            yield _Bar(lambda count: drawn.advance(task, count))

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table on stdout; columns whose name starts with `#` are set to the right. No cell is cut off."""
        import rich.box
        import rich.console
        import rich.markup
        import rich.table

        table = rich.table.Table(title=title or None, title_justify="left", box=rich.box.SIMPLE_HEAD)
        for name in columns:
            number = name.startswith("#")
            table.add_column(name.removeprefix("#"), justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(rich.markup.escape(str(cell)) for cell in row))
        rich.console.Console(width=None if sys.stdout.isatty() else _WIDTH_IN_FILES).print(table)


class _Bar:
    def __init__(self, draw: Callable[[int], None]) -> None:
        self._draw = draw

    def advance(self, count: int) -> None:
        """So many more bytes are done."""
        self._draw(count)


def _jsonable(value: object) -> object:
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return str(value)


def command_parser(program: str, description: str, example: str) -> ArgumentParser:
    """A parser in our manner: `--json`, `--quiet`, and an epilog that teaches with an example."""
    epilog = f"example:\n{example.rstrip()}\n\n{EXIT_CODES_HELP}"
    parser = ArgumentParser(
        prog=program, description=description, epilog=epilog, formatter_class=RawDescriptionHelpFormatter
    )
    add_output_flags(parser)
    return parser


def add_output_flags(parser: ArgumentParser, *, nested: bool = False) -> None:
    """`--json` and `--quiet`. `nested`: for a sub-parser, so that they work after its name as well."""
    default: object = SUPPRESS if nested else False
    parser.add_argument("--json", action="store_true", default=default, help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", default=default, help="print only errors (and JSON)")


Handler = Callable[[Namespace, Console], int]
ErrorCodes = Sequence[tuple[type[Exception], int]]
_ERROR_CODES: Final[ErrorCodes] = (
    (errors.BadNameError, EXIT_USAGE),
    (errors.PublishError, EXIT_FAILED),
    (errors.SigningError, EXIT_FAILED),
    (errors.NoSuchBlobError, EXIT_FAILED),
    (errors.BlobExistsError, EXIT_FAILED),
    (errors.StoreError, EXIT_UNREACHABLE),
    (errors.MetadataUnavailableError, EXIT_UNREACHABLE),
    (errors.ManifestError, EXIT_UNTRUSTED),
    (OSError, EXIT_FAILED),
)
"""The first that fits counts."""


def run_command(
    parser: ArgumentParser, argv: Sequence[str] | None, handlers: Mapping[str, Handler], *, more_errors: ErrorCodes = ()
) -> int:
    """Parse `argv`, run `handlers[arguments.command]`, and return the exit code.

    Errors of ours become one line on stderr and an exit code; `more_errors` adds the caller's own.
    OSError counts as failed. Anything else is a bug and travels up with its traceback.
    """
    arguments = parser.parse_args(argv)
    console = Console(json=arguments.json, quiet=arguments.quiet, program=parser.prog)
    codes = (*more_errors, *_ERROR_CODES)
    try:
        return handlers[arguments.command](arguments, console)
    except KeyboardInterrupt:
        console.error("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads: leave without a second complaint at exit
        return EXIT_FAILED
    except CommandError as error:
        console.error(str(error))
        return error.exit_code
    except tuple(kind for kind, _ in codes) as error:
        console.error(_in_words(error))
        return next(code for kind, code in codes if isinstance(error, kind))


def _in_words(error: BaseException) -> str:
    """Without the number that an OSError begins with."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def human_bytes(count: float) -> str:
    """`1.5 GiB`; powers of 1024."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def human_rate(bytes_per_s: float) -> str:
    """`12.3 MiB/s`."""
    return f"{human_bytes(bytes_per_s)}/s"


def human_duration(seconds: float) -> str:
    """`250 ms`, `4.2 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


_BYTE_UNITS: Final = {
    "": 1, "b": 1,
    "k": 1024, "kb": 1000, "kib": 1024,
    "m": 1024**2, "mb": 1000**2, "mib": 1024**2,
    "g": 1024**3, "gb": 1000**3, "gib": 1024**3,
    "t": 1024**4, "tb": 1000**4, "tib": 1024**4,
}  # fmt: skip
_DURATION_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_AMOUNT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def _amount(text: str, units: Mapping[str, float], example: str) -> float:
    match = _AMOUNT.fullmatch(text)
    scale = units.get(match[2].lower()) if match else None
    if match is None or scale is None:
        raise ValueError(f"{text!r} is not an amount such as {example}")
    return float(match[1]) * scale


def parse_bytes(text: str) -> int:
    """Bytes from `64 KiB`, `10MB` (1000s), `4096`; ValueError otherwise."""
    return round(_amount(text, _BYTE_UNITS, "'64 KiB' or '10 MiB'"))


def parse_duration(text: str) -> float:
    """Seconds from `30s`, `5 min`, `2h`, `7d`, `250ms`, `1.5`; ValueError otherwise."""
    return _amount(text, _DURATION_UNITS, "'30s' or '2h'")
