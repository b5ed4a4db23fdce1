"""One direction of a connection: bytes in, the same bytes out, in order, never more than a window of them under way."""

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from .link import Link

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
        self._connection = connection
        self._way = way
        self._outstanding = 0.0
        self._bulk = 0
        self._riders: list[bytes] = []
        """What was sent behind the latest bulk, and stays right behind it: it pays nothing and waits for no turn."""
        self._held: deque[bytes] = deque()
        self._arrived: deque[bytes] = deque()
        self._readable, self._writable = Waiter(), Waiter()

    def __repr__(self) -> str:
        return f"<Flow {self.source} -> {self.destination}, {self._outstanding} bytes under way>"

    # -- the sender's end ---------------------------------------------------------------------------------------

    async def put(self, data: bytes) -> None:
        """Send it all; returns when all of it is under way."""
        await trio.lowlevel.checkpoint()
        network = self._connection.network
        light = network.is_light(len(data))
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
        self._outstanding += cost_bytes if self._connection.network.diluted else len(data)
        self.sent_bytes += len(data)
        if cost_bytes:
            self._bulk += 1
            self._riders = []
            self._pass(data, self._riders, cost_bytes, 0)
        elif self._bulk:
            self._riders.append(data)
        else:
            clock = self._connection.network.clock
            clock.at(clock.now + self._connection.latency_s, self._arrive, data)

    def _pass(self, data: bytes, riders: list[bytes], cost_bytes: float, stage: int) -> None:
        if stage < len(self._way):
            onward, link = partial(self._pass, data, riders, cost_bytes, stage + 1), self._way[stage]
            if link is None:
                clock = self._connection.network.clock
                clock.at(clock.now + self._connection.latency_s, onward)
            else:
                link.carry(self, cost_bytes, onward)
            return
        self._bulk -= 1
        if self._connection.network.diluted:
            self._outstanding -= cost_bytes
            self._writable.wake()
        for one in (data, *riders):
            self._arrive(one)

    def _arrive(self, data: bytes) -> None:
        if self.broken:
            return
        if self._connection.silenced:
            self._connection.lost = True
        elif self._held or self._connection.network.blocked(self.source, self.destination):
            self._held.append(data)
        else:
            self._deliver(data)

    def release(self) -> None:
        """What was held up travels on, if nothing holds it any more."""
        while self._held and not self._connection.network.blocked(self.source, self.destination):
            self._deliver(self._held.popleft())

    def _deliver(self, data: bytes) -> None:
        data = self._connection.network.deliver(self, data)
        if self._connection.orphaned or (self.abandoned and data):
            self._connection.break_off()  # nobody is there any more to take it: a reset comes back
        elif not self.abandoned:
            self._arrived.append(data)
            self._readable.wake()

    # -- the reader's end ---------------------------------------------------------------------------------------

    async def get(self, max_bytes: int) -> bytes:
        """What is there; b'' at the end."""
        await trio.lowlevel.checkpoint()
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
        if not self._connection.network.diluted:
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
