"""Running a tool and seeing what it costs."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ERROR_CHARS_MAX = 2000


class ToolError(Exception):
    """A tool failed; the message holds the end of what it said."""


@dataclass(frozen=True)
class Cost:
    """Processor seconds of the tool and all its children, and the most memory that one of them held.

    A tool that holds less than this very process shows this process's memory: the kernel counts from the fork.
    """

    cpu_s: float = 0.0
    rss_bytes: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_s + other.cpu_s, max(self.rss_bytes, other.rss_bytes))


def run(
    argv: Sequence[str | Path],
    *,
    directory: Path | None = None,
    environment: dict[str, str] | None = None,
    stdout: IO[bytes] | None = None,
) -> Cost:
    """Run a command to its end; ToolError unless it exits 0."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [str(word) for word in argv],
            cwd=directory,
            env=environment and os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout or said,
            stderr=said,
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise ToolError(f"{argv[0]} failed ({child.returncode}): {_tail(said)}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def output_of(argv: Sequence[str | Path], *, environment: dict[str, str] | None = None) -> str:
    """What a command prints; ToolError."""
    with tempfile.TemporaryFile() as printed:
        run(argv, environment=environment, stdout=printed)
        printed.seek(0)
        return printed.read().decode(errors="replace")


def _tail(said: IO[bytes]) -> str:
    said.seek(0)
    return " ".join(said.read().decode(errors="replace").split())[-ERROR_CHARS_MAX:]
