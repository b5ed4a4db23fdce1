"""A connection: two flows, and a stream at either end."""

from typing import TYPE_CHECKING

import trio

from p2pd.world.network import Buffer, Identity

from .flow import Flow
from .waiter import is_cancelled

if TYPE_CHECKING:
    from .network import SimNetwork
    from .port import Port


class Connection:
    """From `dialler` to `listener`.

    `silenced`: one end's machine is off, what is sent to it is `lost`. `orphaned`: one end was started anew and does
    not know it: whatever arrives there is answered by a reset.
    """

    def __init__(self, network: "SimNetwork", dialler: "Port", listener: "Port", address: str) -> None:
        self.network = network
        self.ports = (dialler, listener)
        self.silenced = self.lost = self.orphaned = False
        there, back = network.way(dialler, listener), network.way(listener, dialler)
        self.latency_s = there.latency_s
        self.flows = (
            Flow(self, dialler.name, listener.name, there),
            Flow(self, listener.name, dialler.name, back),
        )
        self.dialled = SimStream(self, *self.flows, listener.identity, address)
        self.accepted = SimStream(self, self.flows[1], self.flows[0], dialler.identity, network.free_address(dialler))

    def __repr__(self) -> str:
        return f"<Connection {self.ports[0].name} -> {self.ports[1].name}>"

    def break_off(self) -> None:
        """Both ends find it reset."""
        for flow in self.flows:
            flow.break_off()
        self.network.forget(self)

    def mute(self, port: "Port") -> None:
        """This port's machine or process is gone: nothing more comes from it."""
        for flow in self.flows:
            if flow.source == port.name:
                flow.muted = True
            else:
                flow.abandon()

    def orphan(self) -> None:
        """The port that was off is on again, and knows of no connection."""
        self.silenced, self.orphaned = False, True
        if self.lost:
            self.break_off()

    def release(self) -> None:
        """A partition or a clog may be over."""
        for flow in self.flows:
            flow.release()

    def closed(self) -> None:
        """One end was closed: forgotten when both are."""
        if all(flow.ended or flow.broken for flow in self.flows):
            self.network.forget(self)


class SimStream:
    """One end; implements `p2pd.world.network.Stream`."""

    def __init__(
        self, connection: Connection, outgoing: Flow, incoming: Flow, identity: Identity, remote_address: str
    ) -> None:
        self.identity = identity
        self.remote_address = remote_address
        self._connection, self._outgoing, self._incoming = connection, outgoing, incoming
        self._network = connection.network

    def __repr__(self) -> str:
        return f"<SimStream {self._outgoing.source} to {self.remote_address}>"

    async def handshake(self) -> None:
        """Nothing to wait for: who both are is known from the start."""

    async def send_all(self, *parts: Buffer) -> None:
        """Send it all; returns when all of it is under way, at once if the window has room."""
        data, flow = b"".join(parts), self._outgoing
        if is_cancelled():
            await trio.lowlevel.checkpoint_if_cancelled()
        if self._network.is_light(parts):
            while flow.is_full():
                await flow.writable.park()
            flow.send_light(data)
            return
        for part, cost_bytes in flow.parts_of(data):
            while flow.is_full():
                await flow.writable.park()
            flow.send(part, cost_bytes)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What is there, at least one byte; empty at the end of the stream."""
        flow = self._incoming
        if is_cancelled():
            await trio.lowlevel.checkpoint_if_cancelled()
        while flow.lacks(1):
            await flow.readable.park()
        return flow.take(max_bytes or 1 << 30)

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """The same into a buffer; 0 at the end."""
        flow = self._incoming
        if is_cancelled():
            await trio.lowlevel.checkpoint_if_cancelled()
        if least > 1:
            least = flow.useful_bytes(least, len(buffer))
        while flow.lacks(least):
            await flow.readable.park()
        data = flow.take(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def refuse(self) -> None:
        """Nobody accepted it."""
        self._connection.break_off()

    async def aclose(self) -> None:
        """Close both ways; the other end reads what is on its way, then the end."""
        self._outgoing.end()
        self._incoming.abandon()
        self._connection.closed()
        await trio.lowlevel.checkpoint()
