"""One swarm of brains: `p2pd.swarm.Swarm` and `Uploads`, joined by simulated links.

A node's uplink sends one piece at a time, taking its neighbours' queues in turn (what TCP's fairness comes to for equal
flows); its downlink takes one piece at a time; a message arrives `latency_s` later and costs no bandwidth.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random

from p2pd.policy.sources import Tier
from p2pd.swarm import Complete, Send, Serve, Swarm
from p2pd.swarm.actions import Withdraw
from p2pd.swarm.uploads import Owed, Uploads
from p2pd.wire import bits
from p2pd.wire.messages import Reject

_SWARM = b"q" * 32


@dataclass(frozen=True)
class Link:
    """A node's access: bytes a second up and down, one-way delay in seconds."""

    up_bytes_per_s: float
    down_bytes_per_s: float
    latency_s: float = 0.001


@dataclass
class Outcome:
    """Seconds until each leecher was complete (in node order), pieces that left the shield, messages that travelled."""

    finished_s: list[float]
    shield_pieces: int
    messages: int
    duplicates: int


@dataclass
class _Node:
    key: str
    link: Link
    brain: Swarm
    shield: bool
    neighbours: list["_Node"] = field(default_factory=list)
    uploads: Uploads = field(default_factory=Uploads)
    uplink_busy: bool = False
    downlink_free_at: float = 0.0
    turn: int = 0
    timer_at: float = float("inf")
    finished_s: float = float("inf")
    sent_pieces: int = 0


class _Engine:
    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = lengths
        self.now = 0.0
        self.messages = 0
        self.unfinished = 0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, when: float, deed: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (when, next(self._order), deed))

    def run(self, until_s: float) -> None:
        heap = self._heap
        while heap and self.unfinished and self.now <= until_s:
            self.now, _, deed = heapq.heappop(heap)
            deed()

    def settle(self, node: _Node) -> None:
        """Do what the brain wants, then see to its timer."""
        while (action := node.brain.next_action()) is not None:
            match action:
                case Send(peer=peer, message=message):
                    self.messages += 1
                    self._deliver(node, self._neighbour(node, peer), message)
                case Serve(peer=peer, piece=piece):
                    self._serve(node, peer, piece)
                case Withdraw(peer=peer, piece=piece):
                    node.uploads.withdraw(peer, _SWARM, piece)
                case Complete():
                    node.finished_s = self.now
                    self.unfinished -= 1
                case _:
                    raise AssertionError(f"no part in this model: {action}")
        timer = node.brain.next_timer()
        if timer < node.timer_at:
            node.timer_at = timer
            self.at(max(timer, self.now), lambda: self._timer(node, timer))

    def _neighbour(self, node: _Node, key: str) -> _Node:
        return next(other for other in node.neighbours if other.key == key)

    def _timer(self, node: _Node, when: float) -> None:
        if node.timer_at != when:
            return
        node.timer_at = float("inf")
        node.brain.handle_timer(self.now)
        self.settle(node)

    def _deliver(self, sender: _Node, receiver: _Node, message: object) -> None:
        def arrive() -> None:
            receiver.brain.receive(sender.key, message, self.now)  # type: ignore[arg-type]
            self.settle(receiver)

        self.at(self.now + sender.link.latency_s + receiver.link.latency_s, arrive)

    def _serve(self, node: _Node, peer: str, piece: int) -> None:
        if not node.uploads.add(peer, Owed(_SWARM, piece, self.lengths[piece]), self.now):
            self._deliver(node, self._neighbour(node, peer), Reject(0, piece, "busy"))
        elif not node.uplink_busy:
            self._send_next(node)

    def _send_next(self, node: _Node) -> None:
        """Start sending the next owed piece, taking neighbours in turn."""
        for _ in node.neighbours:
            node.turn = (node.turn + 1) % len(node.neighbours)
            receiver = node.neighbours[node.turn]
            owed = node.uploads.next(receiver.key)
            if owed is not None:
                node.uplink_busy = True
                at = self.now + owed.length / node.link.up_bytes_per_s
                self.at(at, partial(self._sent, node, receiver, owed))
                return
        node.uplink_busy = False

    def _sent(self, node: _Node, receiver: _Node, owed: Owed) -> None:
        node.sent_pieces += 1
        node.uploads.sent(owed.length, self.now)
        node.brain.sent(receiver.key, owed.piece, self.now)
        # The downlink took the piece in while the uplink sent it, unless it was busy with another.
        began = self.now - owed.length / node.link.up_bytes_per_s + node.link.latency_s
        took = max(began, receiver.downlink_free_at) + owed.length / receiver.link.down_bytes_per_s
        receiver.downlink_free_at = took
        arrives_at = max(self.now + node.link.latency_s, took)
        self.at(arrives_at, lambda: self._arrived(node, receiver, owed))
        self.settle(node)
        self._send_next(node)

    def _arrived(self, sender: _Node, receiver: _Node, owed: Owed) -> None:
        receiver.brain.arrived(sender.key, owed.length, self.now)
        if receiver.brain.delivered(sender.key, owed.piece, self.now):
            receiver.brain.stored(owed.piece, self.now)
        self.settle(receiver)


def simulate(
    lengths: Sequence[int], links: Sequence[Link], *, shield: Link, degree: int, rng_seed: int, until_s: float
) -> Outcome:
    """A shield with everything and one leecher a link, starting at once; random neighbours, `degree` dialled each."""
    rng = Random(rng_seed)
    engine = _Engine(lengths)
    everything = bits.full(len(lengths))
    nodes = [_node("shield", shield, lengths, everything, rng)]
    nodes += [_node(f"n{index:05d}", link, lengths, 0, rng) for index, link in enumerate(links)]
    engine.unfinished = len(links)
    _connect(nodes, degree, rng)
    for node in nodes:
        for other in node.neighbours:
            tier = Tier.SHIELD if other.shield else Tier.REGION
            node.brain.add_peer(other.key, tier, other.brain.opening_bits(), 0.0)
    for node in nodes:
        engine.settle(node)
    engine.run(until_s)
    return Outcome(
        [node.finished_s for node in nodes[1:]],
        nodes[0].sent_pieces,
        engine.messages,
        sum(node.brain.snapshot(engine.now).duplicate_bytes for node in nodes),
    )


def _node(key: str, link: Link, lengths: Sequence[int], present: int, rng: Random) -> _Node:
    shield = bool(present)
    brain = Swarm(lengths, present, rng=Random(rng.random()), now=0.0, super_seeding=shield)
    return _Node(key, link, brain, shield)


def _connect(nodes: list[_Node], degree: int, rng: Random) -> None:
    """Everyone dials `degree` others; the shield is dialled by up to four times as many as it dials."""
    pairs: set[tuple[int, int]] = set()
    for index in range(1, len(nodes)):
        others = [other for other in range(1, len(nodes)) if other != index]
        for other in rng.sample(others, min(degree, len(others))):
            pairs.add((min(index, other), max(index, other)))
    pairs.update((0, other) for other in rng.sample(range(1, len(nodes)), min(4 * degree, len(nodes) - 1)))
    for low, high in sorted(pairs):
        nodes[low].neighbours.append(nodes[high])
        nodes[high].neighbours.append(nodes[low])
