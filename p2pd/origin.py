"""Fetching from shields and the CDN over HTTP: the way that always works, and always costs somebody money.

Each call asks every source that is not resting once, in the order that `OriginHealth` says, until one delivers.
Nothing is believed: never more bytes are read than were expected, a silence of 3 s ends an attempt, and the digest is
checked here, so that a source with rotten content is left for the next one at once. Redirects are followed as far as
`redirects.py` allows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

import httpx
import trio

from manifests.digest import digest_function, manifest_digest

from . import gzipped
from .lines import Lines
from .origin_health import OriginHealth, Outcome, Source, SourceFacts
from .redirects import REDIRECTS_MAX, STATUSES, followed

STALL_S: Final = 3.0
"""Without a byte: then a source is left."""
CONNECT_S: Final = 3.0
SLOWEST_BYTES_PER_S: Final = 16 * 1024
PATIENCE_S: Final = 10.0
"""A body may take so long, and as long as it takes at the slowest rate: a source that drips never stalls."""
_IDENTITY: Final = {"Accept-Encoding": "identity"}
"""No content is decompressed before it was verified."""
_PACKED: Final = {"Accept-Encoding": "gzip"}
"""Metadata, whose signatures are inside."""


class OriginError(Exception):
    """No source delivered. The world's fault: try again at `retry_at` (on trio's clock). `reason` is for a person."""

    def __init__(self, reason: str, retry_at: float) -> None:
        super().__init__(reason)
        self._reason = reason
        self._retry_at = retry_at

    @property
    def reason(self) -> str:
        """What every source answered."""
        return self._reason

    @property
    def retry_at(self) -> float:
        """When a source may be asked again."""
        return self._retry_at


@dataclass(frozen=True, slots=True)
class _Attempt:
    outcome: Outcome
    data: bytes = b""
    detail: str = ""
    received_bytes: int = 0
    retry_after_s: float = 0.0
    location: str = ""
    """Where it is to be had instead, as that was put."""


_Check = Callable[[bytes], Outcome]


class Origin:
    """The daemon's client for several base URLs. `client` speaks HTTP and belongs to the caller. `lines`: what it comes
    over."""

    def __init__(self, client: httpx.AsyncClient, sources: Sequence[Source], rng: Random) -> None:
        self._client = client
        self._health = OriginHealth(sources, rng)
        self.lines = Lines()
        self._timeout = httpx.Timeout(STALL_S, connect=CONNECT_S, pool=None)  # a full pool is our own business

    def __repr__(self) -> str:
        return f"<Origin {self._health!r}>"

    @property
    def bytes_by_source(self) -> dict[str, int]:
        """Bytes received so far under each source's name."""
        return self._health.bytes_by_source()

    def use(self, sources: Sequence[Source]) -> None:
        """These are there from now on; what is known of those that were there before stays known."""
        self._health.use(sources)

    def snapshot(self) -> tuple[SourceFacts, ...]:
        """Facts of each source."""
        return self._health.snapshot(trio.current_time())

    def next_retry(self) -> float:
        """When some source may be asked, on trio's clock; in the past when one may be asked now."""
        return self._health.next_retry()

    async def fetch_chunk(self, digest: bytes, length: int, algorithm: str = "blake3") -> bytes:
        """The chunk of this digest, exactly `length` bytes, verified; OriginError."""
        name = digest.hex()
        return await self._fetch_exact(f"chunks/{name[:2]}/{name}", digest, length, digest_function(algorithm))

    async def fetch_manifest(self, digest: bytes, length: int) -> bytes:
        """A manifest's bytes, verified; OriginError."""
        return await self._fetch_exact(f"manifests/{digest.hex()}", digest, length, manifest_digest)

    async def fetch_edits(self, digest: bytes, base: bytes, length: int) -> bytes:
        """What leads to a manifest, of `length` bytes, from another one; OriginError.

        Not verified: what comes of it is.
        """
        path = f"edits/{digest.hex()}/{base.hex()}"
        return (await self._fetch(path, digest, length, lambda data: Outcome.OK)).data

    async def find_manifest(self, digest: bytes, max_bytes: int) -> bytes:
        """A manifest's bytes, verified, when their number is not known; OriginError."""

        def check(data: bytes) -> Outcome:
            return Outcome.OK if manifest_digest(data) == digest else Outcome.CORRUPT

        return (await self._fetch(f"manifests/{digest.hex()}", digest, max_bytes, check)).data

    async def fetch_metadata(self, path: str, max_bytes: int) -> bytes | None:
        """A file of TUF metadata, `metadata/...`; None when a source says that there is none; OriginError.

        Not verified: the trust chain does that.
        """
        attempt = await self._fetch(path, path.encode(), max_bytes, lambda data: Outcome.OK, metadata=True)
        return attempt.data if attempt.outcome is Outcome.OK else None

    async def _fetch_exact(self, path: str, digest: bytes, length: int, function: Callable[[bytes], bytes]) -> bytes:
        def check(data: bytes) -> Outcome:
            if len(data) != length:
                return Outcome.WRONG_LENGTH
            return Outcome.OK if function(data) == digest else Outcome.CORRUPT

        return (await self._fetch(path, digest, length, check)).data

    async def _fetch(self, path: str, key: bytes, max_bytes: int, check: _Check, *, metadata: bool = False) -> _Attempt:
        """`metadata`: it may come packed, and that it is missing is an answer."""
        failures = []
        for source in self._health.order(key, trio.current_time()):
            url = f"{source.base_url.rstrip('/')}/{path}"
            attempt = await self._attempt(url, max_bytes, check, _PACKED if metadata else _IDENTITY)
            self._health.attempted(
                source,
                attempt.outcome,
                received_bytes=attempt.received_bytes,
                now=trio.current_time(),
                retry_after_s=attempt.retry_after_s,
            )
            if attempt.outcome is Outcome.OK or (metadata and attempt.outcome is Outcome.MISSING):
                return attempt
            failures.append(f"{source.base_url}: {attempt.detail or attempt.outcome.value}")
        reason = "; ".join(failures) or ("all sources are resting" if self._health.sources else "there is no source")
        raise OriginError(f"{path}: {reason}", self._health.next_retry())

    async def _attempt(self, base_url: str, max_bytes: int, check: _Check, accept: dict[str, str]) -> _Attempt:
        try:
            url = httpx.URL(base_url)
        except httpx.InvalidURL as error:
            return _Attempt(Outcome.UNREACHABLE, detail=str(error))
        for _ in range(1 + REDIRECTS_MAX):
            attempt = await self._ask(url, max_bytes, check, accept)
            if attempt.outcome is not Outcome.REDIRECTED:
                return attempt
            target = followed(url, attempt.location, [source.base_url for source in self._health.sources])
            if target is None:
                return attempt
            url = target
        return _Attempt(Outcome.REDIRECTED, detail=f"more than {REDIRECTS_MAX} redirects")

    async def _ask(self, url: httpx.URL, max_bytes: int, check: _Check, accept: dict[str, str]) -> _Attempt:
        body = bytearray()
        try:
            async with self._client.stream("GET", url, headers=accept, timeout=self._timeout) as response:
                if response.status_code != 200:
                    return _refusal(response)
                self.lines.use(response)
                announced = response.headers.get("Content-Length", "")
                if announced.isdecimal() and int(announced) > max_bytes:
                    return _Attempt(Outcome.WRONG_LENGTH, detail=f"{announced} bytes, {max_bytes} expected")
                with trio.move_on_after(PATIENCE_S + max_bytes / SLOWEST_BYTES_PER_S) as scope:
                    await _read(response, max_bytes, body, scope)
                if scope.cancelled_caught and len(body) <= max_bytes:
                    return _Attempt(Outcome.STALLED, b"", f"only {len(body)} bytes in time", len(body))
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            return _Attempt(Outcome.STALLED, b"", f"no byte for {STALL_S:g} s", len(body))
        except httpx.TransportError as error:
            return _Attempt(Outcome.UNREACHABLE, b"", str(error) or type(error).__name__, len(body))
        if len(body) > max_bytes:
            return _Attempt(Outcome.WRONG_LENGTH, b"", f"more than {max_bytes} bytes", len(body))
        data: bytes | None = bytes(body)
        if accept is _PACKED and response.headers.get("Content-Encoding") == "gzip":
            data = gzipped.unpack(bytes(body), max_bytes)
        if data is None:
            return _Attempt(Outcome.CORRUPT, b"", "no gzip, or too much in it", len(body))
        return _Attempt(check(data), data, received_bytes=len(body))


async def _read(response: httpx.Response, max_bytes: int, body: bytearray, scope: trio.CancelScope) -> None:
    """Fill `body`; when it gets too long, cancel `scope`: that unwinds httpx's nested generators from the inside,
    where a `break` here would leave them to the garbage collector."""
    async for part in response.aiter_raw():
        body += part
        if len(body) > max_bytes:
            scope.cancel()


def _refusal(response: httpx.Response) -> _Attempt:
    status = response.status_code
    detail = f"HTTP {status}"
    if status in STATUSES and (location := response.headers.get("Location", "")):
        return _Attempt(Outcome.REDIRECTED, detail=f"{detail} to {location[:200]!r}", location=location)
    if status in (404, 410):
        return _Attempt(Outcome.MISSING, detail=detail)
    if status == 429 or status >= 500:
        return _Attempt(Outcome.FAILING, detail=detail, retry_after_s=_retry_after_s(response.headers))
    return _Attempt(Outcome.REFUSED, detail=detail)


def _retry_after_s(headers: httpx.Headers) -> float:
    """RFC 9110, 10.2.3: seconds, or a date, which we count from the answer's own: no clock of ours is asked."""
    text = headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text[:9])
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):  # no date, or one with a zone and one without
        return 0.0
