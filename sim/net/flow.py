"""One direction of a connection: bytes in, the same bytes out, in order, never more than a window of them under way."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import trio

from sim.clock import SimClock

from .link import Link, Quantum

if TYPE_CHECKING:
    from .connection import Connection

SMALL_BYTES: Final = 512
"""What is no larger pays the way's latency but takes no room on it."""


class Waiter:
    """At most one task that waits for a change. (An Event costs twice as much and needs a new one each time.)"""

    def __init__(self) -> None:
        self._task: trio.lowlevel.Task | None = None

    async def park(self) -> None:
        """Until `wake`."""
        if self._task is not None:
            raise trio.BusyResourceError("another task is using this end")
        self._task = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def wake(self) -> None:
        """Something changed."""
        if self._task is not None:
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task)


class Flow:
    """`source` and `destination` are ports' names. `way`: the links that bulk goes through; None: here it is far."""

    def __init__(self, connection: "Connection", source: str, destination: str, way: Sequence[Link | None]) -> None:
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
        self._latency_s = connection.latency_s
        self._way = way
        self._outstanding = 0.0
        self._bulk = 0
        self._latest = Quantum(b"", 0)
        self._held: deque[bytes] = deque()
        self._arrived: deque[bytes] = deque()
        self._readable, self._writable = Waiter(), Waiter()

    def __repr__(self) -> str:
        return f"<Flow {self.source} -> {self.destination}, {self._outstanding} bytes under way>"

    # -- the sender's end ---------------------------------------------------------------------------------------

    async def put(self, data: bytes, light: bool) -> None:
        """Send it all; returns when all of it is under way, at once if the window has room. `light`: it pays latency
        only."""
        await trio.lowlevel.checkpoint_if_cancelled()
        network = self._network
        step = len(data) if light else network.quantum_bytes
        for start in range(0, len(data), step or 1):
            self._check_sender()
            while self._outstanding >= network.window_bytes:
                await self._writable.park()
                self._check_sender()
            part = data if len(data) <= step else data[start : start + step]
            self._send(part, 0.0 if light else network.cost_bytes(len(part), len(data)))

    def end(self) -> None:
        """Nothing more will come."""
        if not self.ended:
            self.ended = True
            if not self.broken and not self.muted:
                self._send(b"", 0.0)
            self._writable.wake()

    def _check_sender(self) -> None:
        if self.ended:
            raise trio.ClosedResourceError("this end was closed")
        if self.broken or self.muted:
            raise trio.BrokenResourceError("connection reset")

    # -- on the way ---------------------------------------------------------------------------------------------

    def _send(self, data: bytes, cost_bytes: float) -> None:
        self._outstanding += cost_bytes if self._network.diluted else len(data)
        self.sent_bytes += len(data)
        if cost_bytes:
            self._bulk += 1
            quantum = self._latest = Quantum(data, cost_bytes)
            self._enter(quantum)
        elif self._bulk:
            self._latest.riders.append(data)
        else:
            self._clock.at(self._clock.now + self._latency_s, self._arrive, data)

    def _enter(self, quantum: Quantum) -> None:
        """The next link, if there is one."""
        if quantum.stage == len(self._way):
            self._come(quantum)
            return
        link = self._way[quantum.stage]
        if link is None:
            self._clock.at(self._clock.now + self._latency_s, self.passed, quantum)
        else:
            link.carry(self, quantum)

    def passed(self, quantum: Quantum) -> None:
        """A link or the latency is behind it."""
        quantum.stage += 1
        self._enter(quantum)

    def _come(self, quantum: Quantum) -> None:
        self._bulk -= 1
        if self._network.diluted:
            self._outstanding -= quantum.cost_bytes
            self._writable.wake()
        for data in (quantum.data, *quantum.riders):
            self._arrive(data)

    def _arrive(self, data: bytes) -> None:
        if self.broken:
            return
        if self._connection.silenced:
            self._connection.lost = True
        elif self._held or self._network.blocked(self.source, self.destination):
            self._held.append(data)
        else:
            self._deliver(data)

    def release(self) -> None:
        """What was held up travels on, if nothing holds it any more."""
        while self._held and not self._network.blocked(self.source, self.destination):
            self._deliver(self._held.popleft())

    def _deliver(self, data: bytes) -> None:
        data = self._network.deliver(self, data)
        if self._connection.orphaned or (self.abandoned and data):
            self._connection.break_off()  # nobody is there any more to take it: a reset comes back
        elif not self.abandoned:
            self._arrived.append(data)
            self._readable.wake()

    # -- the reader's end ---------------------------------------------------------------------------------------

    async def get(self, max_bytes: int) -> bytes:
        """What is there, at once if there is something; b'' at the end."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._arrived:
            self._check_reader()
            await self._readable.park()
        data = self._arrived.popleft()
        if not data:
            self._arrived.append(data)  # the end stays the end
            return data
        if len(data) > max_bytes:
            self._arrived.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        elif self._arrived:
            data = self._gather(data, max_bytes)
        if not self._network.diluted:
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

    def _check_reader(self) -> None:
        if self.abandoned:
            raise trio.ClosedResourceError("this end was closed")
        if self.broken:
            raise trio.BrokenResourceError("connection reset")

    def abandon(self) -> None:
        """The reader wants no more."""
        self.abandoned = True
        self._arrived.clear()
        self._readable.wake()

    def break_off(self) -> None:
        """Reset: what was under way is lost; what had arrived can still be read, as on Linux."""
        self.broken = True
        self._held.clear()
        self._readable.wake()
        self._writable.wake()
