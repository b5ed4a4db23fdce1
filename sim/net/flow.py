"""One direction of a connection: bytes in, the same bytes out, in order, never more than a window of them under way."""

from collections import deque
from typing import TYPE_CHECKING, Final

import trio

from sim.clock import Deed, SimClock

from .link import Link, Quantum, Sender
from .waiter import Waiter

if TYPE_CHECKING:
    from .connection import Connection
    from .network import Way

SMALL_BYTES: Final = 512
"""What is no larger pays the way's latency but takes no room on it."""
WINDOW_SHARE_UNREAD: Final = 4
"""A reader that waits for more is woken when this part of the window is full, so that the sender never stands still."""

LEAST_BYTES_MAX: Final = 64 * 1024


class Letter(Deed):
    """A light message on its way, with nothing heavy before it."""

    __slots__ = ("_data", "_flow")

    def __init__(self, flow: "Flow", data: bytes) -> None:
        self._flow, self._data = flow, data

    def do(self) -> None:
        """It is there."""
        self._flow.arrive(self._data)


class Flow(Sender):
    """`source` and `destination` are ports' names. `way`: what bulk goes through."""

    def __init__(self, connection: "Connection", source: str, destination: str, way: "Way") -> None:
        super().__init__(len(way.links))
        self.source, self.destination = source, destination
        self.sent_bytes = 0
        self.ended = False
        """The sender said that nothing more comes."""
        self.abandoned = False
        """The reader closed its end."""
        self.broken = False
        self.muted = False
        """The sender's machine is off or its process dead: nothing leaves any more, not even an end."""
        self._connection, self._network = connection, connection.network
        self._clock: SimClock = connection.network.clock
        self._diluted, self._heard = connection.network.diluted, connection.network.heard
        self._latency_s = connection.latency_s
        self._way, self._stages, self._window_bytes = way.links, len(way.links), way.window_bytes
        self._outstanding = 0.0
        self._bulk = 0
        self._latest = Quantum(self, b"", 0.0)
        self._held: deque[bytes] = deque()
        self._arrived: list[bytes] = []
        self._arrived_bytes = 0
        self._least = 1
        """Fewer bytes than these are of no use to who reads."""
        self._least_max = int(max(1, min(LEAST_BYTES_MAX, way.window_bytes / WINDOW_SHARE_UNREAD)))
        self.readable, self.writable = Waiter(), Waiter()
        """Where each end waits."""

    def __repr__(self) -> str:
        return f"<Flow {self.source} -> {self.destination}, {self._outstanding} bytes under way>"

    # -- the sender's end ---------------------------------------------------------------------------------------

    def is_full(self) -> bool:
        """The sender has to wait: there is no room in the window; or so much waits for a link on the way that TCP would
        have been told to slow down. ClosedResourceError, BrokenResourceError."""
        if self.ended:
            raise trio.ClosedResourceError("this end was closed")
        if self.broken or self.muted:
            raise trio.BrokenResourceError("connection reset")
        if self._outstanding >= self._window_bytes:
            return True
        if self._diluted:
            return False
        return any(link is not None and link.is_full(queue) for link, queue in zip(self._way, self.queues, strict=True))

    def parts_of(self, data: bytes) -> list[tuple[bytes | None, float]]:
        """How heavy bytes are sent, and what each part of them costs. A diluted piece is of no use before it is whole,
        so all of it comes with its last part."""
        if self._diluted:
            parts, cost_bytes = self._network.parts_of(len(data))
            nothing: list[tuple[bytes | None, float]] = [(None, cost_bytes)]
            return [*nothing * (parts - 1), (data, cost_bytes)]
        step = self._network.quantum_bytes
        if len(data) <= step:
            return [(data, len(data))]
        cut = [data[start : start + step] for start in range(0, len(data), step)]
        return [(part, len(part)) for part in cut]

    def send_light(self, data: bytes) -> None:
        """It pays latency only, behind what is on the way already."""
        self.sent_bytes += len(data)
        if not self._diluted:
            self._outstanding += len(data)
        if self._bulk:
            self._latest.riders.append(data)
        else:
            self._clock.book(self._clock.now + self._latency_s, Letter(self, data))

    def send(self, data: bytes | None, cost_bytes: float) -> None:
        """One part of what is heavy."""
        if data is not None:
            self.sent_bytes += len(data)
        self._outstanding += cost_bytes
        self._bulk += 1
        quantum = self._latest = Quantum(self, data, cost_bytes)
        self._enter(quantum, self._way[0])

    def end(self) -> None:
        """Nothing more will come."""
        if not self.ended:
            self.ended = True
            if not self.broken and not self.muted:
                self.send_light(b"")
            self.writable.wake()

    # -- on the way ---------------------------------------------------------------------------------------------

    def passed(self, quantum: Quantum) -> None:
        """A link or the latency is behind it."""
        stage = quantum.stage
        link = self._way[stage]
        if link is not None:
            link.release(quantum)
        stage = quantum.stage = stage + 1
        if stage == self._stages:
            self._come(quantum)
        else:
            self._enter(quantum, self._way[stage])
        if not self._diluted:
            self.writable.wake()

    def _enter(self, quantum: Quantum, link: Link | None) -> None:
        if link is not None:
            link.carry(quantum)
        else:
            self._clock.book(self._clock.now + self._latency_s, quantum)

    def _come(self, quantum: Quantum) -> None:
        self._bulk -= 1
        if self._diluted:
            self._outstanding -= quantum.cost_bytes
            self.writable.wake()
        if quantum.data is not None:
            self.arrive(quantum.data)
        for data in quantum.riders:
            self.arrive(data)

    def arrive(self, data: bytes) -> None:
        """It is at the far end, unless something stands in its way."""
        if self.broken:
            return
        if self._connection.silenced:
            self._connection.lost = True
        elif self._held or (self._network.cut and self._network.blocked(self.source, self.destination)):
            self._held.append(data)
        else:
            self._deliver(data)

    def release(self) -> None:
        """What was held up travels on, if nothing holds it any more."""
        while self._held and not self._network.blocked(self.source, self.destination):
            self._deliver(self._held.popleft())

    def _deliver(self, data: bytes) -> None:
        if self._network.flips:
            data = self._network.flipped(self.destination, data)
        self._heard(self.source, self.destination, data)
        if self._connection.orphaned or (self.abandoned and data):
            self._connection.break_off()  # nobody is there any more to take it: a reset comes back
        elif not self.abandoned:
            self._arrived.append(data)
            self._arrived_bytes += len(data)
            if self._arrived_bytes >= self._least or not data:
                self.readable.wake()

    # -- the reader's end ---------------------------------------------------------------------------------------

    def useful_bytes(self, least: int, max_bytes: int) -> int:
        """How much a reader really waits for who asks for `least`: no more than may come while nothing is read."""
        return min(least, max_bytes, self._least_max)

    def lacks(self, least: int) -> bool:
        """The reader has to wait: there are fewer bytes than that, and not the end either. ClosedResourceError,
        BrokenResourceError."""
        arrived = self._arrived
        if self._arrived_bytes >= least or (arrived and not arrived[-1]):
            return False
        if self.abandoned:
            raise trio.ClosedResourceError("this end was closed")
        if self.broken:
            if arrived:
                return False
            raise trio.BrokenResourceError("connection reset")
        self._least = least
        return True

    def take(self, max_bytes: int) -> bytes:
        """What is there; b'' at the end."""
        arrived = self._arrived
        data = arrived.pop(0)
        if not data:
            arrived.append(data)  # the end stays the end
            return data
        if len(data) > max_bytes:
            arrived.insert(0, data[max_bytes:])
            data = data[:max_bytes]
        elif arrived:
            data = self._gather(data, max_bytes)
        self._arrived_bytes -= len(data)
        if not self._diluted:
            self._outstanding -= len(data)
            self.writable.wake()
        return data

    def _gather(self, data: bytes, max_bytes: int) -> bytes:
        parts, room = [data], max_bytes - len(data)
        while self._arrived and 0 < len(self._arrived[0]) <= room:
            part = self._arrived.pop(0)
            parts.append(part)
            room -= len(part)
        return b"".join(parts)

    def abandon(self) -> None:
        """The reader wants no more."""
        self.abandoned = True
        self._arrived.clear()
        self._arrived_bytes = 0
        self.readable.wake()

    def break_off(self) -> None:
        """Reset: what was under way is lost; what had arrived can still be read, as on Linux."""
        self.broken = True
        self._held.clear()
        self.readable.wake()
        self.writable.wake()
