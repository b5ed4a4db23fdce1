"""All nodes on one heap: what a brain wants is done, what arrives is told to a brain. Chooses nothing.

The counterpart of `p2pd.exchange`, without tasks. `messages` counts what crosses between nodes: each message of the
peer wire, and each block of a piece (of a large one the parts, which are fewer).
"""

from collections.abc import Sequence
from math import inf
from random import Random
from typing import Final

from p2pd.policy import sources
from p2pd.policy.sources import Tier
from p2pd.swarm import Complete, Fetch, Send, Serve, Swarm
from p2pd.swarm.actions import Action, Withdraw
from p2pd.swarm.uploads import Owed
from p2pd.wire.framing import BLOCK_BYTES_MAX
from p2pd.wire.messages import AnyMessage, Reject
from sim.net import Place
from sim.net.place import route

from .deeds import Arrival, Stored, Timekeeping
from .heap import Heap
from .link import Link
from .node import Node
from .way import Way

_SWARM: Final = b"q" * 32


class Crowd:
    """`lengths`: bytes of each piece, which travels in so many `parts`."""

    def __init__(self, lengths: Sequence[int], parts: int) -> None:
        self.heap = Heap()
        self.lengths, self._parts = lengths, parts
        self.nodes: dict[str, Node] = {}
        self.messages = 0
        self.wasted_bytes = 0
        self.entered_bytes: dict[tuple[int, int], int] = {}
        """Bytes of pieces that came into each region's each LAN from outside it, those that came in vain too."""
        self.unfinished = 0
        self.changed: dict[Node, None] = {}
        """Who received or finished something: whoever keeps books takes them out."""
        self.blocked: frozenset[int] = frozenset()
        """Regions that nothing enters or leaves now."""
        self._part_bytes = max(lengths) / parts
        self._blocks = [min(parts, -(-length // BLOCK_BYTES_MAX)) for length in lengths]
        """Of each piece, and never more than the parts that it really travels in here."""
        self._touched: list[Way] = []
        self._arrival = Arrival(self, inf)
        """The last that was posted."""
        self._links: dict[tuple[Place, bool], Link] = {}
        self._held: list[tuple[Way, Owed | list[AnyMessage]]] = []

    def __repr__(self) -> str:
        return f"<Crowd of {len(self.nodes)}, {self.unfinished} unfinished>"

    # -- who is here, who knows whom ----------------------------------------------------------------------------

    def add(self, node: Node) -> None:
        """One more node, which does nothing until it begins."""
        self.nodes[node.key] = node
        self.unfinished += not node.shield

    def finished(self) -> None:
        """One less to wait for; time stops after the last one."""
        self.unfinished -= 1
        if not self.unfinished:
            self.heap.stop()

    def begin(self, node: Node, present: int, rng: Random) -> None:
        """It is in the swarm from now on."""
        now = self.heap.now
        node.brain = Swarm(self.lengths, present, rng=rng, now=now, super_seeding=node.shield, name=node.key)
        node.began_s = now
        self.settle(node)
        self.write_all()

    def link(self, one: Node, other: Node) -> None:
        """A connection, both ways; they meet when each hears that the other is in the swarm."""
        for here, there in ((one, other), (other, one)):
            if there.key not in here.ways:
                if here.key in there.ways:
                    there.ways[here.key].unheard = False
                found = route(here.place, there.place)
                links = [self._link(place, upwards=True) for place in found.left]
                back = [self._link(place, upwards=False) for place in found.entered]
                chain = (*filter(None, links), None, *filter(None, back))
                window, tier = found.window_bytes(self._part_bytes), tier_of(there, here).name.lower()
                here.ways[there.key] = Way(
                    self, self.heap, here, there, chain, found.latency_s, window, self._parts, tier
                )

    def _link(self, place: Place, *, upwards: bool) -> Link | None:
        rate = place.up_bytes_per_s if upwards else place.down_bytes_per_s
        if rate == inf:
            return None
        key = (place, upwards)
        if key not in self._links:
            self._links[key] = Link(self.heap, rate)
        return self._links[key]

    def join(self, one: Node, other: Node, bits: int) -> None:
        """`one` learns that `other` is in the swarm and held these pieces when it said so."""
        if one.brain is None or one.dead or other.dead:
            return
        one.brain.add_peer(other.key, tier_of(one, other), bits, self.heap.now)
        self.settle(one)
        self.write_all()

    def part(self, one: Node, other: Node) -> None:
        """`one` finds its connection to `other` dead."""
        one.ways.pop(other.key, None)
        if one.key in other.ways:
            other.ways[one.key].unheard = True
        one.uploads.forget(other.key)
        self._take_turns(one)
        if one.brain is not None:
            one.brain.remove_peer(other.key, self.heap.now)
            self.settle(one)
            self.write_all()

    # -- deeds --------------------------------------------------------------------------------------------------

    def settle(self, node: Node) -> None:
        """Do what its brain wants, and see to its timer. What that put into the ways is sent by `write_all`."""
        brain = node.brain
        if brain is None or node.dead:
            return
        while (action := brain.next_action()) is not None:
            if type(action) is Send:
                way = node.ways.get(action.peer)
                if way is not None:
                    way.say(action.message)
            else:
                way = self._do(node, action)
            if way is not None:
                self._touch(way)
        if brain.next_timer() < node.timer_at:
            self._retime(node)

    def _touch(self, way: Way) -> None:
        if not way.touched:
            way.touched = True
            self._touched.append(way)

    def write_all(self) -> None:
        """Send what is to be sent: only now, as a daemon's writers run when its reader has told all that had come."""
        while self._touched:
            ways, self._touched = self._touched, []
            for way in ways:
                way.touched = False
            for way in ways:
                way.write()

    def _do(self, node: Node, action: Action) -> Way | None:
        """The way that there is now something to send on."""
        match action:
            case Serve(peer=peer, piece=piece, lacks=lacks):
                return self._serve(node, peer, piece, lacks)
            case Withdraw(peer=peer, piece=piece):
                node.uploads.withdraw(peer, _SWARM, piece)
                self._take_turns(node)
            case Complete():
                node.finish_s = self.heap.now
                self.changed[node] = None
                self.finished()
            case Fetch(piece=piece):
                raise AssertionError(f"there is no HTTP in this model: {action}")
            case _:
                raise AssertionError(f"no part in this model: {action}")
        return None

    def _serve(self, node: Node, peer: str, piece: int, lacks: float) -> Way | None:
        way = node.ways.get(peer)
        if way is None:
            return None
        refused = node.uploads.add(peer, Owed(_SWARM, piece, self.lengths[piece], lacks), self.heap.now)
        if refused is not None and refused[0] in node.ways:
            other = node.ways[refused[0]]
            other.say(Reject(0, refused[1].piece, "busy"))
            self._touch(other)
        way.owe()
        return way

    def _take_turns(self, node: Node) -> None:
        """Those to whom the next pieces go write."""
        for peer in node.uploads.turns(self.heap.now):
            way = node.ways[peer]
            way.owe()
            self._touch(way)

    def _retime(self, node: Node) -> None:
        """Its timekeeper looks at the timers anew, when it is its turn."""
        if not node.retimed:
            node.retimed = True
            self.heap.wake(Timekeeping(self, node))

    def keep_time(self, node: Node) -> None:
        """What a daemon's timekeeper does when it is woken (`p2pd.exchange`), and when it wakes again."""
        brain, now = node.brain, self.heap.now
        node.retimed = False
        if brain is None or node.dead:
            return
        if brain.next_timer() <= now:
            brain.handle_timer(now)
            self.settle(node)
        if node.uploads_at <= now:
            self._take_turns(node)
        node.uploads_at = node.uploads.next_timer(now)
        timer_at = min(node.uploads_at, brain.next_timer())
        if timer_at != node.timer_at and timer_at < inf:
            self.heap.timer(timer_at, Timekeeping(self, node, timer_at))
        node.timer_at = timer_at
        self.write_all()

    # -- what ways tell -----------------------------------------------------------------------------------------

    def owed(self, way: Way) -> Owed | None:
        """The next piece for the far end."""
        node, now = way.sender, self.heap.now
        if node.dead:
            return None
        owed = node.uploads.next(way.receiver.key, now)
        if owed is not None:
            return owed
        self._take_turns(node)
        if node.uploads.next_timer(now) < node.timer_at:
            self._retime(node)
        return None

    def left(self, way: Way, owed: Owed) -> None:
        """All parts of a piece are under way."""
        node, now = way.sender, self.heap.now
        if node.brain is not None:
            node.uploads.sent(way.receiver.key, owed.length, now)
            self._take_turns(node)
            node.sent_pieces += 1
            node.brain.sent(way.receiver.key, owed.piece, now)
            self.settle(node)
            if node.uploads.owes(way.receiver.key):
                way.owe()

    def post(self, way: Way, messages: list[AnyMessage]) -> None:
        """Messages set out, and are heard at the far end of the way."""
        when = self.heap.now + way.latency_s
        if when != self._arrival.when or when <= self.heap.now:
            self._arrival = Arrival(self, when)
            self.heap.post(when, self._arrival)
        self._arrival.ways.append(way)
        self._arrival.said.append(messages)

    def heard(self, way: Way, messages: list[AnyMessage]) -> None:
        """Messages arrive."""
        node, key = way.receiver, way.sender.key
        brain = node.brain
        if self.blocked and self._is_held(way):
            self._held.append((way, messages))
        elif brain is not None and not way.unheard and not node.dead:
            self.messages += len(messages)
            now = self.heap.now
            for message in messages:
                brain.receive(key, message, now)
                self.settle(node)

    def brought(self, way: Way, owed: Owed) -> None:
        """A whole piece arrives: verified and stored at once, as hashing and disks are free here."""
        node, key, now = way.receiver, way.sender.key, self.heap.now
        if self.blocked and self._is_held(way):
            self._held.append((way, owed))
        elif node.brain is not None and not way.unheard and not node.dead:
            self.messages += self._blocks[owed.piece]
            where = (node.region, node.lan)
            if where != (way.sender.region, way.sender.lan):
                self.entered_bytes[where] = self.entered_bytes.get(where, 0) + owed.length
            node.brain.arrived(key, owed.length, now)
            fresh = node.brain.delivered(key, owed.piece, now)
            self.settle(node)
            if fresh:
                tier = way.tier
                node.received[tier] = node.received.get(tier, 0) + owed.length
                self.changed[node] = None
                if node.prompt:
                    node.brain.stored(owed.piece, now)
                    self.settle(node)
                else:
                    self.heap.wake(Stored(self, node, owed.piece))
            else:
                self.wasted_bytes += owed.length

    def stored(self, node: Node, piece: int) -> None:
        """The job that verifies and writes has ended, for which nobody waited."""
        node.prompt = True
        if node.brain is not None:
            node.brain.stored(piece, self.heap.now)
            self.settle(node)
            self.write_all()

    # -- cuts ---------------------------------------------------------------------------------------------------

    def _is_held(self, way: Way) -> bool:
        here, there = way.sender.region, way.receiver.region
        return here != there and not self.blocked.isdisjoint((here, there))

    def cut(self, regions: frozenset[int]) -> None:
        """From now on nothing enters or leaves these; what was held up and no longer is arrives now."""
        self.blocked = regions
        held, self._held = self._held, []
        for way, what in held:
            if isinstance(what, Owed):
                self.brought(way, what)
            else:
                self.heard(way, what)
            self.write_all()


def tier_of(node: Node, other: Node) -> Tier:
    """What `other` is to `node`."""
    if other.shield:
        return Tier.SHIELD
    nearby = bool(node.lan) and (node.region, node.lan) == (other.region, other.lan)
    return sources.tier_of(role="daemon", region=other.where, own_region=node.where, nearby=nearby)
