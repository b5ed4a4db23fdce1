"""The processes of a benchmark: each in a session of its own on some host; what they cost; none outlives the block."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from .errors import BenchmarkError
from .namespaces import Network

READY_S: Final = 60.0
"""Half a minute on a busy machine, twice."""
STOP_S: Final = 3.0
POLL_S: Final = 0.02
LOG_LINES_SHOWN: Final = 8


@dataclass
class Process:
    """One that was started. `log`: all that it says. `rss_bytes`: the most it ever had resident, as far as seen."""

    name: str
    child: "subprocess.Popen[bytes]"
    log: Path
    rss_bytes: int = 0
    _ticks: int = 0

    @property
    def running(self) -> bool:
        """Has it not ended yet?"""
        if self.child.returncode is None:
            ended = os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                self._ticks = _cpu_ticks(self.child.pid)  # what is dead and not yet buried still tells
                self.child.wait()
        return self.child.returncode is None

    @property
    def cpu_s(self) -> float:
        """User and system seconds so far, its children included."""
        ticks = sum(map(_cpu_ticks, _family(self.child.pid))) if self.running else self._ticks
        return ticks / os.sysconf("SC_CLK_TCK")

    def signal(self, number: signal.Signals) -> None:
        """To it and its children; nothing when they are gone."""
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            pass

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        pipe: IO[bytes] | None = self.child.stdin
        if pipe is not None:
            pipe.write(line.encode() + b"\n")
            pipe.flush()

    def tail(self) -> str:
        """The end of what it said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])


@dataclass
class Processes:
    """All that a benchmark started; made by `processes`. `first`: ahead of all other work on this machine."""

    network: Network
    logs: Path
    environment: Mapping[str, str]
    first: bool = False
    all: dict[str, Process] = field(default_factory=dict)
    _former_s: dict[str, float] = field(default_factory=dict)

    def start(self, name: str, host: str, argv: list[str], directory: Path | None = None) -> Process:
        """Start a command on a host; what it says is added to `<logs>/<name>.log`."""
        if name in self.all:
            self._former_s[name] = self._former_s.get(name, 0.0) + self.all[name].cpu_s
        log = self.logs / f"{name}.log"
        with log.open("ab") as words:
            child = subprocess.Popen(
                [*self.network.enter(host), *argv],
                stdin=subprocess.PIPE, stdout=words, stderr=words, env=self.environment, cwd=directory,
                start_new_session=True,
            )  # fmt: skip
        if self.first:
            _put_first(child.pid)
        self.all[name] = Process(name, child, log)
        return self.all[name]

    def wait(self, name: str, until: Callable[[str], bool], what: str = "ready", timeout_s: float = READY_S) -> str:
        """Wait until what it said in this life or before fulfils the condition; all of it."""
        process, deadline = self.all[name], time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            ended = not process.running
            if until(said := process.log.read_text(errors="replace")):
                return said
            if ended:
                break
            time.sleep(POLL_S)
        raise BenchmarkError(f"{name} did not become {what}. {process.log} ends with:\n{process.tail()}")

    def kill(self, name: str) -> None:
        """kill -9, as a crash would."""
        process = self.all[name]
        process.signal(signal.SIGKILL)
        while process.running:
            time.sleep(POLL_S)

    def run(self, host: str, argv: list[str]) -> str:
        """A command's output; BenchmarkError when it fails."""
        enter = self.network.enter(host)
        done = subprocess.run(
            [*enter, *argv], capture_output=True, text=True, env=self.environment, check=False, timeout=READY_S
        )
        if done.returncode:
            raise BenchmarkError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def cpu_s(self) -> dict[str, float]:
        """User and system seconds of each so far, all lives together."""
        used = dict(self._former_s)
        for name, process in self.all.items():
            used[name] = used.get(name, 0.0) + process.cpu_s
        return used

    def forget_memory(self) -> None:
        """What they had resident at most counts from now on."""
        for process in self.all.values():
            process.rss_bytes = 0
            for pid in _family(process.child.pid) if process.running else ():
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def look_at_memory(self) -> None:
        """Note how large each has been."""
        for process in self.all.values():
            if process.running:
                resident = sum(map(_peak_rss_bytes, _family(process.child.pid)))
                process.rss_bytes = max(process.rss_bytes, resident)

    def stop(self) -> None:
        """End all: politely, then not."""
        for process in self.all.values():
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for process in self.all.values():
            try:
                process.child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            process.signal(signal.SIGKILL)  # its children too
            process.child.wait()
            if process.child.stdin is not None:
                process.child.stdin.close()
        self.all.clear()


@contextmanager
def processes(
    network: Network, logs: Path, environment: Mapping[str, str], *, first: bool = False
) -> Iterator[Processes]:
    """Processes that are stopped at the end of the block, however it ends."""
    family = Processes(network, logs, _with_bytecode(environment, logs), first)
    try:
        yield family
    finally:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of them
        try:
            family.stop()
        finally:
            signal.signal(signal.SIGINT, before)


def _put_first(pid: int) -> None:
    """The kernel shares cores between sessions first (autogroups), and each process here is a session of its own."""
    try:
        Path(f"/proc/{pid}/autogroup").write_text("-20")
    except OSError as error:
        raise BenchmarkError(f"--first does not work on this machine: {error}") from error


def _family(pid: int) -> Iterator[int]:
    """It and its children."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        yield pid
        try:
            waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15]))  # its own, and of children that it has waited for


def _peak_rss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _with_bytecode(environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Programs of ours are compiled once, as where they are installed, whatever is usual on this machine."""
    without = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return without | {"PYTHONPYCACHEPREFIX": str(directory / "bytecode")}
