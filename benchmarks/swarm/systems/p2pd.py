"""Our own: a tracker, a seeder and daemons."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.swarm.lab import Lab
from benchmarks.swarm.ours import OurFleet
from benchmarks.swarm.scenarios import SEED

PROFILE: Final = "swarm"
"""Chunks of 64 to 128 KiB, the best on such links: with 32 to 512 (device) S2 takes 1.2 x the bound and more."""


class P2pd:
    """See `System`."""

    tools: Mapping[str, str] = MappingProxyType({})

    def __init__(self, lab: Lab) -> None:
        self._peers = lab.peers
        self._fleet = OurFleet(lab, profile=PROFILE)

    def start(self) -> None:
        """Publish; then tracker, seeder and daemons; then an operator that waits with the deploy."""
        fleet = self._fleet
        fleet.publish()
        fleet.start_tracker()
        fleet.start_seeder()
        for peer in self._peers:
            fleet.start_daemon(peer)
        fleet.wait((SEED, *self._peers))
        fleet.start_operator(1 + len(self._peers))

    def go(self) -> None:
        """The operator deploys."""
        self._fleet.deploy()

    def finished(self, peer: str) -> bool:
        """Its release is there."""
        return self._fleet.finished(peer)

    def restart(self, peer: str) -> None:
        """It knows its goal, and what it has."""
        self._fleet.start_daemon(peer)

    def notes(self) -> dict[str, object]:
        """What the daemons say."""
        return {"settings": f"profile {PROFILE}, mutual TLS"} | self._fleet.notes(self._peers)
