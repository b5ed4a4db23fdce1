"""HTTP as a client: httpx, over real sockets or over any network seam.

Over a seam, httpcore's connection pool dials through `Network.dial`, so that the simulator carries the very requests
that production sends. The pool's own expiry of idle connections reads the machine's clock; here it is replaced by
one on trio's clock. Redirects are never followed here: who serves our content is configured, not told by a server
(`p2pd.redirects` has the few that are). Proxies from the environment are not used either, for the same reason.
"""

import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import httpcore
import httpx
import trio

from p2pd.policy.yielding import Transit

from . import tcp_info
from .demanding import SEEDERS, Demanding
from .network import Measured, Network, Stream

CONNECTIONS_MAX: Final = 32
KEEPALIVE_S: Final = 30.0
"""Idle connections are given up before the server's 60 s end them under a request."""
TIMEOUT: Final = httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=30.0)
"""For a step, not for a whole answer: `read` is the longest silence."""

_SPOKEN: Final = {"fleet": b"http"}
"""What is spoken over the seam where the URL's scheme says which seam that is."""
_ERRORS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)


def client(
    network: Network | None = None, *, fleet: Network | None = None, connections_max: int = CONNECTIONS_MAX
) -> httpx.AsyncClient:
    """A client that speaks through `network`, or through the machine's sockets when there is none; `fleet://` URLs then
    go through `fleet`, to its seeders only.

    Close it (`async with`) inside the run that uses it. Raises httpx.TransportError from its calls.
    """
    if network is not None:
        transport = SeamTransport(network, connections_max)
        return httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False, follow_redirects=False)
    mounts = {"fleet://": SeamTransport(Demanding(fleet, SEEDERS), connections_max)} if fleet else {}
    sockets = OwnSockets(connections_max)
    return httpx.AsyncClient(transport=sockets, timeout=TIMEOUT, trust_env=False, follow_redirects=False, mounts=mounts)


class OwnSockets(httpx.AsyncBaseTransport):
    """httpx's transport over the machine's sockets, made with the first request: the world's certificate authorities
    take 15 to 30 ms of a processor and 2 or 3 MB, and where seeders are all there is, nobody needs them."""

    def __init__(self, connections_max: int) -> None:
        self._connections_max = connections_max
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, its answer's body still to be read."""
        if self._transport is None:
            limits = httpx.Limits(
                max_connections=self._connections_max,
                max_keepalive_connections=self._connections_max,
                keepalive_expiry=KEEPALIVE_S,
            )
            self._transport = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._transport is not None:
            await self._transport.aclose()


class _Socket:
    """A connection of the machine's own, as one of ours tells of itself."""

    def __init__(self, connection: Any, address: str) -> None:
        self._connection, self._address = connection, address
        self._gentle = False

    def transit(self) -> Transit | None:
        return tcp_info.transit(self._connection, self._address)

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Only what we ask for goes up: little, and at once."""
        if not self._gentle:
            self._gentle = True
            tcp_info.be_gentle(self._connection)


def measured(response: httpx.Response) -> Measured | None:
    """The connection that an answer comes over; None where that can't be measured."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return None
    if (ours := stream.get_extra_info("stream")) is not None:
        return ours if isinstance(ours, Measured) else None
    connection = stream.get_extra_info("socket")
    return _Socket(connection, f"{response.url.host}:{response.url.port or 0}") if connection is not None else None


class SeamTransport(httpx.AsyncBaseTransport):
    """httpx's transport over a network seam. It speaks http whatever the scheme: secrecy is the seam's own business."""

    def __init__(self, network: Network, connections_max: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=connections_max,
            max_keepalive_connections=connections_max,
            keepalive_expiry=None,
            network_backend=_Backend(network),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, its answer's body still to be read."""
        url = request.url
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=_SPOKEN.get(url.scheme, url.raw_scheme), host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _translated():
            answer = await self._pool.handle_async_request(sent)
        body = cast(httpcore.AsyncConnectionInterface, answer.stream)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(body), extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close every connection."""
        with _translated():
            await self._pool.aclose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except tuple(ours for ours, _ in _ERRORS) as error:
        theirs = next(theirs for ours, theirs in _ERRORS if isinstance(error, ours))
        raise theirs(str(error) or type(error).__name__) from error


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        with _translated():
            await self._stream.aclose()


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, network: Network) -> None:
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        with _at_most(timeout, httpcore.ConnectTimeout, f"{name} did not answer"):
            try:
                return _Stream(await self._network.dial(name))
            except OSError as error:
                raise httpcore.ConnectError(f"{name}: {error}") from error

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._used_at = trio.current_time()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _at_most(timeout, httpcore.ReadTimeout, f"nothing from {self._stream.remote_address}"):
            try:
                data = await self._stream.receive_some(max_bytes)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise httpcore.ReadError(str(error)) from error
        self._used_at = trio.current_time()
        return bytes(data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        with _at_most(timeout, httpcore.WriteTimeout, f"{self._stream.remote_address} takes nothing"):
            try:
                await self._stream.send_all(buffer)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise httpcore.WriteError(str(error)) from error
        self._used_at = trio.current_time()

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.UnsupportedProtocol("https is not carried by this network; it has its own identities")

    def get_extra_info(self, info: str) -> Any:
        """The pool drops an idle connection that is "readable", as one closed by the server would be: so do we here
        with one that has been idle for too long."""
        if info == "is_readable":
            return trio.current_time() - self._used_at > KEEPALIVE_S
        return self._stream if info == "stream" else None


@contextmanager
def _at_most(timeout_s: float | None, error: type[Exception], message: str) -> Iterator[None]:
    if timeout_s is None:
        yield
        return
    with trio.move_on_after(timeout_s) as scope:
        yield
    if scope.cancelled_caught:
        raise error(message)
