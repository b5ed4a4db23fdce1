"""A fleet of three on loopback: a tracker, a seeder, and the daemon that is attacked; and whoever attacks it.

The daemon has a core of its own, everybody else shares the others, the enemies behind all: what they take of the honest
source's time would be their doing too, but says nothing about the daemon.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trio

from manifests.console import CommandError
from p2pd import control
from p2pd.wire.announce import Announce
from p2pd.wire.codec import encode

from .enemies import TRACKERS, Member, Order, register

STEP_S: Final = 60.0
LOOK_S: Final = 0.1
MEMBERS: Final = 8
"""Hostile members of the fleet."""
REGION: Final = "default"
PRODUCT: Final = "shop"
RELEASES: Final = ("a", "b", "c")
"""They take turns; two are kept at a time, so each is fetched anew."""
CLOCK_S: Final = 0.01
"""How exact the kernel counts processor time."""
ANNOUNCES: Final = 21
RENEWED: Final = b"renewed"


@dataclass(frozen=True)
class Download:
    """One whole release. `said`: what the daemon says of it. `seen`: moments, bytes that were there by then, and
    the daemon's seconds of processor time by then."""

    said: dict[str, Any]
    seen: tuple[tuple[float, int, float], ...]

    @property
    def rate(self) -> float:
        """Bytes a second, without the beginning and the end; CommandError when it was over too soon."""
        first, last = self._middle
        return (last[1] - first[1]) / (last[0] - first[0])

    @property
    def work(self) -> float:
        """Bytes for each second of the daemon's processor; CommandError likewise."""
        first, last = self._middle
        return (last[1] - first[1]) / max(last[2] - first[2], CLOCK_S)

    @property
    def _middle(self) -> tuple[tuple[float, int, float], tuple[float, int, float]]:
        size = self.said["size_bytes"]
        middle = [one for one in self.seen if 0.02 * size < one[1] < 0.98 * size]
        if len(middle) < 2:
            raise CommandError("the download was over before it could be measured: give a larger --size")
        return middle[0], middle[-1]


