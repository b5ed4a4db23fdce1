"""Who is on our LAN, by what they say there. A brain; bounded, since anybody there may say anything."""

from random import Random
from typing import Final

from p2pd.wire.lan import Notice

NEARBY_MAX: Final = 1_024
"""Notices kept. A larger LAN knows of more than a node can talk to anyway."""
PEERS_MAX: Final = 32
"""Named for one swarm: twice the degree that a swarm needs."""


class Nearby:
    """Notices of others, by the name of their service."""

    def __init__(self, node: str, fleet: str, rng: Random) -> None:
        self._node, self._fleet, self._rng = node, fleet, rng
        self._notices: dict[str, Notice] = {}

    def __repr__(self) -> str:
        return f"<Nearby {len(self._notices)} nodes>"

    @property
    def nodes(self) -> frozenset[str]:
        """Their names, as they say."""
        return frozenset(notice.node for notice in self._notices.values())

    def heard(self, service: str, notice: Notice) -> bool:
        """Somebody says this; True when it is of interest: another node of our fleet, and news."""
        if notice.fleet != self._fleet or notice.node == self._node or self._notices.get(service) == notice:
            return False
        if service not in self._notices and len(self._notices) >= NEARBY_MAX:
            return False
        self._notices[service] = notice
        return True

    def departed(self, service: str) -> None:
        """They went."""
        self._notices.pop(service, None)

    def forget(self) -> None:
        """We are on another network now."""
        self._notices.clear()

    def in_swarm(self, swarm: bytes) -> list[Notice]:
        """Some of those who say to be in this swarm, at random."""
        found = [notice for notice in self._notices.values() if notice.holds(swarm)]
        return self._rng.sample(found, min(PEERS_MAX, len(found)))
