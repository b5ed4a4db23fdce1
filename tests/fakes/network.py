"""A network in memory: hosts by name, bounded pipes, partitions and broken connections.

    network = MemoryNetwork()
    alpha, beta = network.host("alpha"), network.host("beta")     each is a p2pd.world.network.Network
    listener = await beta.listen("beta:7000")
    stream = await alpha.dial("beta:7000")

A pipe holds as much as a socket's buffers would, then `send_all` waits: whoever never reads is felt. Time is trio's,
so everything also runs under a MockClock.
"""

import errno
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

import trio

from p2pd.world.network import Buffer, Identity, Listener, Stream

PIPE_BYTES: Final = 64 * 1024
"""What one direction of a connection holds before its sender waits."""
BACKLOG_MAX: Final = 1_024
"""Connections that a listener has not accepted yet."""
DIAL_TIMEOUT_S: Final = 3.0
"""How long a dial across a partition takes to fail."""


class MemoryNetwork:
    """Where the hosts are. `partition` cuts some off (bytes wait, dials time out), `heal` ends that, `drop` breaks."""

    def __init__(self, pipe_bytes: int = PIPE_BYTES) -> None:
        self.pipe_bytes = pipe_bytes
        self.dials: dict[str, int] = {}
        """How often each address was dialled."""
        self._listeners: dict[str, MemoryListener] = {}
        self._connections: list[_Connection] = []
        self._cut_off: frozenset[str] = frozenset()
        self._ports = count(40_000)

    def __repr__(self) -> str:
        return f"<MemoryNetwork {len(self._listeners)} listeners, {len(self._connections)} connections>"

    def host(self, name: str, identity: Identity | None = None) -> "MemoryHost":
        """A host of this name; `identity` is what the transport proves of it to others (nothing unless given)."""
        return MemoryHost(self, name, identity or Identity())

    def partition(self, *names: str) -> None:
        """Cut these hosts off from all others (among themselves they still talk)."""
        self._cut_off = frozenset(names)

    def heal(self) -> None:
        """End the partition: what waited travels on."""
        self._cut_off = frozenset()
        for connection in self._connections:
            connection.wake()

    def drop(self, *names: str) -> None:
        """Break every connection of these hosts, as if they had been reset."""
        for connection in self._connections_of(names):
            connection.break_off()

    def parted(self, one: str, other: str) -> bool:
        """Whether the partition lies between them."""
        return (one in self._cut_off) != (other in self._cut_off)

    def _connections_of(self, names: tuple[str, ...]) -> Iterator["_Connection"]:
        return (connection for connection in tuple(self._connections) if not set(names).isdisjoint(connection.names))

    def _bind(self, host: "MemoryHost", address: str) -> "MemoryListener":
        name, _, port = address.rpartition(":")
        if port == "0":
            address = f"{name}:{next(self._ports)}"
        if address in self._listeners:
            raise OSError(errno.EADDRINUSE, f"{address} is taken")
        listener = self._listeners[address] = MemoryListener(self, host, address)
        return listener

    def _connect(self, host: "MemoryHost", address: str) -> "MemoryStream":
        listener = self._listeners.get(address)
        if listener is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {address}")
        connection = _Connection(self, (host.name, listener.host.name))
        there, here = _Pipe(connection, self.pipe_bytes), _Pipe(connection, self.pipe_bytes)
        connection.pipes = (there, here)
        back = f"{host.name}:{next(self._ports)}"
        listener.offer(MemoryStream(connection, here, there, host.identity, back))
        self._connections.append(connection)
        return MemoryStream(connection, there, here, listener.host.identity, address)

    async def _dial(self, host: "MemoryHost", address: str) -> "MemoryStream":
        self.dials[address] = self.dials.get(address, 0) + 1
        await trio.lowlevel.checkpoint()
        listener = self._listeners.get(address)
        if listener is not None and self.parted(host.name, listener.host.name):
            await trio.sleep(DIAL_TIMEOUT_S)
            raise TimeoutError(errno.ETIMEDOUT, f"{address} does not answer")
        return self._connect(host, address)


class MemoryHost:
    """One host's view of the network; implements `p2pd.world.network.Network`."""

    url_scheme = "http"

    def __init__(self, network: MemoryNetwork, name: str, identity: Identity) -> None:
        self.network = network
        self.name = name
        self.identity = identity
        self._revoked: tuple[bytes, ...] = ()

    async def dial(self, address: str) -> Stream:
        """Connect; ConnectionRefusedError when nobody listens, TimeoutError across a partition."""
        return await self.network._dial(self, address)

    async def listen(self, address: str, *, strangers: bool = False) -> Listener:
        """Listen; OSError when the address is taken."""
        await trio.lowlevel.checkpoint()
        return self.network._bind(self, address)

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """Believed as they are told: there are no certificates here."""
        self._revoked = tuple(dict.fromkeys((*self._revoked, *lists)))
        return self._revoked


