"""One way of a connection: what a session's writer does, and its flow through the links, without tasks.

Messages go before pieces and never between the parts of one; a piece travels in parts that take turns with those of
other connections on every link; no more than a window of bytes is under way. `sim/net/flow.py` and
`p2pd/exchange/session.py` are what this is to be the same as.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from p2pd.swarm.uploads import Owed
from p2pd.wire.messages import AnyMessage
from sim.net.link import Link
from sim.plan import PIECE_PARTS

from .heap import Heap

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

    def brought(self, way: "Way", owed: Owed) -> None:
        """A whole piece arrives."""
        ...


class Way:
    """From `sender` to `receiver`. `links`: what a piece goes through; None stands where the latency is."""

    __slots__ = (
        "_blocked", "_bulk", "_control", "_ends", "_heap", "_links", "_outstanding", "_parts_left", "_piece",
        "_saying", "_window", "_writing", "latency_s", "receiver", "sender",
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
    ) -> None:
        self.sender, self.receiver, self.latency_s = sender, receiver, latency_s
        self._heap, self._ends, self._links, self._window = heap, ends, links, window_bytes
        self._control: list[AnyMessage] = []
        self._saying: list[AnyMessage] = []
        self._piece: Owed | None = None
        self._parts_left = 0
        self._outstanding = 0.0
        self._bulk = 0
        """Units that go through the links now: what follows must stay behind them."""
        self._writing = self._blocked = False

    def __repr__(self) -> str:
        return f"<Way {self.sender.key} -> {self.receiver.key}, {self._outstanding:.0f} bytes under way>"

    def say(self, message: AnyMessage) -> None:
        """Queue a message; `write` sends it."""
        self._control.append(message)

    def write(self) -> None:
        """Send what there is, until nothing is left or the window is full."""
        if self._writing or self._blocked:
            return
        self._writing = True
        while self._has_work():
            if self._outstanding >= self._window:
                self._blocked = True
                break
            if self._saying:
                messages, self._saying = self._saying, []
                self._send(messages)
            elif self._piece is not None:
                self._send_part(self._piece)
        self._writing = False

    def _has_work(self) -> bool:
        """Take the next thing to send, if nothing is being sent."""
        if self._saying or self._piece is not None:
            return True
        if self._control:
            self._saying, self._control = self._control, []
            return True
        self._piece = self._ends.owed(self)
        self._parts_left = PIECE_PARTS
        return self._piece is not None

    def _send_part(self, piece: Owed) -> None:
        cost = piece.length / PIECE_PARTS
        self._outstanding += cost
        self._parts_left -= 1
        self._bulk += 1
        if self._parts_left:
            self._pass(partial(self._part_arrives, cost), cost, 0)
        else:
            self._pass(partial(self._last_arrives, cost, piece), cost, 0)
            self._piece = None
            self._ends.left(self, piece)

    def _send(self, messages: list[AnyMessage]) -> None:
        if self._bulk:
            self._bulk += 1
            self._pass(partial(self._messages_arrive, messages), 0.0, 0)
        else:
            heap = self._heap
            heap.at(heap.now + self.latency_s, self._ends.heard, self, messages)

    def _pass(self, arrive: Callable[[], object], cost: float, stage: int) -> None:
        if stage == len(self._links):
            self._bulk -= 1
            arrive()
            return
        link = self._links[stage]
        if link is None:
            heap = self._heap
            heap.at(heap.now + self.latency_s, self._pass, arrive, cost, stage + 1)
        else:
            link.carry(self, cost, partial(self._pass, arrive, cost, stage + 1))

    def _messages_arrive(self, messages: list[AnyMessage]) -> None:
        self._ends.heard(self, messages)

    def _part_arrives(self, cost: float) -> None:
        self._outstanding -= cost
        self._unblock()

    def _last_arrives(self, cost: float, piece: Owed) -> None:
        self._outstanding -= cost
        self._ends.brought(self, piece)
        self._unblock()

    def _unblock(self) -> None:
        if self._blocked:
            self._blocked = False
            self.write()
