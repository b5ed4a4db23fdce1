"""What is paired: ours, the ceiling, the others with what suits one fast peer. The source is SEED, the sink SINK."""

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.swarm.lab import Lab, System
from benchmarks.swarm.ours import OurFleet
from benchmarks.swarm.scenarios import SEED, TRACKER
from benchmarks.swarm.systems.aria2 import Aria2
from benchmarks.swarm.systems.libtorrent import Libtorrent
from benchmarks.swarm.systems.nginx import Nginx

from . import ceiling
from .rows import SINK

ORIGIN: Final = "origin"
"""The seeder, on the tracker's host: it gives the source its copy, and both the metadata, by plain HTTP."""
MIRROR: Final = "mirror"
"""The sink's service. It runs the same product's releases, so the source can have one before the sink is told to."""
PORT: Final = "7000"
PROFILE: Final = "host"
PIECE_BYTES: Final = 1024 * 1024
"""Of torrents: what suits a large file and one peer."""


class Daemons:
    """Ours: the source has the release before the time runs."""

    tools: Mapping[str, str] = MappingProxyType({})

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._fleet = OurFleet(lab, profile=PROFILE)

    def start(self) -> None:
        """Bring the release to the source."""
        fleet = self._fleet
        fleet.publish()
        fleet.start_tracker()
        fleet.start_seeder(ORIGIN, TRACKER, swarms=False)
        fleet.start_daemon(SEED)
        fleet.start_daemon(SINK, MIRROR)
        fleet.wait((ORIGIN, SEED, SINK))
        fleet.start_operator(3)
        fleet.deploy()
        self._lab.processes.wait(SEED, lambda said: fleet.finished(SEED), "a source")

    def go(self) -> None:
        """The sink is to run it, too."""
        self._fleet.deploy(MIRROR)

    def finished(self, peer: str) -> bool:
        """Its release is there."""
        return self._fleet.finished(peer, MIRROR)

    def restart(self, peer: str) -> None:
        """Nobody is killed here."""

    def notes(self) -> dict[str, object]:
        """What the sink says: all must have come from the peer."""
        return {"settings": f"profile {PROFILE}, mutual TLS"} | self._fleet.notes([SINK])


class Ceiling:
    """Two processes with blocking sockets: see `ceiling`."""

    tools: Mapping[str, str] = MappingProxyType({})

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def start(self) -> None:
        """Both wait."""
        digests = self._lab.directory / "digests"
        digests.write_text(self._lab.processes.run(SEED, _ceiling("digests", str(self._lab.content))))
        self._lab.processes.start(SEED, SEED, _ceiling("serve", str(self._lab.content), PORT))
        where = (self._lab.address(SEED), PORT, str(digests), str(self._lab.home(SINK)))
        self._lab.processes.start(SINK, SINK, _ceiling("fetch", *where))
        for name in (SEED, SINK):
            self._lab.processes.wait(name, lambda said: ceiling.READY in said)

    def go(self) -> None:
        """A line."""
        self._lab.processes.all[SINK].tell("go")

    def finished(self, peer: str) -> bool:
        """Verified, written and synced."""
        return (self._lab.directory / peer / "done").exists()

    def restart(self, peer: str) -> None:
        """Nobody is killed here."""

    def notes(self) -> dict[str, object]:
        """How."""
        return {"settings": "sendfile, recv_into, BLAKE3 and pwrite in a second thread, fdatasync; plain"}


def _ceiling(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.pair.ceiling", *arguments]


SYSTEMS: Final[dict[str, Callable[[Lab], System]]] = {
    "ceiling": Ceiling,
    "p2pd": Daemons,
    "libtorrent": lambda lab: Libtorrent(lab, piece_bytes=PIECE_BYTES, queue_s=3),
    "aria2": lambda lab: Aria2(lab, piece_bytes=PIECE_BYTES),
    "nginx": lambda lab: Nginx(lab, https=True),
}
"""By the name that --systems knows."""
DEFAULT: Final = ("ceiling", "p2pd", "libtorrent", "nginx")
