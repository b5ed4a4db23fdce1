"""aria2 over BitTorrent: daemons that wait for the order over their RPC."""

import base64
import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.swarm.lab import Lab
from benchmarks.swarm.scenarios import SEED

from . import torrents

PIECE_BYTES: Final = 64 * 1024
RPC_PORT: Final = 6800
SETTINGS: Final = (
    "--enable-dht=false", "--bt-enable-lpd=false", "--enable-peer-exchange=true", "--bt-max-peers=0",
    "--bt-request-peer-speed-limit=100M", "--max-upload-limit=0", "--seed-ratio=0", "--file-allocation=none",
    "--disk-cache=32M", "--bt-tracker-interval=2", "--auto-save-interval=1", "--console-log-level=notice",
    "--summary-interval=0", "--check-integrity=true", "--allow-overwrite=true", "--follow-torrent=mem",
)  # fmt: skip
"""The best of several: small pieces, any number of peers, and looking for more of them whatever the rate."""
HOOK: Final = """#!/bin/sh
touch "$(dirname "$3")/done"
"""


class Aria2:
    """See `System`."""

    tools: Mapping[str, str] = {"aria2c": "aria2", "curl": "curl"} | torrents.TOOLS

    def __init__(self, lab: Lab, *, piece_bytes: int = PIECE_BYTES) -> None:
        self._lab = lab
        self._piece_bytes = piece_bytes
        self._torrent = Path()

    def start(self) -> None:
        """All daemons; the seed begins to serve at once."""
        self._torrent = torrents.serve_torrent(self._lab, self._piece_bytes)
        hook = self._lab.directory / "hook"
        hook.write_text(HOOK)
        hook.chmod(0o755)
        for host in (SEED, *self._lab.peers):
            self._start(host)
        for host in (SEED, *self._lab.peers):
            self._lab.processes.wait(host, lambda said: "RPC: listening" in said)
        self._add(SEED)
        time.sleep(torrents.SETTLE_S)

    def _start(self, host: str) -> None:
        home = self._lab.home(host)
        hook = f"--on-bt-download-complete={self._lab.directory / 'hook'}"
        rpc = ("--enable-rpc=true", f"--rpc-listen-port={RPC_PORT}", "--listen-port=6881", f"--dir={home}")
        self._lab.processes.start(host, host, ["aria2c", "--no-conf=true", *SETTINGS, *rpc, hook])

    def go(self) -> None:
        """One request to each."""
        asking = [self._ask(peer) for peer in self._lab.peers]
        for child in asking:
            child.wait()

    def _add(self, host: str) -> None:
        self._ask(host).wait()

    def _ask(self, host: str) -> "subprocess.Popen[bytes]":
        request = self._lab.home(host) / "request"
        torrent = base64.b64encode(self._torrent.read_bytes()).decode()
        call = {"jsonrpc": "2.0", "id": 1, "method": "aria2.addTorrent", "params": [torrent]}
        request.write_text(json.dumps(call))
        argv = ["curl", "-sSf", "--retry", "50", "--retry-connrefused", "--retry-delay", "1", "--data-binary"]
        url = f"http://127.0.0.1:{RPC_PORT}/jsonrpc"
        command = [*self._lab.network.enter(host), *argv, f"@{request}", url]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def finished(self, peer: str) -> bool:
        """Its hook has run."""
        return (self._lab.directory / peer / "done").exists()

    def restart(self, peer: str) -> None:
        """aria2 keeps a control file beside what it fetches."""
        self._start(peer)
        self._add(peer)

    def notes(self) -> dict[str, object]:
        """Version and settings."""
        said = subprocess.run(["aria2c", "--version"], capture_output=True, text=True, check=True).stdout
        return {"version": said.split()[2], "settings": f"{self._piece_bytes // 1024} KiB pieces, {' '.join(SETTINGS)}"}
