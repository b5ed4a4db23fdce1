"""One way of a connection: what a session's writer does, and its flow through the links, without tasks.

Messages go before pieces and never between the parts of one; a piece travels in parts that take turns with those of
other connections on every link; no more than a window of bytes is under way. `sim/net/flow.py` and
`p2pd/exchange/session.py` are what this is to be the same as.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from p2pd.swarm.uploads import Owed
from p2pd.wire.messages import AnyMessage

from .heap import Deed, Heap
from .link import Link
from .unit import Unit

if TYPE_CHECKING:
    from .crowd import Crowd
    from .node import Node


class Way(Deed):
    """From `sender` to `receiver`, to whom it is a source of this `tier`. `links`: what a piece goes through; None
    stands where the latency is."""

    __slots__ = (
        "_blocked", "_bulk", "_control", "_crowd", "_heap", "_last", "_latest", "_links", "_outstanding", "_owing",
        "_parts", "_parts_left", "_piece", "_saying", "_window", "_writing", "last_at", "latency_s",
        "receiver", "sender", "tier", "touched", "unheard",
    )  # fmt: skip

    def __init__(
        self,
        crowd: "Crowd",
        heap: Heap,
        sender: "Node",
        receiver: "Node",
        links: Sequence[Link | None],
        latency_s: float,
        window_bytes: float,
        parts: int,
        tier: str,
    ) -> None:
        self.sender, self.receiver, self.latency_s, self.tier = sender, receiver, latency_s, tier
        self._crowd, self._heap, self._window = crowd, heap, window_bytes
        self._links = tuple(links)
        self.last_at: list[Unit | None] = [None] * len(links)
        """Of the units that wait at each link."""
        self._last = len(links)
        self._control: list[AnyMessage] = []
        self._saying: list[AnyMessage] | None = None
        self._piece: Owed | None = None
        self._parts, self._parts_left = parts, 0
        self._outstanding = 0.0
        self._bulk = 0
        """Units that go through the links now: messages ride behind the latest of them."""
        self._latest: Unit | None = None
        self._writing = self._blocked = self._owing = False
        self.touched = False
        """The crowd knows that there is something to send."""
        self.unheard = False
        """The receiver has let go of the connection."""

    def __repr__(self) -> str:
        return f"<Way {self.sender.key} -> {self.receiver.key}, {self._outstanding:.0f} bytes under way>"

    def owe(self) -> None:
        """There may be a piece for the far end; `write` takes and sends it."""
        self._owing = True

    def say(self, message: AnyMessage) -> None:
        """Queue a message; `write` sends it."""
        self._control.append(message)

    def write(self) -> None:
        """Send what there is, until nothing is left or the window is full."""
        if self._writing or self._blocked:
            return
        self._writing = True
        while self._saying is not None or self._piece is not None or self._take():
            if self._outstanding >= self._window:
                self._blocked = True
                break
            if self._saying is not None:
                messages, self._saying = self._saying, None
                self._send(messages)
            elif self._piece is not None:
                self._send_part(self._piece)
        self._writing = False

    def _take(self) -> bool:
        """The next thing to send, while nothing is being sent, whether there is room for it or not."""
        if self._control:
            self._saying, self._control = self._control, []
            return True
        if not self._owing:
            return False
        self._owing = False
        self._piece, self._parts_left = self._crowd.owed(self), self._parts
        return self._piece is not None

    def _send_part(self, piece: Owed) -> None:
        cost = piece.length / self._parts
        self._outstanding += cost
        self._parts_left -= 1
        self._bulk += 1
        self._latest = unit = Unit(self, cost, None if self._parts_left else piece)
        self._go(unit)
        if not self._parts_left:
            self._piece = None
            self._crowd.left(self, piece)

    def _send(self, messages: list[AnyMessage]) -> None:
        latest = self._latest
        if self._bulk and latest is not None:
            if latest.followers is None:
                latest.followers = []
            latest.followers.append(messages)
        else:
            self._crowd.post(self, messages)

    def moved(self, unit: Unit) -> None:
        """A link or the latency is behind it, or it is its turn to be read."""
        if unit.stage == self._last:
            self._read(unit)
            return
        link = self._links[unit.stage]
        if link is not None:
            link.passed()
        self._go(unit)

    def _go(self, unit: Unit) -> None:
        unit.stage += 1
        if unit.stage == self._last:
            self._arrive(unit)
            return
        link = self._links[unit.stage]
        if link is not None:
            link.carry(unit)
        else:
            self._heap.travel(self._heap.now + self.latency_s, unit)

    def _arrive(self, unit: Unit) -> None:
        self._bulk -= 1
        self._outstanding -= unit.cost
        heap = self._heap
        if unit.piece is not None or unit.followers is not None:
            if heap.quiet:
                self._read(unit)
            else:
                heap.wake(unit)
        if self._blocked:
            if heap.quiet:
                self.do()
            else:
                heap.wake(self)

    def _read(self, unit: Unit) -> None:
        if unit.piece is not None:
            self._crowd.brought(self, unit.piece)
        if unit.followers is not None:
            for messages in unit.followers:
                self._crowd.heard(self, messages)
        self._crowd.write_all()

    def do(self) -> None:
        """The window may have room."""
        self._blocked = False
        self.write()
        self._crowd.write_all()
