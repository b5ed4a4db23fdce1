"""Who meets whom, and when: the tracker's registry and handouts and the daemon's rule of dialling, on the heap.

The way from the command to the swarm (goal, metadata, manifest, announce) is a span, `policy.begin_s`. A dial takes
what the daemon's does: a round trip, then both say Hello, then each says that it is in the swarm.
"""

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Final

from p2pd.policy.dialing import DEGREE, Candidate, Connected, choose_dials
from p2pd.policy.importing import COPIES
from p2pd.policy.sources import Tier
from p2pd.wire.announce import SwarmStatus
from sim.net.place import route
from tracker.swarms.handout import Asker, choose, importing
from tracker.swarms.registry import Node as Member
from tracker.swarms.registry import Registry

from .crowd import Crowd, tier_of
from .node import Node

WANTED: Final = 32
"""Peers in a handout, as `p2pd.downloads` asks for."""
CONNECTIONS_MAX: Final = 512
"""As in `p2pd.exchange.neighbours`: who comes later to a shield finds it full."""
SILENCE_S: Final = 60.0
"""As in `p2pd.exchange.session`: after this a neighbour that lost power is given up."""
_SWARM: Final = b"q" * 32


class Meetings:
    """`announce_s`: between two looks of a node that misses pieces. `away`: the tracker does not answer.
    `copies_per_rack`: as an operator may ask for; 0: any number."""

    def __init__(
        self, crowd: Crowd, rng: Random, announce_s: float, degree: int = DEGREE, copies_per_rack: float = 0.0
    ) -> None:
        self.away, self._copies_per_rack = False, copies_per_rack
        self._crowd, self._rng, self._announce_s, self._degree = crowd, rng, announce_s, degree
        self._registry = Registry(len(crowd.nodes), len(crowd.nodes))
        self._dialled: dict[str, set[str]] = {}
        self._shields = [node for node in crowd.nodes.values() if node.shield]

    def enter(self, node: Node) -> None:
        """It tells the tracker that it is in the swarm, if the tracker answers."""
        if node.brain is None or self.away:
            return
        if node.key not in self._registry:
            role = "seeder" if node.shield else "daemon"
            self._registry.register(Member(node.key, node.key, node.where, role))
        pieces, complete = len(self._crowd.lengths), node.brain.complete
        status = SwarmStatus(_SWARM, pieces if complete else 0, pieces, 0 if complete else WANTED)
        self._registry.announce(node.key, (status,))

    def come(self, node: Node) -> None:
        """It is in the swarm, and looks for neighbours from now on."""
        if node.dead or node.brain is None:
            return
        self.enter(node)
        complete = node.brain.complete
        if not complete and not self.away:
            self._dial(node)
        if not complete:
            heap = self._crowd.heap
            heap.at(heap.now + self._announce_s, self.come, node)

    def _dial(self, node: Node) -> None:
        swarm = self._registry.swarm(_SWARM)
        if swarm is None or node.brain is None:
            return
        named = choose(swarm, Asker(node.key, node.where, False), WANTED, self._rng)
        region, *inner = importing(swarm, node.where, (COPIES, 0.0, self._copies_per_rack))
        node.brain.circles.name_importers(region.importers, region.copies, inner, self._crowd.heap.now)
        nodes = self._crowd.nodes
        others = {key: nodes[key] for key in [*named, *(one.key for one in self._shields)]}
        candidates = [_candidate(node, other) for other in others.values() if other.key not in node.ways]
        circles = node.brain.circles
        chosen = choose_dials(
            candidates,
            neighbours=self._neighbours(node),
            rng=self._rng,
            degree=self._degree,
            allies=circles.allies,
            importing=circles.importing,
        )
        self.meet(node, [nodes[one.node] for one in chosen])

    def _neighbours(self, node: Node) -> dict[Tier, Connected]:
        ours, nodes = self._dialled.get(node.key, set()), self._crowd.nodes
        dialled = Counter(tier_of(node, nodes[key]) for key in node.ways if key in ours)
        accepted = Counter(tier_of(node, nodes[key]) for key in node.ways if key not in ours)
        return {tier: Connected(dialled[tier], accepted[tier]) for tier in Tier}

    def meet(self, node: Node, others: Iterable[Node]) -> None:
        """It dials these; who is dead does not answer, who has too many connections hangs up."""
        heap = self._crowd.heap
        for other in others:
            if other.dead or other.key in node.ways or len(other.ways) >= CONNECTIONS_MAX:
                continue
            self._crowd.link(node, other)
            self._dialled.setdefault(node.key, set()).add(other.key)
            latency_s = route(node.place, other.place).latency_s
            heap.at(heap.now + 2 * latency_s, self._introduce, node, other, latency_s, True)

    def _introduce(self, one: Node, other: Node, latency_s: float, first: bool) -> None:
        """`one` says that it is in the swarm; the other answers with the same."""
        if one.brain is None:
            return
        heap = self._crowd.heap
        heap.at(heap.now + latency_s, self._hear, other, one, one.brain.opening_bits(), latency_s, first)

    def _hear(self, one: Node, other: Node, bits: int, latency_s: float, first: bool) -> None:
        if first:
            self._introduce(one, other, latency_s, False)
        self._crowd.join(one, other, bits)

    def die(self, node: Node) -> None:
        """Its power goes: it says nothing any more, and its neighbours notice in time."""
        node.dead = True
        if node.key in self._registry:
            self._registry.remove(node.key)
        heap = self._crowd.heap
        for key in list(node.ways):
            heap.at(heap.now + SILENCE_S, self._crowd.part, self._crowd.nodes[key], node)


def _candidate(node: Node, other: Node) -> Candidate:
    return Candidate(other.key, other.key, tier_of(node, other))
