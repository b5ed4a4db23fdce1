"""HTTP/1.1 as seen by a server that serves files: heads come in, heads and bodies go out. Pure.

A request here is nothing but a head: bodies are refused, so the next request always starts right after the blank
line, and nobody can smuggle one request inside another. httptools (llhttp, strict) reads the fields of a head that we
have already found whole. RFC 9110, RFC 9112.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httptools

from p2pd.world.network import Identity

HEAD_BYTES_MAX: Final = 16 * 1024
"""Request line and fields together; what browsers, CDNs and proxies send stays under 8 KiB."""
NOBODY: Final = Identity()
_HEAD_END: Final = b"\r\n\r\n"


class BadRequest(Exception):
    """Theirs: answer with `status` and `reason`, then close."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. `path`: as sent, not decoded, without the query. Field names are in lower case. `peer`: who asks,
    as far as the transport proved it."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    keep_alive: bool = True
    peer: Identity = NOBODY


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """A body that arrives in parts, `length` bytes altogether. The server closes the generator, however it ends."""

    length: int
    parts: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered. Content-Length, Connection and Date are the server's to add."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | memoryview | StreamedBody = b""

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return self.body.length if isinstance(self.body, StreamedBody) else len(self.body)


def text_response(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """A short answer for a person, never kept by a cache."""
    fields = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", **(headers or {})}
    return Response(status, fields, f"{text}\n".encode())


class RequestReader:
    """Cuts a stream into requests: `feed` what arrived, take what is whole. Holds one read beyond a head at most."""

    def __init__(self, head_bytes_max: int = HEAD_BYTES_MAX) -> None:
        self._buffer = bytearray()
        self._head_bytes_max = head_bytes_max

    def __repr__(self) -> str:
        return f"<RequestReader {len(self._buffer)} bytes waiting>"

    @property
    def empty(self) -> bool:
        """Nothing has arrived of the next request."""
        return not self._buffer

    def feed(self, data: bytes | bytearray) -> None:
        """Add what arrived."""
        self._buffer += data

    def next_request(self) -> Request | None:
        """The next whole request, None when it has not all arrived; BadRequest when it never can be served."""
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: ignore at least one empty line before the request line
            del buffer[:2]
        end = buffer.find(_HEAD_END)
        if (end if end >= 0 else len(buffer)) > self._head_bytes_max:
            raise BadRequest(431, f"the request's head is larger than {self._head_bytes_max} bytes")
        if end < 0:
            return None
        head = bytes(buffer[: end + len(_HEAD_END)])
        del buffer[: len(head)]
        return _parse(head)


class _Fields:
    """What httptools tells us about one head."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[str, str] = {}
        self.hosts = 0

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.hosts += key == "host"
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text


def _parse(head: bytes) -> Request:
    fields = _Fields()
    parser = httptools.HttpRequestParser(fields)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # RFC 9110, 7.8: a server may ignore an offered upgrade, and we always do
    except httptools.HttpParserInvalidMethodError:
        raise BadRequest(501, "unknown method") from None
    except httptools.HttpParserError as error:
        raise BadRequest(400, str(error)) from None
    version = parser.get_http_version()
    if version not in ("1.0", "1.1"):
        raise BadRequest(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    if fields.headers.get("content-length", "0").strip("0") or "transfer-encoding" in fields.headers:
        raise BadRequest(413, "no request here has a body")
    if fields.hosts > 1 or (version == "1.1" and not fields.hosts):
        raise BadRequest(400, "exactly one Host field is needed")
    path, query = _split_target(fields.target)
    keep_alive = _keep_alive(version, fields.headers.get("connection", ""))
    return Request(parser.get_method().decode("ascii"), path, query, fields.headers, keep_alive)


def _keep_alive(version: str, connection: str) -> bool:
    """RFC 9112, 9.3. Not taken from llhttp, which has forgotten it when a message is complete."""
    options = {option.strip().lower() for option in connection.split(",")}
    return "close" not in options and (version == "1.1" or "keep-alive" in options)


def _split_target(target: bytes) -> tuple[str, str]:
    """Path and query of the origin form `/path?query`, or of the absolute form that proxies send."""
    if not target.startswith(b"/"):
        try:
            url = httptools.parse_url(target)
        except httptools.HttpParserInvalidURLError:
            raise BadRequest(400, "the request's target is not a path") from None
        return (url.path or b"/").decode("latin-1"), (url.query or b"").decode("latin-1")
    path, _, query = target.partition(b"?")
    return path.decode("latin-1"), query.decode("latin-1")


def render_head(response: Response, *, keep_alive: bool, date: str) -> bytes:
    """The status line and fields as they travel. ValueError for a field that would break out of its line (ours)."""
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}", f"Date: {date}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.status not in (204, 304):  # RFC 9110, 8.6
        lines.append(f"Content-Length: {response.length}")
    lines.append("Connection: keep-alive" if keep_alive else "Connection: close")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError(f"a line break inside a response field: {lines}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
