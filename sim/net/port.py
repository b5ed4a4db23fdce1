"""A host's network card: what a daemon is given as `world.network`."""

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import trio

from p2pd.world.network import Identity, Listener, Stream

from .connection import SimStream
from .place import Place

if TYPE_CHECKING:
    from .network import SimNetwork

BACKLOG_MAX: Final = 1_024
"""Connections that a listener has not accepted yet."""
SYN_TIMES_S: Final[tuple[float, ...]] = (0.0, 1.0, 3.0)
"""When a dial tries (as TCP does); given up after DIAL_TIMEOUT_S."""
DIAL_TIMEOUT_S: Final = 5.0


class Port:
    """Implements `p2pd.world.network.Network`. `identity` is what the transport proves of it to others."""

    url_scheme = "http"

    def __init__(self, network: "SimNetwork", name: str, place: Place, identity: Identity) -> None:
        self.name, self.place, self.identity = name, place, identity
        self.up = True
        self._network = network

    def __repr__(self) -> str:
        return f"<Port {self.name}{'' if self.up else ' down'}>"

    async def dial(self, address: str) -> Stream:
        """Connect; ConnectionRefusedError when nobody listens there, TimeoutError when nobody answers."""
        begun = trio.current_time()
        for when_s in SYN_TIMES_S:
            await trio.sleep_until(begun + when_s)
            stream = await self._network.connect(self, address)
            if stream is not None:
                return stream
        await trio.sleep_until(begun + DIAL_TIMEOUT_S)
        raise TimeoutError(errno.ETIMEDOUT, f"{address} does not answer")

    async def listen(self, address: str, *, strangers: bool = False) -> Listener:
        """Listen; OSError when the address is taken or not ours."""
        await trio.lowlevel.checkpoint()
        host, _, number = address.rpartition(":")
        if host != self.name:
            raise OSError(errno.EADDRNOTAVAIL, f"{address} is not an address of {self.name}")
        return self._network.bind(self, self._network.free_address(self) if number == "0" else address)

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """Nobody's certificate is taken back here."""
        return ()


class SimListener:
    """Implements `Listener`."""

    def __init__(self, network: "SimNetwork", port: Port, address: str) -> None:
        self.port, self.address = port, address
        self._network = network
        self._put, self._take = trio.open_memory_channel[SimStream](BACKLOG_MAX)

    def __repr__(self) -> str:
        return f"<SimListener at {self.address}>"

    def offer(self, stream: SimStream) -> None:
        """Queue a new connection; ConnectionRefusedError when too many wait."""
        try:
            self._put.send_nowait(stream)
        except (trio.WouldBlock, trio.BrokenResourceError):
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{self.address} is overrun") from None

    async def accept(self) -> Stream:
        """The next one; ClosedResourceError after `aclose`."""
        return await self._take.receive()

    async def aclose(self) -> None:
        """The address is free again; who was not accepted finds the connection broken."""
        self._network.unbind(self)
        self._put.close()
        while True:
            try:
                self._take.receive_nowait().refuse()
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        self._take.close()
        await trio.lowlevel.checkpoint()
