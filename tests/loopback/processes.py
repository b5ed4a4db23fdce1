"""Publishing to a directory, and our commands as processes of this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import trio

from manifests.cli import main as p2p_manifest
from p2pd import control
from tests.manifests.factory import write_tree
from tracker.cli import main as p2p_tracker

STEP_S = 30
"""For a process to start, answer or end; it takes a fraction of a second on an idle machine."""


class Process:
    """A service that says in one line of JSON that it is ready."""

    def __init__(self, *argv: str) -> None:
        self.argv = argv
        self.process = subprocess.Popen(
            [sys.executable, "-m", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.ready: dict[str, Any] = json.loads(line) if line else {}
        self.errors = "" if line else self.process.communicate(timeout=STEP_S)[1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code, or the negative signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        if self.process.stdout and not self.process.stdout.closed:
            self.errors = self.process.communicate(timeout=STEP_S)[1]
        return self.process.returncode


def ask(*argv: str) -> dict[str, Any]:
    """The JSON answer of one command of ours that succeeds."""
    done = run(*argv, "--json")
    assert done.returncode == 0, done.stderr
    return cast(dict[str, Any], json.loads(done.stdout))


def run(*argv: str) -> "subprocess.CompletedProcess[str]":
    """One command of ours, to its end."""
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-m", *argv], capture_output=True, text=True, timeout=STEP_S, check=False, env=environment
    )


def until(condition: Callable[[], bool], within_s: float = STEP_S) -> None:
    """Look again and again; TimeoutError."""
    ends_at = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > ends_at:
            raise TimeoutError
        time.sleep(0.05)


@dataclass(frozen=True)
class Shop:
    """A blob store with signed releases of the product `shop`, and the root to pin."""

    directory: Path

    @property
    def store(self) -> str:
        """The blob store."""
        return str(self.directory / "store")

    @property
    def root(self) -> str:
        """What machines pin."""
        return str(self.directory / "root.json")

    @property
    def authority(self) -> str:
        """Who says who belongs to the fleet."""
        return str(self.directory / "ca")

    def set_up(self) -> None:
        """Everybody's keys, the repository, and the fleet's authority."""
        assert p2p_tracker(["ca", "init", self.authority, "--quiet"]) == 0
        keys = self.directory / "keys"
        roles = ("root", "targets", "online", "build", "release")
        key = {role: f"--{role}-key={keys}/{role}" for role in roles}
        for role in roles:
            self._manifest("keys", "new", role, "--unencrypted", "--directory", str(keys))
        signers = [f"{key[role]}.key" for role in ("root", "targets", "online")]
        self._manifest("repo", "init", "--output", self.root, *signers, store=True)
        parties = [f"{key['build']}.pub", f"{key['release']}.pub", f"{key['targets']}.key"]
        self._manifest("repo", "add-product", "shop", *parties, store=True)

    def publish(self, version: str, content: bytes | dict[str, bytes], *parties: str, base: str = "") -> None:
        """A release of a file or a tree, signed by these parties (both unless named), with a pack from `base`."""
        path = self.directory / f"shop-{version}"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            write_tree(path, content)
        keys = self.directory / "keys"
        packs = ["--base", base] if base else []
        self._manifest("publish", str(path), "--product", "shop", "--version", version, *packs, store=True)
        for party in parties or ("build", "release"):
            self._manifest("sign", f"shop@{version}", "--party", party, "--key", f"{keys}/{party}.key", store=True)
        self._manifest("repo", "promote", "--key", f"{keys}/online.key", store=True)

    def _manifest(self, *argv: str, store: bool = False) -> None:
        where = ["--store", self.store] if store else []
        assert p2p_manifest([*argv, *where, "--quiet"]) == 0, argv


class Site:
    """What a test started; all of it is ended with the test."""

    def __init__(self, shop: Shop, directory: Path) -> None:
        self.shop, self.directory = shop, directory
        self.processes: list[Process] = []
        self._running = ExitStack()

    def token(self, role: str, name: str, *more: str) -> str:
        """A file to join with, under this name, whoever bore it before."""
        file = str(self.directory / f"{name}.token")
        flags = ("--role", role, "--host", name, "--region", "default", "--output", file)
        assert p2p_tracker(["ca", "token", *flags, *more, "--ca", self.shop.authority, "--quiet"]) == 0
        return file

    def papers(self, role: str, name: str) -> str:
        """A directory with papers made by hand."""
        directory = str(self.directory / name)
        flags = ("--role", role, "--host", name, "--region", "default", "--output", directory)
        assert p2p_tracker(["ca", "issue", *flags, "--ca", self.shop.authority, "--quiet"]) == 0
        return directory

    def start(self, *argv: str) -> Process:
        """A service."""
        started = Process(*argv)
        self.processes.append(started)
        self._running.callback(started.end)
        return started

    def shield(self, *flags: str) -> Process:
        """In front of the shop's store, in plain HTTP and for nobody but this machine."""
        where = ("--store", self.shop.store, "--http", "127.0.0.1:0", "--insecure")
        return self.start("seeder", "serve", *where, *flags)

    def seeder(self, tracker: str) -> Process:
        """In front of the shop's store, a member of the fleet."""
        where = ("--store", self.shop.store, "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--tracker", tracker)
        papers = ("--state-directory", str(self.directory / "seeder"), "--token-file", self.token("seeder", "shield"))
        return self.start("seeder", "serve", *where, *papers)

    def trackers(self) -> tuple[str, str]:
        """A global tracker, with the authority, and one of the region `default`; where they listen."""
        where = ("--listen", "127.0.0.1:0", "--state-directory")
        first = self.start("tracker", "serve", *where, str(self.directory / "global"), "--ca", self.shop.authority)
        upstream = (
            "--region",
            "default",
            "--upstream",
            first.ready["listen"],
            "--token-file",
            self.token("tracker", "local"),
        )
        second = self.start("tracker", "serve", *where, str(self.directory / "default"), *upstream)
        return first.ready["listen"], second.ready["listen"]

    def daemon(self, tracker: str = "", *, token: str = "", identity: str = "", **settings: Any) -> Process:
        """With the service `shop`; its control socket is `socket`. Without a tracker it is nobody's member.

        `identity`: how it becomes one, as TOML; by default it has a token.
        """
        values = {
            "state_directory": str(self.directory / "state"),
            "data_directory": str(self.directory / "srv"),
            "control_socket": self.socket,
            "trust_root": self.shop.root,
            "trackers": [tracker] if tracker else [],
            "insecure": not tracker,
        } | settings
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        if tracker:
            by_token = f'{{token_file = "{token or self.token("host", "host-1")}"}}'
            lines.append(f"identity = {identity or by_token}")
        config = self.directory / "p2pd.toml"
        config.write_text("\n".join([*lines, "[services.shop]", ""]))
        return self.start("p2pd", "run", "--config", str(config))

    @property
    def socket(self) -> str:
        """Of the daemon."""
        return str(self.directory / "control")

    def p2pd(self, command: str, *flags: str) -> dict[str, Any]:
        """Ask the daemon."""
        return ask("p2pd", command, "--socket", self.socket, *flags)

    def status(self) -> dict[str, Any]:
        """What `p2pd status` would say, without a process for every look."""
        return trio.run(control.ask, self.socket, {"command": "status"})

    def shop_service(self) -> dict[str, Any]:
        """As in the status."""
        (service,) = self.status()["services"]
        return cast(dict[str, Any], service)

    def close(self) -> None:
        """End all, the last started first."""
        self._running.close()
