"""One direction of a connection: bytes in, the same bytes out, in order, never more than a window of them under way."""

from collections import deque
from heapq import heappush
from typing import TYPE_CHECKING, Final

import trio

from sim.clock import SimClock

from .link import Link, Quantum
from .waiter import Waiter

if TYPE_CHECKING:
    from .connection import Connection
    from .network import Way

SMALL_BYTES: Final = 512
"""What is no larger pays the way's latency but takes no room on it."""
WINDOW_SHARE_UNREAD: Final = 4
"""A reader that waits for more is woken when this part of the window is full, so that the sender never stands still."""

LEAST_BYTES_MAX: Final = 64 * 1024


class Flow:
    """`source` and `destination` are ports' names. `way`: what bulk goes through."""

    def __init__(self, connection: "Connection", source: str, destination: str, way: "Way") -> None:
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
        self._latest = Quantum(b"", 0.0)
        self._held: deque[bytes] = deque()
        self._arrived: deque[bytes] = deque()
        self._arrived_bytes = 0
        self._least = 1
        """Fewer bytes than these are of no use to who reads."""
        self._least_max = int(max(1, min(LEAST_BYTES_MAX, way.window_bytes / WINDOW_SHARE_UNREAD)))
        self._readable, self._writable = Waiter(), Waiter()

    def __repr__(self) -> str:
        return f"<Flow {self.source} -> {self.destination}, {self._outstanding} bytes under way>"

    # -- the sender's end ---------------------------------------------------------------------------------------

    async def put(self, data: bytes, light: bool) -> None:
        """Send it all; returns when all of it is under way, at once if the window has room. `light`: it pays latency
        only. A diluted piece is of no use before it is whole, so all of it comes with its last part."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if light:
            while self._is_full():
                await self._writable.park()
            self._send_light(data)
        elif self._diluted:
            parts, cost_bytes = self._network.parts_of(len(data))
            for left in range(parts - 1, -1, -1):
                while self._is_full():
                    await self._writable.park()
                self._send(None if left else data, cost_bytes)
        else:
            step, size = self._network.quantum_bytes, len(data)
            for start in range(0, size, step):
                while self._is_full():
                    await self._writable.park()
                part = data if size <= step else data[start : start + step]
                self._send(part, len(part))

    def _is_full(self) -> bool:
        """There is no room in the window; or so much waits for a link on the way that TCP would have been told to slow
        down."""
        if self.ended:
            raise trio.ClosedResourceError("this end was closed")
        if self.broken or self.muted:
            raise trio.BrokenResourceError("connection reset")
        if self._outstanding >= self._window_bytes:
            return True
        return not self._diluted and any(link is not None and link.is_full(self) for link in self._way)

    def end(self) -> None:
        """Nothing more will come."""
        if not self.ended:
            self.ended = True
            if not self.broken and not self.muted:
                self._send_light(b"")
            self._writable.wake()

    # -- on the way ---------------------------------------------------------------------------------------------

    def _send_light(self, data: bytes) -> None:
        """Behind what is on the way already."""
        self.sent_bytes += len(data)
        if not self._diluted:
            self._outstanding += len(data)
        if self._bulk:
            self._latest.riders.append(data)
        else:
            clock = self._clock
            heappush(clock.heap, (clock.now + self._latency_s, clock.next_place(), self._arrive, (data,)))

    def _send(self, data: bytes | None, cost_bytes: float) -> None:
        if data is not None:
            self.sent_bytes += len(data)
        self._outstanding += cost_bytes
        self._bulk += 1
        quantum = self._latest = Quantum(data, cost_bytes)
        self._enter(quantum, self._way[0])

    def passed(self, quantum: Quantum) -> None:
        """A link or the latency is behind it."""
        stage = quantum.stage = quantum.stage + 1
        if stage == self._stages:
            self._come(quantum)
        else:
            self._enter(quantum, self._way[stage])
        if not self._diluted:
            self._writable.wake()

    def _enter(self, quantum: Quantum, link: Link | None) -> None:
        if link is not None:
            link.carry(self, quantum)
        else:
            clock = self._clock
            heappush(clock.heap, (clock.now + self._latency_s, clock.next_place(), self.passed, (quantum,)))

    def _come(self, quantum: Quantum) -> None:
        self._bulk -= 1
        if self._diluted:
            self._outstanding -= quantum.cost_bytes
            self._writable.wake()
        if quantum.data is not None:
            self._arrive(quantum.data)
        for data in quantum.riders:
            self._arrive(data)

    def _arrive(self, data: bytes) -> None:
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
                self._readable.wake()

    # -- the reader's end ---------------------------------------------------------------------------------------

    async def get(self, max_bytes: int, least: int = 1) -> bytes:
        """What is there, at once if there is `least` (or as much as the window lets come unread); b'' at the end."""
        await trio.lowlevel.checkpoint_if_cancelled()
        arrived = self._arrived
        if least > 1:
            least = min(least, max_bytes, self._least_max)
        while self._arrived_bytes < least and not (arrived and not arrived[-1]):
            if self.abandoned:
                raise trio.ClosedResourceError("this end was closed")
            if self.broken:
                if arrived:
                    break
                raise trio.BrokenResourceError("connection reset")
            self._least = least
            await self._readable.park()
        data = arrived.popleft()
        if not data:
            arrived.append(data)  # the end stays the end
            return data
        if len(data) > max_bytes:
            arrived.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        elif arrived:
            data = self._gather(data, max_bytes)
        self._arrived_bytes -= len(data)
        if not self._diluted:
            self._outstanding -= len(data)
            self._writable.wake()
        return data

    def _gather(self, data: bytes, max_bytes: int) -> bytes:
        parts, room = [data], max_bytes - len(data)
        while self._arrived and 0 < len(self._arrived[0]) <= room:
            part = self._arrived.popleft()
            parts.append(part)
            room -= len(part)
        return b"".join(parts)

    def abandon(self) -> None:
        """The reader wants no more."""
        self.abandoned = True
        self._arrived.clear()
        self._arrived_bytes = 0
        self._readable.wake()

    def break_off(self) -> None:
        """Reset: what was under way is lost; what had arrived can still be read, as on Linux."""
        self.broken = True
        self._held.clear()
        self._readable.wake()
        self._writable.wake()