class MemoryListener:
    """Implements `Listener`."""

    def __init__(self, network: MemoryNetwork, host: MemoryHost, address: str) -> None:
        self.host = host
        self.address = address
        self._network = network
        self._put, self._take = trio.open_memory_channel[MemoryStream](BACKLOG_MAX)

    def offer(self, stream: "MemoryStream") -> None:
        """Queue a new connection; ConnectionRefusedError when too many wait."""
        try:
            self._put.send_nowait(stream)
        except trio.WouldBlock:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{self.address} is overrun") from None

    async def accept(self) -> Stream:
        """The next one; ClosedResourceError after `aclose`."""
        return await self._take.receive()

    async def aclose(self) -> None:
        """The address is free again; who was not accepted finds the connection broken."""
        self._network._listeners.pop(self.address, None)
        self._put.close()
        while True:
            try:
                self._take.receive_nowait()._connection.break_off()
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        self._take.close()
        await trio.lowlevel.checkpoint()


class MemoryStream:
    """One end of a connection; implements `Stream`."""

    def __init__(
        self, connection: "_Connection", outgoing: "_Pipe", incoming: "_Pipe", identity: Identity, remote_address: str
    ) -> None:
        self.identity = identity
        self.remote_address = remote_address
        self._connection = connection
        self._outgoing = outgoing
        self._incoming = incoming

    async def handshake(self) -> None:
        """Nothing to wait for: who both are is known from the start."""

    async def send_all(self, *parts: Buffer) -> None:
        """Returns when the pipe took it all; waits while it is full."""
        await self._outgoing.put(memoryview(parts[0] if len(parts) == 1 else b"".join(parts)))

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What is there, or b'' when the other end closed."""
        return await self._incoming.get(max_bytes or PIPE_BYTES)

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """The same into a buffer; 0 when the other end closed."""
        data = await self._incoming.get(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def aclose(self) -> None:
        """The other end reads what is on its way, then the end."""
        self._outgoing.end()
        self._incoming.abandon()
        self._connection.forget_if_over()
        await trio.lowlevel.checkpoint()


class _Connection:
    """Two pipes between two hosts."""

    def __init__(self, network: MemoryNetwork, names: tuple[str, str]) -> None:
        self.names = names
        self.pipes: tuple[_Pipe, ...] = ()
        self._network = network

    @property
    def parted(self) -> bool:
        return self._network.parted(*self.names)

    def wake(self) -> None:
        for pipe in self.pipes:
            pipe.changed.unpark_all()

    def break_off(self) -> None:
        for pipe in self.pipes:
            pipe.broken = True
        self.forget_if_over()
        self.wake()

    def forget_if_over(self) -> None:
        if all(pipe.ended or pipe.broken for pipe in self.pipes) and self in self._network._connections:
            self._network._connections.remove(self)


class _Pipe:
    """One direction: at most `capacity` bytes wait in it."""

    def __init__(self, connection: _Connection, capacity: int) -> None:
        self.changed = trio.lowlevel.ParkingLot()
        self.broken = self.ended = self.abandoned = False
        self._connection = connection
        self._capacity = capacity
        self._waiting = bytearray()

    async def put(self, data: memoryview) -> None:
        await trio.lowlevel.checkpoint()
        while data:
            self._check_sender()
            room = self._capacity - len(self._waiting)
            if room <= 0:
                await self.changed.park()
                continue
            self._waiting += data[:room]
            data = data[room:]
            self.changed.unpark_all()

    async def get(self, max_bytes: int) -> bytes:
        await trio.lowlevel.checkpoint()
        while True:
            if self.abandoned:
                raise trio.ClosedResourceError("this end was closed")
            if self.broken:
                raise trio.BrokenResourceError("connection reset")
            if not self._connection.parted and (self._waiting or self.ended):
                break
            await self.changed.park()
        data = bytes(self._waiting[:max_bytes])
        del self._waiting[:max_bytes]
        self.changed.unpark_all()
        return data

    def _check_sender(self) -> None:
        if self.ended:
            raise trio.ClosedResourceError("this end was closed")
        if self.broken or self.abandoned:
            raise trio.BrokenResourceError("connection reset")

    def end(self) -> None:
        self.ended = True
        self.changed.unpark_all()

    def abandon(self) -> None:
        self.abandoned = True
        self._waiting.clear()
        self.changed.unpark_all()
