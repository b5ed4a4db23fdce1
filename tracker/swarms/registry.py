"""Who is in which swarm, how far. An announce replaces all that its node had said before.

Bounded per node (one message holds 256 swarms) and in total. Knows no time: leases are the tracker's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from p2pd.policy.importing import IMPORTERS_MAX
from p2pd.policy.places import SEPARATOR, around
from p2pd.wire.announce import PeerInfo, SwarmStatus
from tracker.errors import RefusalError

from .roster import Roster

SEEDER: Final = "seeder"


@dataclass(frozen=True)
class Node:
    """A node as it registered; `region` may name its zone and rack, too. Who has no `address` and no `webrtc` is never
    named to others."""

    name: str
    address: str
    region: str
    role: str
    http_url: str = ""
    webrtc: bool = False

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Its region, its zone, its rack: as many as it names."""
        return around(self.region)

    @cached_property
    def as_complete(self) -> PeerInfo:
        """As it is named to others when it has all pieces."""
        return PeerInfo(self.name, self.address, self.region, self.role, True, self.http_url, self.webrtc)

    @cached_property
    def as_incomplete(self) -> PeerInfo:
        """As it is named to others when it misses some."""
        return PeerInfo(self.name, self.address, self.region, self.role, False, self.http_url, self.webrtc)


@dataclass(slots=True)
class Members:
    """Those of one region, zone or rack in one swarm who can be dialled. `importers`: those of them who bring in what
    it lacks, the first to come; whoever goes is replaced."""

    complete: Roster = field(default_factory=Roster)
    incomplete: Roster = field(default_factory=Roster)
    seeders: Roster = field(default_factory=Roster)
    importers: dict[str, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.complete) + len(self.incomplete) + len(self.seeders)

    def enter(self, node: Node, *, complete: bool) -> None:
        """It is in the swarm, perhaps since long."""
        if node.role == SEEDER:
            self.seeders.add(node.name)
        elif complete:
            self.incomplete.discard(node.name)
            self.complete.add(node.name)
        else:
            self.complete.discard(node.name)
            self.incomplete.add(node.name)
            self.appoint(node.name)

    def discard(self, name: str) -> None:
        """It is in the swarm no longer."""
        for roster in (self.complete, self.incomplete, self.seeders):
            roster.discard(name)
        if name in self.importers:
            del self.importers[name]
            self.appoint(next((one for one in self.incomplete if one not in self.importers), ""))

    def appoint(self, name: str) -> None:
        """An importer, if another one is needed."""
        if name and len(self.importers) < IMPORTERS_MAX:
            self.importers[name] = None


@dataclass(slots=True)
class Swarm:
    """One swarm. `regions` has no empty ones, nor has `within`: zones (EU/ZONE) and racks (EU/ZONE/RACK), whose members
    are also their region's. `progress` is every member's number of pieces, dialable or not."""

    regions: dict[str, Members] = field(default_factory=dict)
    within: dict[str, Members] = field(default_factory=dict)
    progress: dict[str, SwarmStatus] = field(default_factory=dict)

    def at(self, place: str) -> Members:
        """Those of a region, a zone or a rack; nobody where nobody is."""
        return (self.within if SEPARATOR in place else self.regions).get(place) or Members()

    def holders_beside(self, name: str) -> int:
        """Others that have all pieces and can be dialled, seeders not counted."""
        complete = [members.complete for members in self.regions.values()]
        return sum(map(len, complete)) - any(name in roster for roster in complete)

    @property
    def complete_count(self) -> int:
        """Members that have all pieces."""
        return sum(map(is_complete, self.progress.values()))


def is_complete(status: SwarmStatus) -> bool:
    """Whether this node has all pieces."""
    return 0 < status.pieces == status.have


class Registry:
    """Nodes and their swarms. `nodes_max` and `memberships_max` bound it; RefusalError when it is full."""

    def __init__(self, nodes_max: int, memberships_max: int) -> None:
        self.memberships = 0
        self.seeders_version = 0
        """Counts up whenever the list of seeders changes."""
        self._nodes_max = nodes_max
        self._memberships_max = memberships_max
        self._nodes: dict[str, Node] = {}
        self._announced: dict[str, tuple[SwarmStatus, ...]] = {}
        self._swarms: dict[bytes, Swarm] = {}
        self._seeders: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        return f"<Registry {len(self._nodes)} nodes in {len(self._swarms)} swarms, {self.memberships} memberships>"

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def node(self, name: str) -> Node | None:
        """The node of this name."""
        return self._nodes.get(name)

    def swarm(self, swarm: bytes) -> Swarm | None:
        """A swarm with members; None if nobody is in it."""
        return self._swarms.get(swarm)

    def swarms(self) -> Iterator[tuple[bytes, Swarm]]:
        """All of them, the longest known first."""
        return iter(self._swarms.items())

    def seeders(self) -> list[Node]:
        """All seeders, the longest known first, whatever swarms they announced."""
        return [self._nodes[name] for name in self._seeders]

    def register(self, node: Node) -> None:
        """A node came, or came back; what it announced before stays until it announces anew."""
        before = self._nodes.get(node.name)
        if before is None and len(self._nodes) >= self._nodes_max:
            raise RefusalError(f"this tracker is full: {self._nodes_max} nodes; try another one")
        swarms = self._announced.get(node.name, ())
        if before is not None and before != node:
            self.remove(node.name)
        self._nodes[node.name] = node
        if node.role == SEEDER and node.address + node.http_url and node.name not in self._seeders:
            self._seeders[node.name] = None
            self.seeders_version += 1
        if before is not None and before != node:
            self.announce(node.name, swarms)

    def announce(self, name: str, swarms: Sequence[SwarmStatus]) -> None:
        """These are now all of the node's swarms. RefusalError when there is no room for more; nothing has changed."""
        node, before = self._nodes[name], self._announced.get(name, ())
        if self.memberships - len(before) + len(swarms) > self._memberships_max:
            raise RefusalError(f"this tracker is full: {self._memberships_max} memberships; try another one")
        stays = {status.swarm for status in swarms}
        for status in before:
            if status.swarm not in stays:
                self._leave(node, status.swarm)
        for status in swarms:
            self._enter(node, status)
        self.memberships += len(swarms) - len(before)
        self._announced[name] = tuple(swarms)

    def remove(self, name: str) -> None:
        """The node is gone, from all its swarms."""
        node = self._nodes.pop(name, None)
        if node is None:
            return
        if name in self._seeders:
            del self._seeders[name]
            self.seeders_version += 1
        before = self._announced.pop(name, ())
        self.memberships -= len(before)
        for status in before:
            self._leave(node, status.swarm)

    def _enter(self, node: Node, status: SwarmStatus) -> None:
        swarm = self._swarms.setdefault(status.swarm, Swarm())
        swarm.progress[node.name] = status
        if not node.address and not node.webrtc:
            return
        for place in node.places:
            members = (swarm.within if SEPARATOR in place else swarm.regions).setdefault(place, Members())
            members.enter(node, complete=is_complete(status))

    def _leave(self, node: Node, swarm_id: bytes) -> None:
        swarm = self._swarms[swarm_id]
        del swarm.progress[node.name]
        for place in node.places:
            places = swarm.within if SEPARATOR in place else swarm.regions
            if (members := places.get(place)) is not None:
                members.discard(node.name)
                if not len(members):
                    del places[place]
        if not swarm.progress:
            del self._swarms[swarm_id]
