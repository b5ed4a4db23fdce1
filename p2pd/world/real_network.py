"""TCP behind the seam. Nobody's identity is proven here; TLS stands behind the same seam."""

import errno
import socket
from typing import Final

import trio

from .address import join_address, split_address
from .network import Identity

DIAL_TIMEOUT_S: Final = 5.0
"""Three SYNs (0, 1 and 3 s) have gone unanswered by then."""
RECEIVE_BYTES: Final = 256 * 1024
"""One receive per typical chunk; a system call costs less than its share of the copy from there on."""
UNSENT_BYTES: Final = 256 * 1024
"""Not yet sent bytes in the kernel at which a sender waits. trio's own 16 KiB are for interactive use."""
BACKLOG: Final = 1024
ACCEPT_PAUSE_S: Final = 0.1
"""Rest when there is no descriptor or memory for another connection; meanwhile others may end."""
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class RealStream:
    """One TCP connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self.identity = Identity()
        self.remote_address = _remote_address(stream)
        lowat = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if lowat is not None:
            stream.setsockopt(socket.IPPROTO_TCP, lowat, UNSENT_BYTES)

    def __repr__(self) -> str:
        return f"<RealStream to {self.remote_address}>"

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send it all; returns when the kernel took it."""
        await self._stream.send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What is there, at least one byte; empty at the end of the stream."""
        return await self._stream.receive_some(RECEIVE_BYTES if max_bytes is None else max_bytes)

    async def aclose(self) -> None:
        """Close both ways."""
        await self._stream.aclose()


class RealListener:
    """A listening TCP socket."""

    def __init__(self, listener: trio.SocketListener) -> None:
        self._listener = listener
        host, port = listener.socket.getsockname()[:2]
        self.address = join_address(host, port)

    def __repr__(self) -> str:
        return f"<RealListener at {self.address}>"

    async def accept(self) -> RealStream:
        """The next one who dialled. Waits while descriptors or memory are exhausted."""
        while True:
            try:
                return RealStream(await self._listener.accept())
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
            await trio.sleep(ACCEPT_PAUSE_S)

    async def aclose(self) -> None:
        """Stop listening."""
        await self._listener.aclose()


class RealNetwork:
    """`p2pd.world.network.Network` over TCP; names are resolved, both address families tried."""

    async def dial(self, address: str) -> RealStream:
        """Connect to `host:port`; OSError when nobody is there, or nobody answers within DIAL_TIMEOUT_S."""
        host, port = _split(address)
        with trio.move_on_after(DIAL_TIMEOUT_S):
            return RealStream(await trio.open_tcp_stream(host, port))
        raise OSError(errno.ETIMEDOUT, f"{address} did not answer within {DIAL_TIMEOUT_S:g} s")

    async def listen(self, address: str) -> RealListener:
        """Listen at `host:port` (port 0: any free one); OSError when taken. Of a name's addresses, the first."""
        host, port = _split(address)
        first, *others = await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
        for listener in others:
            await listener.aclose()
        return RealListener(first)


def _split(address: str) -> tuple[str, int]:
    """An address from a peer or tracker may be anything: to the caller that is one more that can't be reached."""
    try:
        return split_address(address)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from error


def _remote_address(stream: trio.SocketStream) -> str:
    try:
        host, port = stream.socket.getpeername()[:2]
    except OSError:
        return "a peer that is gone"
    return join_address(host, port)
