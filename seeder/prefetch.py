"""Warming a running seeder's cache: ask it for every chunk of a release without taking the bytes (HEAD)."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import httpx
import trio

from manifests.blobs import chunk_path, manifest_path
from manifests.codec import decode
from manifests.console import CommandError, UnreachableError
from manifests.limits import MANIFEST_BYTES_MAX
from manifests.manifest import Manifest
from manifests.names import ReleaseName
from manifests.trust import Approved, TrustChain
from p2pd.origin import Origin, OriginError
from p2pd.origin_health import Source

ASKERS: Final = 16
"""Chunks asked for at once; half of what the shield fetches at once, so that its clients are served meanwhile."""
PATIENCE_S: Final = 60.0
"""For one chunk to come from the blob store."""


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What the seeder now holds."""

    release: str
    chunks: int
    size_bytes: int


class Prefetch:
    """Talks to the seeder at `base_url`. UnreachableError when it does not answer, CommandError when it can't serve."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._origin = Origin(client, [Source("shield", self._base_url)], Random())

    async def resolve(self, release: ReleaseName, root: bytes, utc_now: Callable[[], float]) -> bytes:
        """The digest of the manifest that both parties have signed for this release; UntrustedReleaseError."""
        with tempfile.TemporaryDirectory() as cache:
            chain = TrustChain(root, Path(cache), utc_now)
            fetched: dict[str, bytes | None] = {}
            while not isinstance(answer := chain.look_up(release, fetched), Approved):
                try:
                    fetched[answer.path] = await self._origin.fetch_metadata(answer.path, answer.max_bytes)
                except OriginError as error:
                    raise UnreachableError(error.reason) from error
        return answer.digest

    async def manifest(self, digest: bytes) -> Manifest:
        """The manifest of this digest, which the seeder then has."""
        length = await self._ask(manifest_path(digest))
        if not 0 < length <= MANIFEST_BYTES_MAX:
            raise CommandError(f"the manifest {digest.hex()} has an impossible length: {length} bytes")
        try:
            return decode(await self._origin.fetch_manifest(digest, length))
        except OriginError as error:
            raise UnreachableError(error.reason) from error

    async def warm(self, manifest: Manifest, advance: Callable[[int], None]) -> Prefetched:
        """Ask for all chunks; `advance` is told the bytes of each."""
        chunks = {manifest.digest(piece): manifest.lengths[piece] for piece in range(manifest.pieces)}
        waiting = iter(chunks.items())
        async with trio.open_nursery() as nursery:
            for _ in range(ASKERS):
                nursery.start_soon(self._ask_for_each, waiting, advance)
        return Prefetched(manifest.release, len(chunks), sum(chunks.values()))

    async def _ask_for_each(self, waiting: Iterator[tuple[bytes, int]], advance: Callable[[int], None]) -> None:
        for digest, length in waiting:
            await self._ask(chunk_path(digest))
            advance(length)

    async def _ask(self, path: str) -> int:
        """The object's length, once the seeder has it."""
        try:
            response = await self._client.head(f"{self._base_url}/{path}", timeout=httpx.Timeout(5.0, read=PATIENCE_S))
        except httpx.TransportError as error:
            raise UnreachableError(f"{self._base_url}: {str(error) or type(error).__name__}") from error
        if response.status_code != 200:
            raise CommandError(f"{self._base_url}/{path}: HTTP {response.status_code}")
        return int(response.headers.get("Content-Length", "-1"))
