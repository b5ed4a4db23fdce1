"""A command that is started hundreds of times: imported once, by a process that forks for each.

Importing takes most of a short command's time. What runs is the command itself, in a process of its own, that any
signal can be sent to at any moment; only the interpreter's start is left out.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn

CRASHED = 99
"""What a command exits with that ended by an exception."""


class Running:
    """One run of the command."""

    def __init__(self, pid: int, parent: "Forking") -> None:
        self._handle = os.pidfd_open(pid)  # until it is waited for, the number is no other process's
        self._parent = parent

    @property
    def ended(self) -> bool:
        """It runs no more."""
        return bool(select.select([self._handle], [], [], 0)[0])

    def kill(self) -> None:
        """By SIGKILL; nothing, if it has ended."""
        if not self.ended:
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self) -> int:
        """What it exited with, once it has; minus the number of the signal that ended it."""
        select.select([self._handle], [], [])
        os.close(self._handle)
        return self._parent.reaped()


class Forking:
    """The process that has imported these modules, and runs the first one's `main(argv)` in forks. One at a time."""

    def __init__(self, *modules: str) -> None:
        argv = [sys.executable, "-m", "benchmarks.forked", *modules]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, argv: Sequence[str], out: Path, complaints: Path) -> Running:
        """Run the command; what it prints lies in these files."""
        return Running(self._ask({"argv": list(argv), "out": str(out), "complaints": str(complaints)}), self)

    def reaped(self) -> int:
        """See `Running.wait`."""
        return os.waitstatus_to_exitcode(self._ask({}))

    def _ask(self, request: dict[str, object]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def __enter__(self) -> "Forking":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def serve(modules: Sequence[str]) -> None:
    """Fork for each line of the standard input."""
    command, *_ = [importlib.import_module(module) for module in modules]
    pid = 0
    for line in sys.stdin:
        request = json.loads(line)
        if request:
            pid = os.fork()
            if not pid:
                _run(command.main, **request)
            answer = pid
        else:
            answer = os.waitpid(pid, 0)[1]
        print(answer, flush=True)


def _run(main: Callable[[list[str]], int], argv: list[str], out: str, complaints: str) -> NoReturn:
    """In the fork: never returns into the loop above."""
    code = CRASHED
    try:
        for number, path in ((1, out), (2, complaints)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        code = main(argv)
        sys.stdout.flush()
    finally:
        if code == CRASHED:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1:])
