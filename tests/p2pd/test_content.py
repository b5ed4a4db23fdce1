"""The store behind the exchange: what lies in memory is served without a worker."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
import trio

from manifests.entries import FILE, Entry
from manifests.errors import DigestMismatchError
from p2pd.content import AT_ONCE_BYTES_MAX, StoreContent
from p2pd.exchange import StorageError
from p2pd.exchange.content import Arrived
from p2pd.patching.smallpacks import SmallPacks
from p2pd.store import Artifact, Store
from p2pd.world import Args, T
from tests.fakes.disk import MemoryDisk
from tests.fakes.network import MemoryNetwork
from tests.fakes.world import memory_world, run_inline
from tests.p2pd.store.releases import DESTINATION, Release, cut, install, noise, opened, sample


class WarmDisk(MemoryDisk):
    """All that it holds is in memory, as the machine's page cache may be."""

    def read_cached(self, path: str, offset: int, length: int) -> bytes | None:
        return self.read(path, offset, length)


@dataclass
class Workers:
    """Counts the jobs that it is given."""

    jobs: list[str] = field(default_factory=list)

    def __call__(self, function: Callable[[*Args], T], *args: *Args) -> Awaitable[T]:
        self.jobs.append(function.__name__)
        return run_inline(function, *args)


@dataclass
class Kept:
    """A release in a store, and who reads it."""

    content: StoreContent
    artifact: Artifact
    store: Store
    workers: Workers


def keep(disk: MemoryDisk, release: Release, *, bare: bool = False) -> Kept:
    """Installed, nothing read yet; `bare`: nothing fetched yet."""
    store, workers = opened(disk), Workers()
    world = replace(memory_world(MemoryNetwork().host("here"), disk=disk), run_blocking=workers)
    artifact = store.add(release.encoded, DESTINATION) if bare else install(store, release)
    return Kept(StoreContent(world, store, small=SmallPacks(60.0, trio.current_time)), artifact, store, workers)


@pytest.mark.parametrize(("disk", "jobs"), [(WarmDisk(), []), (MemoryDisk(), ["read_piece"])], ids=["warm", "cold"])
async def test_only_what_a_disk_is_waited_for_takes_a_worker(disk: MemoryDisk, jobs: list[str]) -> None:
    release = sample()
    kept = keep(disk, release)
    assert await kept.content.read_piece(kept.artifact.swarm, 3) == release.data[3]
    assert kept.workers.jobs == jobs


async def test_a_large_piece_is_a_workers_wherever_it_lies() -> None:
    size = AT_ONCE_BYTES_MAX + 1
    release = cut([Entry("image", FILE, size=size)], noise("image", size), is_tree=False, piece_bytes=size)
    kept = keep(WarmDisk(), release)
    assert await kept.content.read_piece(kept.artifact.swarm, 0) == release.data[0]
    assert kept.workers.jobs == ["read_piece"]


async def test_what_is_damaged_in_memory_is_not_served_and_known_to_be_lost() -> None:
    disk = WarmDisk()
    kept = keep(disk, sample())
    path = kept.artifact.file_path(1)
    disk.set_attributes(path, 0o644, 0)
    disk.write(path, 0, b"spoiled")
    assert await kept.content.read_piece(kept.artifact.swarm, 0) is None
    assert kept.artifact.lost == [0]


async def test_pieces_are_kept_in_one_job_and_what_became_of_each_is_told() -> None:
    release = sample()
    kept = keep(MemoryDisk(), release, bare=True)
    said = await kept.content.write_pieces(
        kept.artifact.swarm,
        [Arrived(3, release.data[3], "lan"), Arrived(1, release.data[2], "lan"), Arrived(2, release.data[2], "zone")],
    )
    assert [type(one) for one in said] == [type(None), DigestMismatchError, type(None)]
    assert [piece for piece in range(kept.artifact.manifest.pieces) if kept.artifact.has(piece)] == [2, 3]
    assert kept.workers.jobs == ["_write"]


async def test_of_pieces_of_a_release_that_went_each_is_said_to_have_no_place() -> None:
    kept = keep(MemoryDisk(), sample(), bare=True)
    said = await kept.content.write_pieces(b"another swarm", [Arrived(3, b"", "lan")] * 2)
    assert [type(one) for one in said] == [StorageError, StorageError]


async def test_what_is_missing_is_not_looked_for() -> None:
    kept = keep(WarmDisk(), sample())
    kept.artifact.mark_lost(3)
    assert kept.store.read_cached_piece(kept.artifact, 3) is None
