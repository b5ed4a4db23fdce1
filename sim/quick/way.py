"""One way of a connection: what a session's writer does, and its flow through the links, without tasks.

Messages go before pieces and never between the parts of one; a piece travels in parts that take turns with those of
other connections on every link; no more than a window of bytes is under way. `sim/net/flow.py` and
`p2pd/exchange/session.py` are what this is to be the same as.
"""

from collections.abc import Sequence
from heapq import heappush
from typing import TYPE_CHECKING, Protocol

from p2pd.swarm.uploads import Owed
from p2pd.wire.messages import AnyMessage

from .heap import Heap
from .link import Link
from .unit import Unit

if TYPE_CHECKING:
    from .node import Node


class Ends(Protocol):
    """Whom a way tells what came of it."""

    def owed(self, way: "Way") -> Owed | None:
        """The next piece for the far end."""
        ...

    def left(self, way: "Way", owed: Owed) -> None:
        """All parts of a piece are under way."""
        ...

    def heard(self, way: "Way", messages: Sequence[AnyMessage]) -> None:
        """Messages arrive."""
        ...

    def messages_arrive(self, what: "tuple[Way, Sequence[AnyMessage]]") -> None:
        """The same, and nothing else arrives with them."""
        ...

    def brought(self, way: "Way", owed: Owed) -> None:
        """A whole piece arrives."""
        ...

    def write_all(self) -> None:
        """All that arrived at once was told."""
        ...


class Way:
    """From `sender` to `receiver`, to whom it is a source of this `tier`. `links`: what a piece goes through; None
    stands where the latency is."""

    __slots__ = (
        "_blocked", "_bulk", "_control", "_ends", "_heap", "_last", "_latest", "_links", "_outstanding", "_owing",
        "_parts", "_parts_left", "_piece", "_ready",
        "_saying", "_window", "_writing", "latency_s", "receiver", "sender", "tier",
    )  # fmt: skip

    def __init__(
        self,
        heap: Heap,
        ends: Ends,
        sender: "Node",
        receiver: "Node",
        links: Sequence[Link | None],
        latency_s: float,
        window_bytes: float,
        parts: int,
        tier: str,
    ) -> None:
        self.sender, self.receiver, self.latency_s, self.tier = sender, receiver, latency_s, tier
        self._heap, self._ends, self._links, self._window = heap, ends, (*links, None), window_bytes
        self._last = len(links)
        self._control: list[AnyMessage] = []
        self._saying: Sequence[AnyMessage] = ()
        self._piece: Owed | None = None
        self._ready: Owed | None = None
        self._parts, self._parts_left = parts, 0
        self._outstanding = 0.0
        self._bulk = 0
        """Units that go through the links now: messages ride behind the latest of them."""
        self._latest = Unit(0.0, None)
        self._writing = self._blocked = self._owing = False

    def __repr__(self) -> str:
        return f"<Way {self.sender.key} -> {self.receiver.key}, {self._outstanding:.0f} bytes under way>"

    def owe(self) -> None:
        """There is a piece for the far end; `look` takes it, `write` sends it."""
        self._owing = True

    def say(self, message: AnyMessage) -> None:
        """Queue a message; `write` sends it."""
        self._control.append(message)

    def look(self) -> None:
        """Take the next piece when the former one has left, whether there is room for it or not."""
        if self._owing and self._piece is None and self._ready is None:
            self._ready = self._ends.owed(self)
            self._owing = self._ready is not None

    def write(self) -> None:
        """Send what there is, until nothing is left or the window is full."""
        if self._writing or self._blocked:
            return
        self._writing = True
        while self._saying or self._piece is not None or self._take():
            if self._outstanding >= self._window:
                self._blocked = True
                break
            if self._saying:
                messages, self._saying = self._saying, ()
                self._send(messages)
            elif self._piece is not None:
                self._send_part(self._piece)
        self._writing = False

    def _take(self) -> bool:
        """The next thing to send, while nothing is being sent."""
        if self._control:
            self._saying, self._control = self._control, []
            return True
        if self._ready is None:
            return False
        self._piece, self._ready, self._parts_left = self._ready, None, self._parts
        return True

    def _send_part(self, piece: Owed) -> None:
        cost = piece.length / self._parts
        self._outstanding += cost
        self._parts_left -= 1
        self._bulk += 1
        self._latest = unit = Unit(cost, piece if not self._parts_left else None)
        self.passed(unit)
        if not self._parts_left:
            self._piece = None
            self._ends.left(self, piece)

    def _send(self, messages: Sequence[AnyMessage]) -> None:
        if self._bulk:
            self._latest.followers.append(messages)
        else:
            heap = self._heap
            heap.post(heap.now + self.latency_s, self._ends.messages_arrive, (self, messages))

    def passed(self, unit: Unit) -> None:
        """A link or the latency is behind it, or it sets out."""
        stage = unit.stage = unit.stage + 1
        link = self._links[stage]
        if link is not None:
            link.carry(self, unit)
        elif stage < self._last:
            heap = self._heap
            heappush(heap.queue, (heap.now + self.latency_s, heap.next_place(), self.passed, (unit,)))
        else:
            self._arrive(unit)

    def _arrive(self, unit: Unit) -> None:
        self._bulk -= 1
        self._outstanding -= unit.cost
        heap = self._heap
        if unit.piece is not None or unit.followers:
            if heap.quiet:
                self._read(unit)
            else:
                heap.wake(self._read, unit)
        if self._blocked:
            if heap.quiet:
                self._go_on()
            else:
                heap.wake(self._go_on)

    def _read(self, unit: Unit) -> None:
        if unit.piece is not None:
            self._ends.brought(self, unit.piece)
        for messages in unit.followers:
            self._ends.heard(self, messages)
        self._ends.write_all()

    def _go_on(self) -> None:
        """The window may have room."""
        self._blocked = False
        self.write()
        self._ends.write_all()