class Scene:
    """Everything in this directory. `size`: bytes of each of the releases that take turns."""

    def __init__(self, directory: Path, size: int) -> None:
        self.directory, self.size = directory, size
        self._running: list[subprocess.Popen[Any]] = []
        self._next = 0
        self.tracker = self.daemon = ""
        self.daemon_pid = self.tracker_pid = 0

    def set_up(self) -> None:
        """Publish, and start everybody who is honest."""
        keys, root = self.directory / "keys", str(self.directory / "root.json")
        store = ("--store", str(self.directory / "store"))
        key = {role: (f"--{role}-key", f"{keys}/{role}") for role in ("root", "targets", "online", "build", "release")}
        for role in key:
            self._run("manifests", "keys", "new", role, "--unencrypted", "--directory", str(keys))
        own = [text for role in ("root", "targets", "online") for text in (key[role][0], f"{key[role][1]}.key")]
        self._run("manifests", "repo", "init", *store, *own, "--output", root)
        parties = [text for role in ("build", "release") for text in (key[role][0], f"{key[role][1]}.pub")]
        parties += [key["targets"][0], f"{key['targets'][1]}.key"]
        self._run("manifests", "repo", "add-product", PRODUCT, *store, *parties)
        for version in RELEASES:
            content = self.directory / version
            with content.open("wb") as file:
                while file.tell() < self.size:
                    file.write(os.urandom(2**22))
            release = f"{PRODUCT}@{version}"
            flags = ("--product", PRODUCT, "--version", version, "--profile", "host")
            self._run("manifests", "publish", str(content), *flags, *store)
            content.unlink()
            for party in ("build", "release"):
                self._run("manifests", "sign", release, "--party", party, "--key", f"{key[party][1]}.key", *store)
        self._run("manifests", "repo", "promote", "--key", f"{key['online'][1]}.key", *store)
        self._start_honest(root)

    def _start_honest(self, root: str) -> None:
        authority = str(self.directory / "ca")
        self._run("tracker", "ca", "init", authority)
        where = ("--listen", "127.0.0.1:0", "--state-directory")
        tracker = self._serve("tracker", "serve", *where, str(self.directory / "tracker"), "--ca", authority)
        self.tracker, self.tracker_pid = tracker["listen"], self._running[-1].pid
        shield = ("--store", str(self.directory / "store"), "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0")
        papers = ("--identity", self._papers("seeder", "shield"), "--state-directory", str(self.directory / "seeder"))
        self._serve("seeder", "serve", *shield, *papers, "--tracker", self.tracker)
        for name in ("honest", *(f"enemy-{number}" for number in range(MEMBERS))):
            self._papers("host", name)
        self._papers("release-manager", "ann")
        config = self.directory / "p2pd.toml"
        values = {
            "state_directory": str(self.directory / "state"), "data_directory": str(self.directory / "srv"),
            "control_socket": str(self.directory / "control"), "trust_root": root, "trackers": [self.tracker],
            "listen": "127.0.0.1:0",
        }  # fmt: skip
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        lines += [f"identity = {{directory = {json.dumps(self._papers('host', 'victim'))}}}"]
        config.write_text("\n".join([*lines, f"[services.{PRODUCT}]", "keep_releases = 1", ""]))
        ready = self._serve("p2pd", "run", "--config", str(config))
        self.daemon, self.daemon_pid = ready["listen"], self._running[-1].pid
        own, others = cores()
        os.sched_setaffinity(self.daemon_pid, own)
        for process in self._running[:-1]:
            os.sched_setaffinity(process.pid, others)

    def download(self) -> Download:
        """One whole release."""
        version = RELEASES[self._next % len(RELEASES)]
        self._next += 1
        release = f"{PRODUCT}@{version}"
        flags = ("--tracker", self.tracker, "--identity", str(self.directory / "ann"), "--allow-older")
        self._run("tracker", "deploy", PRODUCT, release, *flags)
        seen: list[tuple[float, int, float]] = []
        status, ends_at = self.status(), time.monotonic() + STEP_S
        while time.monotonic() < ends_at:
            status = self.status()
            now = time.monotonic()
            ours = next((one for one in status["downloads"] if one["release"] == release), None)
            seen.append((now, ours["verified_bytes"] if ours else 0, cpu_s(self.daemon_pid)))
            service = status["services"][0]
            runs = (service["running_release"], service["state"]) == (release, "VERIFIED")
            if ours and runs and len(status["downloads"]) < len(RELEASES):
                return Download(ours, tuple(seen))
            time.sleep(LOOK_S)
        raise CommandError(f"{release} was not there after {STEP_S:.0f} s: {status['services']} {status['downloads']}")

    def status(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        return trio.run(control.ask, str(self.directory / "control"), {"command": "status"})

    @contextmanager
    def attack(self, kinds: Sequence[str], swarm: str, pieces: int) -> Iterator[None]:
        """Enemies of these kinds, for as long as the block lasts."""
        enemies = [self._enemies(kind, swarm, pieces) for kind in kinds]
        try:
            yield
            if any(process.poll() is not None for process in enemies):
                raise CommandError(f"the enemies gave up: {(self.directory / 'enemies.log').read_text()[-500:]}")
        finally:
            for process in enemies:
                process.kill()
                process.wait()
                self._running.remove(process)

    def _enemies(self, kind: str, swarm: str, pieces: int) -> "subprocess.Popen[Any]":
        address = self.tracker if kind in TRACKERS else self.daemon
        papers = [str(self.directory / f"enemy-{number}") for number in range(MEMBERS)]
        order = {"kind": kind, "address": address, "papers": papers, "swarm": swarm, "pieces": pieces}
        argv = ["nice", "-n", "19", sys.executable, "-m", "benchmarks.hostile.enemies", json.dumps(order)]
        with (self.directory / "enemies.log").open("ab") as words:
            process = subprocess.Popen(argv, stdout=words, stderr=words)
        os.sched_setaffinity(process.pid, cores()[1])
        self._running.append(process)
        return process

    def answer_s(self) -> float:
        """How long an honest host waits for the answer to an announce: the median of some."""
        honest = Member(Order("", self.tracker, ()), str(self.directory / "honest"))
        times = []
        with honest.connect() as stream:
            stream.sendall(register(honest))
            for _ in range(ANNOUNCES):
                began = time.monotonic()
                stream.sendall(encode(Announce(())))
                while RENEWED not in stream.recv(65_536):
                    pass
                times.append(time.monotonic() - began)
        return statistics.median(times)

    def close(self) -> None:
        """End all, the last started first."""
        for process in reversed(self._running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()

    def _papers(self, role: str, name: str) -> str:
        directory = str(self.directory / name)
        region = () if role == "release-manager" else ("--region", REGION)
        flags = ("--role", role, "--host", name, *region, "--output", directory)
        self._run("tracker", "ca", "issue", *flags, "--ca", str(self.directory / "ca"))
        return directory

    def _serve(self, *argv: str) -> dict[str, Any]:
        with (self.directory / f"{argv[0]}.log").open("ab") as words:
            process = subprocess.Popen([sys.executable, "-m", *argv], stdout=subprocess.PIPE, stderr=words, text=True)
        self._running.append(process)
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise CommandError(f"{argv[0]} did not start: {(self.directory / f'{argv[0]}.log').read_text()[-500:]}")
        ready: dict[str, Any] = json.loads(line)
        return ready

    def _run(self, *argv: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", *argv, "--json"], capture_output=True, text=True, check=False, timeout=STEP_S
        )
        if done.returncode:
            raise CommandError(f"{' '.join(argv[:3])}: {done.stderr.strip()}")
        said: dict[str, Any] = json.loads(done.stdout)
        return said


def cpu_s(pid: int) -> float:
    """That a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cores() -> tuple[set[int], set[int]]:
    """The daemon's, and everybody else's; CommandError on a machine with one."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise CommandError("this takes two cores: one for the daemon, one for its enemies")
    return {usable[0]}, set(usable[1:])


def room(directory: Path, size: int) -> None:
    """CommandError where the releases, and the daemon's copies of them, do not fit."""
    if shutil.disk_usage(directory).free < 9 * size:
        raise CommandError(f"{directory} has no room for {9 * size / 1e9:.1f} GB: give a smaller --size")
