"""The seeder's plain HTTP: the blob store's own paths, so that any CDN or curl can stand before it.

GET /chunks/<aa>/<hex>  /manifests/<hex>  /edits/<hex>/<hex>  /metadata/<name>     objects, with ranges and validators
GET /healthz                                                   200 while it serves
GET /metrics                                                   Prometheus text
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import astuple, fields
from typing import Final

from manifests.codec import decode
from manifests.errors import MalformedManifestError
from p2pd.gzipped import PACKED_MIN_BYTES, pack
from p2pd.httpmessages import Request, Response, text_response
from p2pd.httpserver import ServerFacts
from p2pd.policy.admitting import may_have_release
from p2pd.prometheus import CONTENT_TYPE, Sample, render
from p2pd.world.network import Identity

from .conditional import Selection, select
from .resources import Kind, Resource, resource
from .shield.failures import Fault
from .shield.shield import NotServed, Shield

IMMUTABLE: Final = "public, max-age=31536000, immutable"
SHORT: Final = "public, max-age=1"
"""For the timestamp: a CDN may collapse a second's questions into one."""
STATUS: Final = {Fault.MISSING: 404, Fault.CORRUPT: 502, Fault.UNAVAILABLE: 503}
MEDIA_TYPE: Final = {
    Kind.CHUNK: "application/octet-stream",
    Kind.MANIFEST: "application/octet-stream",
    Kind.EDITS: "application/octet-stream",
    Kind.VERSIONED: "application/json",
    Kind.TIMESTAMP: "application/json",
}


class HttpDoor:
    """Answers requests from a shield. `facts`: of the server in front, for /metrics."""

    def __init__(self, shield: Shield, facts: Callable[[], ServerFacts]) -> None:
        self._shield = shield
        self._facts = facts

    async def handle(self, request: Request) -> Response:
        """The answer; whatever a client asks, there is one."""
        if request.method not in ("GET", "HEAD"):
            return text_response(405, "only GET and HEAD", {"Allow": "GET, HEAD"})
        if request.path == "/healthz":
            return text_response(200, "ok")
        if request.path == "/metrics":
            text = render((*self._shield.samples(), *_server_samples(self._facts())))
            return Response(200, {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}, text.encode())
        asked = resource(request.path.removeprefix("/"))
        if asked is None:
            return text_response(404, "there is nothing at this path")
        try:
            data = await self._shield.get(asked.path)
            told = data if asked.kind is Kind.MANIFEST else b""
            if asked.kind is Kind.EDITS and request.peer.products:
                told = await self._shield.get(f"manifests/{asked.path.split('/')[1]}")
        except NotServed as error:
            status = STATUS[error.failure.fault]
            return text_response(status, str(error), {"Retry-After": "1"} if status == 503 else {})
        if told and not _may_have(request.peer, told):
            return text_response(403, "your certificate is not for this product")
        response = answer(request, asked, data)
        if request.method == "GET":
            self._shield.count_served("http", response.length)
        return response


def _may_have(peer: Identity, manifest: bytes) -> bool:
    """Whether they may have this release. Who has no manifest knows no name of a chunk, so chunks need no such look.
    Neither do small packs: what has the right digest and is no manifest.
    """
    try:
        return not peer.products or may_have_release(peer, decode(manifest).release)
    except MalformedManifestError:
        return True


def answer(request: Request, asked: Resource, data: bytes) -> Response:
    """The object (metadata packed, for those who like it so), a part of it, or that nothing has changed."""
    etag, packed = f'"{(asked.digest or hashlib.sha256(data).digest()).hex()}"', False
    if not asked.digest and len(data) >= PACKED_MIN_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        etag, data, packed = f'{etag[:-1]}-gzip"', pack(data), True
    selection = select(request.method, request.headers, etag, len(data))
    headers = {
        "ETag": etag,
        "Cache-Control": SHORT if asked.kind is Kind.TIMESTAMP else IMMUTABLE,
        "Accept-Ranges": "bytes",
    }
    if not asked.digest:
        headers["Vary"] = "Accept-Encoding"
    if selection.status == 416:
        return text_response(416, "outside the object", {"Content-Range": f"bytes */{len(data)}"})
    if selection.status == 304:
        return Response(304, headers)
    headers["Content-Type"] = MEDIA_TYPE[asked.kind]
    headers["X-Content-Type-Options"] = "nosniff"
    if packed:
        headers["Content-Encoding"] = "gzip"
    return _selected(selection, headers, data)


def _selected(selection: Selection, headers: dict[str, str], data: bytes) -> Response:
    if selection.status == 200:
        return Response(200, headers, data)
    headers["Content-Range"] = f"bytes {selection.start}-{selection.stop - 1}/{len(data)}"
    return Response(206, headers, memoryview(data)[selection.start : selection.stop])


def _server_samples(facts: ServerFacts) -> Iterable[Sample]:
    for name, value in zip((field.name for field in fields(facts)), astuple(facts), strict=True):
        ending = "" if name == "connections" else "_total"
        yield Sample(f"seeder_http_{name}{ending}", f"HTTP server: {name.replace('_', ' ')}", value)
