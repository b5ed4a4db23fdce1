"""Child processes: each in a group of its own, its words in files, and none outlives the demo."""

import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import trio

from .errors import DemoError

READY_S: Final = 30.0
"""A service says that it is ready within this; it takes under a second on an idle machine."""
STOP_S: Final = 5.0
"""From SIGTERM to SIGKILL."""
POLL_S: Final = 0.05
LOG_LINES_SHOWN: Final = 8


@dataclass
class Child:
    """A running service. `ready` is what it said when it was."""

    name: str
    process: trio.Process
    log: Path
    ready: dict[str, str]

    @property
    def running(self) -> bool:
        """Has it not ended yet?"""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """To its whole process group; nothing when that is gone."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


@dataclass
class Children:
    """All that the demo started. Standard output and error go to `<logs>/<name>.out` and `.log`, runs appended."""

    logs: Path
    running: dict[str, Child] = field(default_factory=dict)

    async def start(self, name: str, argv: list[str], environment: Mapping[str, str]) -> Child:
        """Start a service and wait for its ready line; DemoError with the end of its log when none comes."""
        output, log = self.logs / f"{name}.out", self.logs / f"{name}.log"
        with output.open("ab") as out, log.open("ab") as words:
            offset = out.tell()
            process = await trio.lowlevel.open_process(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=words, env=environment, start_new_session=True
            )
        child = self.running[name] = Child(name, process, log, {})
        with output.open("rb") as lines, trio.move_on_after(READY_S):
            lines.seek(offset)
            child.ready = await _ready_line(child, lines)
        if not child.ready:
            raise DemoError(f"{name} did not become ready. {log} ends with:\n{tail(log)}")
        return child

    async def kill(self, name: str) -> None:
        """kill -9, as a crash would."""
        child = self.running.pop(name)
        child.signal(signal.SIGKILL)
        await child.process.wait()

    async def stop(self) -> None:
        """End all, the last started first: politely, then not."""
        children = list(reversed(self.running.values()))
        for child in children:
            child.signal(signal.SIGTERM)
        with trio.move_on_after(STOP_S):
            for child in children:
                await child.process.wait()
        for child in children:
            child.signal(signal.SIGKILL)  # the group too: what a service left behind must not stay
            await child.process.wait()
        self.running.clear()

    def check(self) -> None:
        """DemoError when one of them ended by itself."""
        for child in self.running.values():
            if not child.running:
                code = child.process.returncode
                raise DemoError(f"{child.name} ended with code {code}. {child.log} ends with:\n{tail(child.log)}")


@asynccontextmanager
async def children(logs: Path) -> AsyncIterator[Children]:
    """Children that are stopped at the end of the block, however it ends."""
    family = Children(logs)
    try:
        yield family
    finally:
        with trio.CancelScope(shield=True):
            await family.stop()


async def command(argv: list[str], environment: Mapping[str, str], words: IO[bytes]) -> dict[str, object]:
    """Run one command with --json to its end and return its answer; DemoError when it fails."""
    words.write(f"$ {' '.join(argv)}\n".encode())
    words.flush()
    try:
        done = await trio.run_process(argv, capture_stdout=True, capture_stderr=True, check=False, env=environment)
    except OSError as error:
        raise DemoError(f"{argv[0]} can't be run ({error.strerror}); `make setup` installs it") from error
    words.write(done.stdout + done.stderr)
    words.flush()
    if done.returncode:
        raise DemoError(f"{' '.join(argv)}\nexited with {done.returncode}: {done.stderr.decode().strip()}")
    answer = json.loads(done.stdout or b"{}")
    if not isinstance(answer, dict):
        raise DemoError(f"{' '.join(argv)}\nanswered {answer!r}, not a JSON object")
    return answer


def tail(log: Path) -> str:
    """The end of a log, for a person."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:])


async def _ready_line(child: Child, output: IO[bytes]) -> dict[str, str]:
    """The first whole line that is an object with `ready`; empty when the child ended without one."""
    buffer = b""
    while True:
        running = child.running
        buffer += output.read()
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            if line.startswith(b"{") and (said := json.loads(line)).get("ready"):
                return {key: str(value) for key, value in said.items()}
        if not running:
            return {}
        await trio.sleep(POLL_S)
