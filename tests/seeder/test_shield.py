"""The shield: each object leaves the blob store once, and nothing unverified leaves the shield."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pd.prometheus import parse, render
from p2pd.world.disk import Disk
from seeder.shield.failures import MEMORY_S, Fault
from seeder.shield.files import CacheInUse
from seeder.shield.shield import FRESH_S, NotServed, Shield, ShieldConfig
from tests.fakes.disk import MemoryDisk

from .helpers import CountingStore, world_of

TIMESTAMP = "metadata/timestamp.json"


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@asynccontextmanager
async def shielding(
    store: CountingStore, disk: Disk | None = None, *, memory_bytes: int = 0, cache_bytes: int = 1000
) -> AsyncIterator[Shield]:
    """A shield with no memory tier unless asked for, so that the disk is felt."""
    async with trio.open_nursery() as nursery:
        config = ShieldConfig("/cache" if disk else "", cache_bytes, memory_bytes)
        shield = Shield(world_of(disk=disk), store, config, nursery)
        await nursery.start(shield.open)
        yield shield
        nursery.cancel_scope.cancel()


async def fault(shield: Shield, path: str) -> Fault:
    with pytest.raises(NotServed) as caught:
        await shield.get(path)
    return caught.value.failure.fault


def numbers(shield: Shield) -> dict[str, float]:
    return parse(render(shield.samples()))


async def test_an_object_leaves_the_store_once_however_many_ask_at_once(
    store: CountingStore, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store) as shield, trio.open_nursery() as askers:
        for _ in range(200):
            askers.start_soon(shield.get, path)
    assert store.gets[path] == 1


async def test_a_fetch_survives_the_asker_who_began_it(store: CountingStore, autojump_clock: MockClock) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store, memory_bytes=100) as shield:
        with trio.move_on_after(0.01):
            await shield.get(path)
        assert await shield.get(path) == b"data"
    assert store.gets[path] == 1


async def test_what_memory_holds_takes_no_time(store: CountingStore, autojump_clock: MockClock) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store, memory_bytes=100) as shield:
        await shield.get(path)
        before = trio.current_time()
        await shield.get(path)
        assert trio.current_time() == before


async def test_what_the_disk_holds_is_not_fetched_again(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store, disk) as shield:
        assert [await shield.get(path), await shield.get(path)] == [b"data", b"data"]
        assert numbers(shield)['seeder_hit_bytes_total{tier="disk"}'] == 4
    assert store.gets[path] == 1


async def test_the_disk_tier_outlives_a_restart(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store, disk) as shield:
        await shield.get(path)
    async with shielding(store, disk) as shield:
        assert await shield.get(path) == b"data"
    assert store.gets[path] == 1


async def test_a_rotten_file_is_fetched_again_and_counted(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store, disk) as shield:
        await shield.get(path)
        disk.corrupt(f"/cache/{path}", 1)
        assert await shield.get(path) == b"data"
        assert numbers(shield)["seeder_cache_damaged_total"] == 1
        assert await shield.get(path) == b"data"
    assert store.gets[path] == 2


async def test_a_file_that_a_crash_tore_is_fetched_again(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store, disk) as shield:
        await shield.get(path)
    disk.truncate(f"/cache/{path}", 2)
    async with shielding(store, disk) as shield:
        assert await shield.get(path) == b"data"


async def test_what_does_not_belong_in_the_cache_is_removed_at_the_start(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    disk.make_directories("/cache/chunks/ab")
    disk.create("/cache/chunks/ab/stray", 1)
    async with shielding(store, disk):
        assert disk.list_directory("/cache/chunks/ab") == []


async def test_the_cache_directory_holds_no_more_than_it_may(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    paths = [store.put_chunk(bytes([number]) * 100) for number in range(10)]
    async with shielding(store, disk, cache_bytes=350) as shield:
        for path in paths:
            await shield.get(path)
        kept = [path for path in paths if disk.stat(f"/cache/{path}")]
        assert numbers(shield)['seeder_cache_bytes{tier="disk"}'] == 300
    assert len(kept) == 3


async def test_a_smaller_cache_than_before_is_shrunk_at_the_start(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    paths = [store.put_chunk(bytes([number]) * 100) for number in range(3)]
    async with shielding(store, disk) as shield:
        for path in paths:
            await shield.get(path)
    async with shielding(store, disk, cache_bytes=100):
        assert sum(1 for path in paths if disk.stat(f"/cache/{path}")) == 1


async def test_two_seeders_do_not_share_a_cache_directory(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    async with shielding(store, disk):
        with pytest.RaisesGroup(CacheInUse, flatten_subgroups=True):
            async with shielding(store, disk):
                raise AssertionError("it opened")


async def test_a_full_disk_costs_fetches_but_not_the_service(store: CountingStore, autojump_clock: MockClock) -> None:
    path, disk = store.put_chunk(b"data"), MemoryDisk(capacity_bytes=2)
    async with shielding(store, disk) as shield:
        assert [await shield.get(path), await shield.get(path)] == [b"data", b"data"]
        assert numbers(shield)["seeder_cache_write_errors_total"] == 2
        assert numbers(shield)["seeder_cache_damaged_total"] == 0
    assert disk.stat(f"/cache/{path}") is None


class Unwritable(MemoryDisk):
    """A disk that has gone read-only."""

    def create(self, path: str, size: int) -> None:
        raise OSError(errno.EROFS, "read-only file system", path)


async def test_a_read_only_disk_costs_fetches_but_not_the_service(
    store: CountingStore, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    async with shielding(store, Unwritable()) as shield:
        assert await shield.get(path) == b"data"


async def test_a_corrupt_object_is_never_served_and_counted(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    store.replace(path, b"DATA")
    async with shielding(store, disk, memory_bytes=100) as shield:
        assert await fault(shield, path) is Fault.CORRUPT
        assert numbers(shield)['seeder_origin_failures_total{fault="corrupt"}'] == 1
    assert disk.stat(f"/cache/{path}") is None


async def test_a_corrupt_object_is_served_soon_after_it_was_mended(
    store: CountingStore, autojump_clock: MockClock
) -> None:
    path = store.put_chunk(b"data")
    store.replace(path, b"DATA")
    async with shielding(store) as shield:
        await fault(shield, path)
        store.replace(path, b"data")
        await trio.sleep(MEMORY_S[Fault.CORRUPT])
        assert await shield.get(path) == b"data"


async def test_a_storm_for_what_is_missing_reaches_the_store_once(
    store: CountingStore, autojump_clock: MockClock
) -> None:
    path = f"manifests/{'0' * 64}"
    async with shielding(store) as shield:
        for _ in range(100):
            assert await fault(shield, path) is Fault.MISSING
    assert store.gets[path] == 1


async def test_what_was_missing_is_found_soon_after_it_was_published(
    store: CountingStore, autojump_clock: MockClock
) -> None:
    async with shielding(store) as shield:
        await fault(shield, "metadata/2.root.json")
        store.put_new("metadata/2.root.json", b"{}")
        await trio.sleep(MEMORY_S[Fault.MISSING])
        assert await shield.get("metadata/2.root.json") == b"{}"


async def test_a_path_that_can_not_be_never_reaches_the_store(store: CountingStore, autojump_clock: MockClock) -> None:
    async with shielding(store) as shield:
        assert await fault(shield, "metadata/../keys/build.pem") is Fault.MISSING
    assert not store.gets


async def test_a_timestamp_is_asked_for_once_a_second(store: CountingStore, autojump_clock: MockClock) -> None:
    store.replace(TIMESTAMP, b"1")
    async with shielding(store) as shield:
        for _ in range(40):
            await shield.get(TIMESTAMP)
            await trio.sleep(0.1)
    assert 4 <= store.gets[TIMESTAMP] <= 5


async def test_a_timestamp_is_never_older_than_a_second(store: CountingStore, autojump_clock: MockClock) -> None:
    store.replace(TIMESTAMP, b"1")
    async with shielding(store) as shield:
        await shield.get(TIMESTAMP)
        store.replace(TIMESTAMP, b"2")
        await trio.sleep(FRESH_S)
        assert await shield.get(TIMESTAMP) == b"2"


async def test_the_last_timestamp_is_given_out_while_the_store_is_away(
    store: CountingStore, autojump_clock: MockClock
) -> None:
    store.replace(TIMESTAMP, b"1")
    async with shielding(store) as shield:
        await shield.get(TIMESTAMP)
        await trio.sleep(60)
        store.away = True
        assert await shield.get(TIMESTAMP) == b"1"
        assert numbers(shield)["seeder_stale_total"] == 1


async def test_a_timestamp_that_was_never_there_is_missing(store: CountingStore, autojump_clock: MockClock) -> None:
    async with shielding(store) as shield:
        assert await fault(shield, TIMESTAMP) is Fault.MISSING


async def test_what_is_in_the_cache_is_served_while_the_store_is_away(
    store: CountingStore, disk: MemoryDisk, autojump_clock: MockClock
) -> None:
    path, other = store.put_chunk(b"data"), store.put_chunk(b"other")
    async with shielding(store, disk) as shield:
        await shield.get(path)
        store.away = True
        assert await shield.get(path) == b"data"
        assert await fault(shield, other) is Fault.UNAVAILABLE
