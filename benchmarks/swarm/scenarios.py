"""The swarms that are measured, and how fast each could be at best. Pure."""

from dataclasses import dataclass
from typing import Final

from benchmarks.links import Host, Plan, Site
from benchmarks.links.plan import MBIT

SEED: Final = "seed"
TRACKER: Final = "tracker"


@dataclass(frozen=True)
class Scenario:
    """One swarm. `seed_mbit`: the seed's link, both ways.

    `killed`: so many peers are killed with -9 when the peers have half of the bytes on average, and started again.
    `seed_dies`: the seed is killed with -9 when about one copy has left it.
    `odd`: a peer that is not waited for; what is measured is what it does to the others.
    """

    name: str
    about: str
    seed_mbit: float
    peers: tuple[Host, ...]
    sites: tuple[Site, ...] = ()
    killed: int = 0
    seed_dies: bool = False
    odd: str = ""

    @property
    def plan(self) -> Plan:
        """All hosts: the tracker has a link without limits."""
        core = (Host(TRACKER), Host(SEED, self.seed_mbit, self.seed_mbit))
        return Plan((*core, *self.peers), self.sites)

    @property
    def counted(self) -> tuple[str, ...]:
        """Who is waited for."""
        return tuple(peer.name for peer in self.peers if peer.name != self.odd)

    @property
    def victims(self) -> tuple[str, ...]:
        """Who is killed: the last ones."""
        return self.counted[len(self.counted) - self.killed :]

    def bound_s(self, size: int) -> float:
        """Nobody can be faster: the fluid bound. A byte leaves the seed, enters each peer and each site; all is shared.

        Payload only: headers of TCP, IP and Ethernet alone cost 1.046 times as much.
        """
        peers = [peer for peer in self.peers if peer.name != self.odd]
        seed, down = self.seed_mbit, min(peer.down_mbit for peer in peers)
        shared = (seed + sum(peer.up_mbit for peer in peers)) / len(peers)
        narrowest = min(seed, down, shared, *(site.mbit for site in self.sites))
        return size * 8 / (narrowest * MBIT)


def _peers(count: int, up: float, down: float, site: str = "", first: int = 1) -> tuple[Host, ...]:
    return tuple(Host(f"peer{number}", up, down, site=site) for number in range(first, first + count))


def _slow(loss: float) -> tuple[Host, ...]:
    return (*_peers(7, 50, 50), Host("peer8", 2, 2, loss=loss))


SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        Scenario("S1", "8 peers and a seed, 50 Mbit/s each way", 50, _peers(8, 50, 50)),
        Scenario("S2", "16 peers and a seed, 25 Mbit/s each way", 25, _peers(16, 25, 25)),
        Scenario(
            "S3",
            "8 peers, half of them 10 Mbit/s up and 50 down",
            50,
            (*_peers(4, 50, 50), *_peers(4, 10, 50, first=5)),
        ),
        Scenario(
            "S4",
            "two LANs of 6 peers at 50 Mbit/s, each behind 20 Mbit/s; the seed is outside",
            50,
            (*_peers(6, 50, 50, "lan1"), *_peers(6, 50, 50, "lan2", first=7)),
            (Site("lan1", 20), Site("lan2", 20)),
        ),
        Scenario("S6", "S1; a third killed half-way and started again", 50, _peers(8, 50, 50), killed=3),
        Scenario("S7", "S1; the seed is killed once one copy is out", 50, _peers(8, 50, 50), seed_dies=True),
        Scenario("S8", "S1; one peer has 2 Mbit/s and loses 3 % of what it is sent", 50, _slow(0.03), odd="peer8"),
        Scenario("S8-", "S8 without that peer", 50, _peers(7, 50, 50)),
    )
}
WITHOUT_ODD: Final = {"S8": "S8-"}
"""What a scenario with an odd peer is compared with, in the same run."""
DEFAULT: Final = ("S1", "S2", "S3", "S4", "S6", "S7", "S8")
