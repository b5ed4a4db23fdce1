"""A host's network with a meter on it."""

from p2pd.world.network import Listener, Network, Stream


class Metered:
    """`p2pd.world.network.Network`; `received_bytes` counts what this host took from all its streams."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.received_bytes = 0

    async def dial(self, address: str) -> Stream:
        """As the network beneath."""
        return _Stream(self, await self._network.dial(address))

    async def listen(self, address: str) -> Listener:
        """As the network beneath."""
        return _Listener(self, await self._network.listen(address))


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

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await self._stream.receive_some(max_bytes)
        self._meter.received_bytes += len(data)
        return data

    async def aclose(self) -> None:
        await self._stream.aclose()
