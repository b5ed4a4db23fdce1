"""A world in memory and virtual time for the seeder, and a blob store that counts what it is asked."""

from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import trio
from blake3 import blake3

from manifests.blobs import BlobStore, chunk_path
from manifests.errors import StoreError
from p2pd.world import Args, T, World
from p2pd.world.disk import Disk
from p2pd.world.http import client
from p2pd.world.network import Network
from p2pd.world.processes import Exit
from tests.fakes.disk import MemoryDisk
from tests.fakes.network import MemoryNetwork

JOB_S = 0.05
"""Virtual seconds that every blocking job takes."""


class CountingStore(BlobStore):
    """A blob store in memory. `gets`: how often each path was asked for; `away`: it does not answer."""

    def __init__(self) -> None:
        super().__init__("memory:///")
        self.gets: Counter[str] = Counter()
        self.away = False

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes:
        self.gets[path] += 1
        if self.away:
            raise StoreError("the store is away")
        return super().get(path, max_bytes=max_bytes)

    def put_chunk(self, data: bytes) -> str:
        """Its path."""
        path = chunk_path(blake3(data).digest())
        self.put(path, data)
        return path


class NoProcesses:
    """A seeder starts none."""

    async def run(self, argv: tuple[str, ...], directory: str, environment: dict[str, str], timeout_s: float) -> Exit:
        raise AssertionError(f"a seeder started {argv}")


class Jobs:
    """`RunBlocking` inline, each job charged with `JOB_S`."""

    def __call__(self, function: Callable[[*Args], T], *args: *Args) -> Awaitable[T]:
        return self._run(function, *args)

    async def _run(self, function: Callable[[*Args], T], *args: *Args) -> T:
        await trio.sleep(JOB_S)
        return function(*args)


def world_of(network: Network | None = None, disk: Disk | None = None) -> World:
    """A world in memory."""
    network = network or MemoryNetwork().host("seeder")
    return World(
        network=network,
        disk=disk or MemoryDisk(),
        processes=NoProcesses(),
        http=lambda: client(network),
        utc_now=lambda: 1_700_000_000.0 + trio.current_time(),
        rng=Random(1),
        run_blocking=Jobs(),
    )
