"""A host's network with a meter on it."""

from collections.abc import Iterable

from p2pd.world.network import Buffer, Listener, Network, Stream


class Metered:
    """`p2pd.world.network.Network`; `received_bytes` counts what this host took from all its streams."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.url_scheme = network.url_scheme
        self.received_bytes = 0

    async def dial(self, address: str) -> Stream:
        """As the network beneath."""
        return _Stream(self, await self._network.dial(address))

    async def listen(self, address: str, *, strangers: bool = False) -> Listener:
        """As the network beneath."""
        return _Listener(self, await self._network.listen(address, strangers=strangers))

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """As the network beneath."""
        return self._network.revoke(lists)


class _Listener:
    def __init__(self, meter: Metered, listener: Listener) -> None:
        self._meter, self._listener = meter, listener
        self.address = listener.address

    async def accept(self) -> Stream:
        return _Stream(self._meter, await self._listener.accept())

    async def aclose(self) -> None:
        await self._listener.aclose()


class _Stream:
    def __init__(self, meter: Metered, stream: Stream) -> None:
        self._meter, self._stream = meter, stream
        self.identity, self.remote_address = stream.identity, stream.remote_address

    async def handshake(self) -> None:
        await self._stream.handshake()
        self.identity = self._stream.identity

    async def send_all(self, *parts: Buffer) -> None:
        await self._stream.send_all(*parts)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await self._stream.receive_some(max_bytes)
        self._meter.received_bytes += len(data)
        return data

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        count = await self._stream.receive_into(buffer, least)
        self._meter.received_bytes += count
        return count

    async def aclose(self) -> None:
        await self._stream.aclose()
