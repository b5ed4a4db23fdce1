"""Promise: a full disk loses nothing; the status says so, and when there is room the host goes on by itself."""

import errno

import trio
import trio.testing

from tests.fakes.disk import MemoryDisk
from tests.stories.fleet import Fleet, visible
from tests.stories.publisher import Release, changed, make_files
from tests.stories.services import Host

SLOW_BYTES_PER_S = 400_000


class NoRoomForJournals(MemoryDisk):
    """Full for whoever writes to a journal, once `full`."""

    full = False

    def write(self, path: str, offset: int, data: bytes | memoryview) -> None:
        """OSError(ENOSPC)."""
        if self.full and "/journals/" in path:
            raise OSError(errno.ENOSPC, "no room", path)
        super().write(path, offset, data)


async def half_way_on_a_disk_that_fills_up(fleet: Fleet, release: Release) -> Host:
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy(release.name)
    await fleet.until(lambda: host.present_bytes(release) > release.size_bytes / 3)
    host.disk.capacity_bytes = 1 << 40
    host.disk.capacity_bytes -= host.disk.free_bytes("/")
    await trio.sleep(30)
    return host


async def test_a_release_that_does_not_fit_is_blocked_and_says_how_much_to_free(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    host = fleet.host("small")
    host.disk.capacity_bytes = 1_000_000
    await host.start()
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.state() == "BLOCKED")
    assert host.service()["error"].startswith("no room at /srv/shop/releases: free at least ")
    host.disk.capacity_bytes = 10_000_000
    await fleet.until_running("shop@1", [host], within_s=150)


async def test_a_disk_that_fills_up_keeps_what_it_has_and_says_so(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    host = await half_way_on_a_disk_that_fills_up(fleet, release)
    before = host.present_bytes(release)
    await trio.sleep(120)
    assert host.present_bytes(release) == before > 0
    assert "no room at" in host.service()["waits_for"]
    assert host.disk.stat("/srv/shop/current") is None


async def test_a_download_goes_on_by_itself_when_there_is_room(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    host = await half_way_on_a_disk_that_fills_up(fleet, release)
    await trio.sleep(120)
    host.disk.capacity_bytes = None
    await fleet.until_running("shop@1", [host], within_s=60)
    assert visible(host) == release.files


async def test_a_full_disk_does_not_make_a_host_fetch_in_vain(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    host = await half_way_on_a_disk_that_fills_up(fleet, release)
    before = host.meter.received_bytes
    await trio.sleep(120)
    assert host.meter.received_bytes - before < release.size_bytes


async def test_what_runs_goes_on_running_on_a_full_disk(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    fleet.publish("shop@1")
    fleet.publish("shop@2", changed(make_files()))
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    host.disk.capacity_bytes = 0
    await fleet.deploy("shop@2")
    await trio.sleep(120)
    assert visible(host) == make_files()
    host.disk.capacity_bytes = None
    await fleet.until_running("shop@2", [host], within_s=150)


async def test_a_journal_that_can_not_be_written_stops_neither_the_daemon_nor_its_end(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    disk = NoRoomForJournals()
    host = fleet.host("full", disk, download_bytes_per_s=SLOW_BYTES_PER_S)
    await host.start()
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(release) > release.size_bytes / 3)
    disk.full = True
    await trio.sleep(120)
    assert "no room at" in host.service()["waits_for"]
    await host.stop()
    disk.full = False
    await host.start()
    await fleet.until_running("shop@1", [host])
    assert visible(host) == release.files
