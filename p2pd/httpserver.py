"""A small HTTP/1.1 server on the network seam: GET and HEAD, keep-alive, pipelining, no request bodies.

One task a connection: read a head, ask the handler, send the answer, in order. A connection reads no further while it
answers, so what a client pipelines waits in its own socket. One watchdog looks after all connections: each has a
deadline, moved as it makes progress, so that no message pays for a timer of its own. While the handler works there is
no deadline; the handler has its own.

What it does not do: TLS (the network does), bodies, upgrades, HTTP/2.
"""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from math import inf
from typing import Final

import trio

from .httpmessages import BadRequest, Request, RequestReader, Response, StreamedBody, render_head, text_response
from .world.network import Listener, Stream

Handler = Callable[[Request], Awaitable[Response]]
_READ_BYTES: Final = 16 * 1024
_SLICE_BYTES: Final = 256 * 1024
"""Sent at once: between two slices the deadline is moved, so a slow reader is told from a dead one."""
_LINGER_S: Final = 1.0
"""How long what a client still sends is thrown away after a refusal: closing at once could destroy our answer."""
_LINGER_BYTES: Final = 1024 * 1024
_CLOSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """`head_s`: from a connection's last answer (or its start) to the next whole head; so also the idle timeout.
    `send_s`: for 256 KiB to be taken; slower readers than 9 KiB/s are not served. `watch_s`: how exact both are."""

    connections_max: int = 1024
    head_s: float = 60.0
    send_s: float = 30.0
    watch_s: float = 1.0


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A server at one moment. `refused`: connections above the limit; `timed_out`: ended by the watchdog."""

    connections: int
    requests: int
    refused: int
    bad_requests: int
    timed_out: int
    broken: int


@dataclass(slots=True, eq=False)
class _Connection:
    stream: Stream
    reader: RequestReader = field(default_factory=RequestReader)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    deadline: float = inf
    idle: bool = True


class HttpServer:
    """Serves one listener. `utc_now` is for the Date field."""

    def __init__(self, *, utc_now: Callable[[], float], limits: Limits | None = None) -> None:
        self._utc_now = utc_now
        self._limits = limits or Limits()
        self._connections: dict[int, _Connection] = {}
        self._accepted = 0
        self._requests = self._refused = self._bad_requests = self._timed_out = self._broken = 0
        self._accepting = trio.CancelScope()
        self._stopping = False
        self._somebody = trio.lowlevel.ParkingLot()
        self._date = (-1, "")

    def __repr__(self) -> str:
        return f"<HttpServer {len(self._connections)} connections, {self._requests} requests>"

    def snapshot(self) -> ServerFacts:
        """Facts for metrics."""
        return ServerFacts(
            len(self._connections),
            self._requests,
            self._refused,
            self._bad_requests,
            self._timed_out,
            self._broken,
        )

    def stop(self) -> None:
        """Accept nobody new, let running answers end, close what is idle; `serve` returns when all are gone."""
        self._stopping = True
        self._accepting.cancel()
        for connection in self._connections.values():
            if connection.idle:
                connection.scope.cancel()

    async def serve(self, listener: Listener, handler: Handler) -> None:
        """Answer with `handler`, which raises nothing that is a client's fault, until `stop` or cancelled.

        The listener is closed in the end. OSError when accepting fails.
        """
        async with trio.open_nursery() as watch:
            watch.start_soon(self._watch)
            async with trio.open_nursery() as nursery:
                try:
                    with self._accepting:
                        await self._accept(listener, handler, nursery)
                finally:
                    with trio.move_on_after(_CLOSE_S, shield=True):
                        await listener.aclose()
            watch.cancel_scope.cancel()

    async def _accept(self, listener: Listener, handler: Handler, nursery: trio.Nursery) -> None:
        while True:
            stream = await listener.accept()
            self._accepted += 1
            nursery.start_soon(self._serve_connection, self._accepted, stream, handler)

    async def _watch(self) -> None:
        while True:
            if not self._connections:
                await self._somebody.park()
            await trio.sleep(self._limits.watch_s)
            now = trio.current_time()
            for connection in self._connections.values():
                if connection.deadline <= now and not connection.scope.cancel_called:
                    self._timed_out += 1
                    connection.scope.cancel()

    async def _serve_connection(self, number: int, stream: Stream, handler: Handler) -> None:
        connection = _Connection(stream)
        full = len(self._connections) >= self._limits.connections_max
        self._connections[number] = connection
        self._somebody.unpark()
        try:
            with connection.scope:
                await stream.handshake()
                await (self._turn_away(connection) if full else self._converse(connection, handler))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._broken += 1
        finally:
            del self._connections[number]
            with trio.move_on_after(_CLOSE_S, shield=True):
                await stream.aclose()

    async def _turn_away(self, connection: _Connection) -> None:
        self._refused += 1
        await self._refuse(connection, text_response(503, "too many connections", {"Retry-After": "1"}))

    async def _converse(self, connection: _Connection, handler: Handler) -> None:
        while not self._stopping:
            try:
                request = await self._next_request(connection)
            except BadRequest as error:
                self._bad_requests += 1
                await self._refuse(connection, text_response(error.status, error.reason))
                return
            if request is None:
                return
            self._requests += 1
            if connection.stream.identity.proven:
                request = replace(request, peer=connection.stream.identity)
            connection.idle, connection.deadline = False, inf
            response = await handler(request)
            keep_alive = request.keep_alive and not self._stopping
            await self._send(connection, response, keep_alive=keep_alive, with_body=request.method != "HEAD")
            if not keep_alive:
                return

    async def _next_request(self, connection: _Connection) -> Request | None:
        """None when they closed between two requests, or in the middle of one."""
        connection.idle, connection.deadline = True, trio.current_time() + self._limits.head_s
        while (request := connection.reader.next_request()) is None:
            data = await connection.stream.receive_some(_READ_BYTES)
            if not data:
                return None
            connection.reader.feed(data)
        return request

    async def _refuse(self, connection: _Connection, response: Response) -> None:
        await self._send(connection, response, keep_alive=False, with_body=True)
        connection.idle, connection.deadline = True, trio.current_time() + _LINGER_S
        left = _LINGER_BYTES
        while left > 0 and (data := await connection.stream.receive_some(_READ_BYTES)):
            left -= len(data)

    async def _send(self, connection: _Connection, response: Response, *, keep_alive: bool, with_body: bool) -> None:
        head = render_head(response, keep_alive=keep_alive, date=self._http_date())
        body = response.body
        if not with_body or response.length == 0:
            await self._send_part(connection, head)
        elif isinstance(body, StreamedBody):
            await self._send_part(connection, head)
            await self._send_stream(connection, body)
        elif len(body) <= _SLICE_BYTES:
            await self._send_part(connection, head + body)
        else:
            await self._send_part(connection, head)
            view = memoryview(body)
            for start in range(0, len(view), _SLICE_BYTES):
                await self._send_part(connection, view[start : start + _SLICE_BYTES])

    async def _send_stream(self, connection: _Connection, body: StreamedBody) -> None:
        sent = 0
        async with aclosing(body.parts) as parts:
            async for part in parts:
                sent += len(part)
                if sent > body.length:
                    break
                await self._send_part(connection, part)
                connection.deadline = inf
        if sent != body.length:
            raise ValueError(f"a body of {body.length} bytes was promised, its parts have {sent}")

    async def _send_part(self, connection: _Connection, data: bytes | memoryview) -> None:
        connection.deadline = trio.current_time() + self._limits.send_s
        await connection.stream.send_all(data)

    def _http_date(self) -> str:
        second = int(self._utc_now())
        if second != self._date[0]:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]
