"""Objects of the blob store, from memory, from disk, or fetched from the store once.

    get(path) --> memory --> one flight per path: disk (verified) --> blob store (verified) --> disk, memory

All that is not in memory goes through the flight of its path, so no file is ever read while it is written. What was
checked once is checked again whenever it comes from disk. `metadata/timestamp.json` is fetched anew each second that
somebody asks; while the store does not answer the last one is given out: its own signed expiry ends that.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import trio

from manifests.errors import NoSuchBlobError, StoreError
from p2pd.prometheus import Sample
from p2pd.world import World
from seeder.resources import BYTES_MAX, Kind, Resource, resource

from .cache import Cache
from .coalescing import SingleFlight
from .failures import Failure, Failures, Fault
from .files import CacheFiles

FRESH_S: Final = 1.0
"""How old a timestamp may be when it is given out."""
FLIGHTS_MAX: Final = 32
"""Fetches at once; each holds one object in memory and one thread."""


class Blobs(Protocol):
    """What the shield needs of a blob store (`manifests.blobs.BlobStore`). Blocking, from any thread."""

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes:
        """The object; NoSuchBlobError, or StoreError when the store does not answer or the object is larger."""
        ...


class NotServed(Exception):
    """The object can't be had; `failure` says whose fault it is."""

    def __init__(self, path: str, failure: Failure) -> None:
        super().__init__(f"{path}: {failure.message}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class ShieldConfig:
    """`cache_directory`: absolute; empty for a shield without a disk."""

    cache_directory: str
    cache_bytes: int
    memory_bytes: int
    flights_max: int = FLIGHTS_MAX


class Shield:
    """The cache tier before a blob store. Fetches run in `nursery`, which must outlive every `get`."""

    def __init__(self, world: World, blobs: Blobs, config: ShieldConfig, nursery: trio.Nursery) -> None:
        self._world = world
        self._blobs = blobs
        self._files = CacheFiles(world.disk, config.cache_directory) if config.cache_directory else None
        self._on_disk = Cache(config.cache_bytes)
        self._in_memory = Cache(config.memory_bytes)
        self._memory: dict[str, bytes] = {}
        self._failures = Failures()
        self._flights: SingleFlight[bytes | Failure] = SingleFlight(nursery, config.flights_max)
        self._timestamp: tuple[float, bytes] = (float("-inf"), b"")
        self._counts: Counter[str] = Counter()
        self._faults: Counter[Fault] = Counter()
        self._served: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Shield memory {self._in_memory!r}, disk {self._on_disk!r}, {self._flights!r}>"

    async def open(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take the cache directory, find what it holds, and keep it until cancelled; CacheInUse, OSError."""
        if self._files is None:
            task_status.started()
            await trio.sleep_forever()
            return
        lock = await self._world.run_blocking(self._files.open)
        try:
            surplus = [
                evicted
                for path, size in await self._world.run_blocking(self._files.scan)
                for evicted in self._admit_found(path, size)
            ]
            await self._world.run_blocking(self._files.remove, surplus)
            task_status.started()
            await trio.sleep_forever()
        finally:
            lock.release()

    async def get(self, path: str) -> bytes:
        """The object's bytes, verified; NotServed. `path` as in the blob store, without a leading `/`."""
        asked = resource(path)
        if asked is None:
            raise NotServed(path, Failure(Fault.MISSING, "there can be no such object"))
        now = trio.current_time()
        if asked.kind is Kind.TIMESTAMP:
            result = await self._get_timestamp(asked, now)
        elif (held := self._from_memory(path)) is not None:
            result = held
        else:
            result = self._failures.recall(path, now) or await self._flights.share(path, partial(self._load, asked))
        if isinstance(result, Failure):
            raise NotServed(path, result)
        return result

    def count_served(self, door: str, count: int) -> None:
        """So many bytes of objects left by this door (`http`, `peer`)."""
        self._served[door] += count

    def samples(self) -> Iterator[Sample]:
        """Facts for metrics."""
        for door in ("http", "peer"):
            text = "Bytes of objects that were sent to clients"
            yield Sample("seeder_served_bytes_total", text, self._served[door], {"door": door})
        for tier in ("memory", "disk"):
            text = "Bytes of objects that were found in the cache"
            yield Sample("seeder_hit_bytes_total", text, self._counts[f"{tier}_hit_bytes"], {"tier": tier})
        yield Sample("seeder_coalesced_total", "Askers who waited for another's fetch", self._flights.joined)
        yield Sample("seeder_origin_requests_total", "Requests to the blob store", self._counts["origin_requests"])
        yield Sample("seeder_origin_bytes_total", "Bytes received from the blob store", self._counts["origin_bytes"])
        for fault in Fault:
            text = "Requests to the blob store that brought nothing good"
            yield Sample("seeder_origin_failures_total", text, self._faults[fault], {"fault": fault.value})
        yield Sample("seeder_stale_total", "Timestamps given out while the store was away", self._counts["stale"])
        yield Sample("seeder_cache_damaged_total", "Cached files that were torn or rotten", self._counts["damaged"])
        yield Sample("seeder_cache_write_errors_total", "Objects the disk did not take", self._counts["write_errors"])
        for tier, cache in (("memory", self._in_memory), ("disk", self._on_disk)):
            yield Sample("seeder_evictions_total", "Objects evicted", cache.evictions, {"tier": tier})
        for tier, cache in (("memory", self._in_memory), ("disk", self._on_disk)):
            yield Sample("seeder_cache_bytes", "Bytes held", cache.bytes_held, {"tier": tier})
        for tier, cache in (("memory", self._in_memory), ("disk", self._on_disk)):
            yield Sample("seeder_cache_objects", "Objects held", len(cache), {"tier": tier})
        yield Sample("seeder_flights", "Fetches under way or waiting their turn", len(self._flights))

    def _admit_found(self, path: str, size: int) -> list[str]:
        """What must be removed because this file was found."""
        evicted = self._on_disk.admit(path, size)
        return [path] if evicted is None else evicted

    def _from_memory(self, path: str) -> bytes | None:
        if not self._in_memory.touch(path):
            return None
        self._on_disk.touch(path)
        data = self._memory[path]
        self._counts["memory_hit_bytes"] += len(data)
        return data

    async def _get_timestamp(self, asked: Resource, now: float) -> bytes | Failure:
        fetched_at, data = self._timestamp
        if now - fetched_at < FRESH_S:
            self._counts["memory_hit_bytes"] += len(data)
            return data
        failure = self._failures.recall(asked.path, now)
        result = failure or await self._flights.share(asked.path, partial(self._fetch_timestamp, asked))
        if isinstance(result, Failure) and result.fault is Fault.UNAVAILABLE and data:
            self._counts["stale"] += 1
            return data
        return result

    async def _fetch_timestamp(self, asked: Resource) -> bytes | Failure:
        now = trio.current_time()
        result = await self._fetch(asked)
        if not isinstance(result, Failure):
            self._timestamp = (now, result)
        return result

    async def _load(self, asked: Resource) -> bytes | Failure:
        """What a flight does."""
        data = await self._from_disk(asked)
        if data is not None:
            self._remember(asked.path, data)
            return data
        result = await self._fetch(asked)
        if not isinstance(result, Failure):
            self._remember(asked.path, result)
            if asked.kind in (Kind.CHUNK, Kind.MANIFEST):  # what has no digest could not be checked when read again
                await self._to_disk(asked.path, result)
        return result

    def _remember(self, path: str, data: bytes) -> None:
        for evicted in self._in_memory.admit(path, len(data)) or ():
            del self._memory[evicted]
        if path in self._in_memory:
            self._memory[path] = data

    async def _from_disk(self, asked: Resource) -> bytes | None:
        if self._files is None or not self._on_disk.touch(asked.path):
            return None
        self._on_disk.pin(asked.path)
        try:
            data = await self._world.run_blocking(self._files.read, asked, self._on_disk.size(asked.path))
        finally:
            self._on_disk.unpin(asked.path)
        if data is None:
            self._counts["damaged"] += 1
            self._on_disk.remove(asked.path)
            return None
        self._counts["disk_hit_bytes"] += len(data)
        return data

    async def _to_disk(self, path: str, data: bytes) -> None:
        if self._files is None or (evicted := self._on_disk.admit(path, len(data))) is None:
            return
        try:
            await self._world.run_blocking(self._files.replace, evicted, path, data)
        except OSError:
            # a full or sick disk costs a second fetch, not the service
            self._counts["write_errors"] += 1
            self._on_disk.remove(path)

    async def _fetch(self, asked: Resource) -> bytes | Failure:
        self._counts["origin_requests"] += 1
        result = await self._world.run_blocking(_fetch_verified, self._blobs, asked)
        if isinstance(result, Failure):
            self._faults[result.fault] += 1
            self._failures.remember(asked.path, result, trio.current_time())
        else:
            self._counts["origin_bytes"] += len(result)
        return result


def _fetch_verified(blobs: Blobs, asked: Resource) -> bytes | Failure:
    try:
        data = blobs.get(asked.path, max_bytes=BYTES_MAX[asked.kind])
    except NoSuchBlobError:
        return Failure(Fault.MISSING, "the blob store has no such object")
    except StoreError as error:
        return Failure(Fault.UNAVAILABLE, str(error))
    fault = asked.fault(data)
    return Failure(Fault.CORRUPT, f"the blob store holds {fault}") if fault else data
