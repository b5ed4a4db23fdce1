"""Plain TCP behind the seam: nobody's identity is proven, anybody may listen in. For one machine, on loopback."""

import errno
from collections.abc import Iterable
from typing import Final

import trio

from p2pd.policy.yielding import Transit

from . import tcp
from .address import is_loopback
from .network import Buffer, Identity
from .tcp import TcpSocket

RECEIVE_BYTES: Final = 256 * 1024
"""One receive per typical chunk; a system call costs less than its share of the copy from there on."""


class RealStream:
    """One TCP connection."""

    def __init__(self, socket: TcpSocket, scratch: memoryview) -> None:
        self._socket, self._scratch = socket, scratch
        self.identity = Identity()
        self.remote_address = socket.remote_address

    def __repr__(self) -> str:
        return f"<RealStream to {self.remote_address}>"

    async def handshake(self) -> None:
        """Nothing is proven here."""
        await trio.lowlevel.checkpoint()

    async def send_all(self, *parts: Buffer) -> None:
        """Send all of them in order; returns when the kernel took them."""
        await self._socket.send_all(parts)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What is there, at least one byte; empty at the end of the stream."""
        await trio.lowlevel.checkpoint()
        while (
            count := self._socket.try_receive(self._scratch, min(max_bytes or RECEIVE_BYTES, RECEIVE_BYTES))
        ) is None:
            await self._socket.wait_readable()
        return bytes(self._scratch[:count])

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """The same into a buffer; 0 at the end."""
        return await self._socket.receive_into(buffer, least)

    def transit(self) -> Transit | None:
        """How it fares on its way."""
        return self._socket.transit()

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Be gentle, and send no faster than that."""
        self._socket.hold_to(upload_bytes_per_s)

    async def aclose(self) -> None:
        """Close both ways."""
        self._socket.close()
        await trio.lowlevel.checkpoint()


class RealListener:
    """A listening TCP socket."""

    def __init__(self, listener: trio.SocketListener, scratch: memoryview) -> None:
        self._listener, self._scratch = listener, scratch
        self.address = tcp.bound_address(listener)

    def __repr__(self) -> str:
        return f"<RealListener at {self.address}>"

    async def accept(self) -> RealStream:
        """The next one who dialled. Waits while descriptors or memory are exhausted."""
        return RealStream(await tcp.accept(self._listener), self._scratch)

    async def aclose(self) -> None:
        """Stop listening."""
        await self._listener.aclose()


class RealNetwork:
    """`p2pd.world.network.Network` over TCP within this machine; OSError for every address that is not on loopback."""

    url_scheme = "http"

    def __init__(self) -> None:
        self._scratch = memoryview(bytearray(RECEIVE_BYTES))

    async def dial(self, address: str) -> RealStream:
        """Connect to `host:port`; OSError when nobody is there, or nobody answers within `tcp.DIAL_TIMEOUT_S`."""
        _check_loopback(address)
        return RealStream(await tcp.dial(address), self._scratch)

    async def listen(self, address: str, *, strangers: bool = False) -> RealListener:
        """Listen at `host:port` (port 0: any free one); OSError when taken. All who come are unknown."""
        _check_loopback(address)
        return RealListener(await tcp.listen(address), self._scratch)

    def adopt(self, socket: TcpSocket, dialled: bool) -> RealStream:
        """A stream over a connection that came about elsewhere."""
        return RealStream(socket, self._scratch)

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """There are no certificates here."""
        return ()


def _check_loopback(address: str) -> None:
    if not is_loopback(address):
        raise OSError(
            errno.EACCES, f"{address} is not on loopback, and plain TCP stays on this machine: others need an identity"
        )
