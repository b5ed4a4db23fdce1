"""A server in a network in memory, and a client that speaks to it byte by byte."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from p2pd.httpmessages import Request, Response
from p2pd.httpserver import Handler, HttpServer, Limits
from p2pd.world.network import Network, Stream
from tests.fakes.network import MemoryNetwork

ADDRESS = "server:80"


async def echo(request: Request) -> Response:
    """Says what was asked."""
    return Response(200, {"Content-Type": "text/plain"}, f"{request.method} {request.path}?{request.query}".encode())


@asynccontextmanager
async def serving(
    network: MemoryNetwork, handler: Handler = echo, limits: Limits | None = None
) -> AsyncIterator[HttpServer]:
    """A server at ADDRESS."""
    server = HttpServer(utc_now=lambda: 1_700_000_000.0 + trio.current_time(), limits=limits)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve, await network.host("server").listen(ADDRESS), handler)
        yield server
        nursery.cancel_scope.cancel()


class RawClient:
    """Sends bytes and takes answers apart."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = b""

    @classmethod
    async def dial(cls, network: Network, address: str = ADDRESS) -> "RawClient":
        """Connected."""
        return cls(await network.dial(address))

    async def send(self, text: str) -> None:
        """With line ends as HTTP wants them."""
        await self._stream.send_all(text.replace("\n", "\r\n").encode("latin-1"))

    async def answer(self, *, with_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, fields, body."""
        while b"\r\n\r\n" not in self._buffer:
            await self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        length = int(fields.get("content-length", "0")) if with_body else 0
        while len(self._buffer) < length:
            await self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return int(status.split()[1]), fields, body

    async def closed(self) -> bool:
        """Waits until the server closed; True when nothing more had come."""
        try:
            return not self._buffer and not await self._stream.receive_some()
        except trio.BrokenResourceError:
            return True

    async def aclose(self) -> None:
        """Go away."""
        await self._stream.aclose()

    async def _more(self) -> None:
        data = await self._stream.receive_some()
        assert data, f"closed after {self._buffer!r}"
        self._buffer += data
