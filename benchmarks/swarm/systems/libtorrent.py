"""libtorrent by its Python bindings: `benchmarks.swarm.torrent_node` on every host."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.links import BenchmarkError
from benchmarks.swarm.lab import Lab
from benchmarks.swarm.scenarios import SEED

from . import torrents

PIECE_BYTES: Final = 64 * 1024
SUPER_PIECE_BYTES: Final = 256 * 1024
QUEUE_S: Final = 1
"""Of requests, at a peer's present rate; libtorrent's own 3 s suit a single peer."""
SETTINGS: Final[Mapping[str, object]] = {
    "unchoke_slots_limit": -1,
    "connection_speed": 500,
    "allow_multiple_connections_per_ip": True,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "in_enc_policy": 2,
    "out_enc_policy": 2,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
}
"""The best of several: short queues, small pieces, everybody unchoked."""


class Libtorrent:
    """See `System`. With super-seeding the seed shows each peer one piece at a time: fewer copies, slower."""

    tools: Mapping[str, str] = torrents.TOOLS

    def __init__(
        self, lab: Lab, *, super_seeding: bool = False, piece_bytes: int = PIECE_BYTES, queue_s: int = QUEUE_S
    ) -> None:
        self._lab = lab
        self._super = super_seeding
        self._piece_bytes = piece_bytes
        self._settings = {**SETTINGS, "request_queue_time": queue_s}
        self._torrent = Path()

    def start(self) -> None:
        """All nodes; the seed begins to serve at once."""
        try:
            import libtorrent  # noqa: F401
        except ImportError as error:
            raise BenchmarkError(f"{error}: install the extra `bench` (pip install -e '.[bench]')") from error
        self._torrent = torrents.serve_torrent(self._lab, self._piece_bytes)
        for host in (SEED, *self._lab.peers):
            self._start(host)
        for host in (SEED, *self._lab.peers):
            self._lab.processes.wait(host, lambda said: "ready" in said)
        self._lab.processes.all[SEED].tell("go")
        time.sleep(torrents.SETTLE_S)

    def _start(self, host: str) -> None:
        settings = {**self._settings, "listen_interfaces": f"{self._lab.address(host)}:6881"}
        order = {
            "torrent": str(self._torrent),
            "directory": str(self._lab.home(host)),
            "seed": host == SEED,
            "super_seeding": self._super and host == SEED,
            "settings": settings,
        }
        argv = [sys.executable, "-m", "benchmarks.swarm.torrent_node", json.dumps(order)]
        self._lab.processes.start(host, host, argv)

    def go(self) -> None:
        """A line to each."""
        for peer in self._lab.peers:
            self._lab.processes.all[peer].tell("go")

    def finished(self, peer: str) -> bool:
        """It says so by a file."""
        return (self._lab.directory / peer / "done").exists()

    def restart(self, peer: str) -> None:
        """It hashes what lies there again: kill -9 leaves it no resume data."""
        self._start(peer)
        self._lab.processes.all[peer].tell("go")

    def notes(self) -> dict[str, object]:
        """Version and settings."""
        import libtorrent

        how = f"{'super-seeding, ' if self._super else ''}{self._piece_bytes // 1024} KiB pieces, "
        return {"version": libtorrent.version, "settings": how + json.dumps(self._settings)}
