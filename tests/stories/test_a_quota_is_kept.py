"""Promise: releases take no more of a disk than their owner allows, and nothing that is needed goes for room."""

import trio
import trio.testing

from p2pd.config import ServiceConfig
from p2pd.patching.config import PatchingConfig
from tests.stories.fleet import Fleet, visible
from tests.stories.packing import edited, publish_packed
from tests.stories.publisher import Release, make_files
from tests.stories.services import Host

FILES = 4


def release_of(fleet: Fleet, number: int, service: str = "shop") -> Release:
    """All of about one size, none like another."""
    return fleet.publish(f"{service}@{number}", make_files(10 + number + len(service), files=FILES))


def quota_for(release: Release, times: float) -> int:
    """Room for so many of these."""
    return round(times * release.size_bytes)


async def running(fleet: Fleet, host: Host, *releases: Release) -> None:
    """One after the other."""
    for release in releases:
        await fleet.deploy(release.name, release.name.partition("@")[0])
        await fleet.until(lambda release=release: host.runs(release.name, release.name.partition("@")[0]))  # type: ignore[misc]
        await trio.sleep(1)


def kept(host: Host) -> list[str]:
    """Releases in its store."""
    assert host.daemon is not None
    return sorted(one.manifest.release for one in host.daemon.store.artifacts.values())


def plenty(**settings: object) -> dict[str, ServiceConfig]:
    """It would keep many, if it might."""
    return {"shop": ServiceConfig(keep_releases=9, **settings)}  # type: ignore[arg-type]


async def test_what_was_used_longest_ago_makes_room(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    releases = [release_of(fleet, number) for number in (1, 2, 3, 4)]
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(releases[0], 3.5), services=plenty())
    await running(fleet, host, *releases)
    assert kept(host) == ["shop@2", "shop@3", "shop@4"]


async def test_what_many_others_hold_goes_before_what_nobody_else_has(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    releases = [release_of(fleet, number) for number in (1, 2, 3, 4, 5)]
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(releases[0], 4.5), services=plenty())
    await running(fleet, host, *releases[:4])
    await fleet.claim(releases[1], "ann", "bob", "cid")
    await running(fleet, host, releases[4])
    assert kept(host) == ["shop@1", "shop@3", "shop@4", "shop@5"]


async def test_a_pinned_release_stays(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    releases = [release_of(fleet, number) for number in (1, 2, 3, 4, 5)]
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(releases[0], 4.5), services=plenty(pinned=("1",)))
    await running(fleet, host, *releases)
    assert kept(host) == ["shop@1", "shop@3", "shop@4", "shop@5"]


async def test_what_is_known_of_use_survives_a_restart(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    releases = [release_of(fleet, number) for number in (1, 2, 3, 4)]
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(releases[0], 3.5), services=plenty())
    await running(fleet, host, *releases[:3])
    await host.stop()
    await host.start()
    await running(fleet, host, releases[3])
    assert kept(host) == ["shop@2", "shop@3", "shop@4"]


async def test_a_release_for_which_there_is_no_room_is_refused_before_a_byte_of_it_comes(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    releases = [release_of(fleet, number) for number in (1, 2, 3)]
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(releases[0], 2.5), services=plenty())
    await running(fleet, host, *releases[:2])
    before = host.meter.received_bytes
    await fleet.deploy("shop@3")
    await fleet.until(lambda: host.state() == "BLOCKED")
    assert "the quota of" in host.service()["error"]
    assert host.service()["error"].endswith("is never deleted)")
    assert host.meter.received_bytes - before < releases[2].size_bytes / 10
    assert kept(host) == ["shop@1", "shop@2"]  # what runs, and what it would go back to
    assert visible(host) == releases[1].files
    assert host.releases() == sorted(host.releases(), key=lambda name: name.startswith("."))
    assert not any(name.startswith(".staging") for name in host.releases())


async def test_the_running_release_of_another_service_makes_no_room(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    shop, blog = release_of(fleet, 1), release_of(fleet, 1, "blog")
    services = {"shop": ServiceConfig(), "blog": ServiceConfig()}
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(shop, 1.5), services=services)
    await running(fleet, host, shop)
    await fleet.deploy(blog.name, "blog")
    await fleet.until(lambda: host.state("blog") == "BLOCKED")
    assert kept(host) == ["shop@1"]


async def test_a_full_disk_makes_room_as_a_quota_does(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    releases = [release_of(fleet, number) for number in (1, 2, 3, 4)]
    (host,) = await fleet.hosts(1, services=plenty())
    await running(fleet, host, *releases[:3])
    host.disk.capacity_bytes = 1 << 40
    host.disk.capacity_bytes -= host.disk.free_bytes("/") - releases[0].size_bytes // 2
    await running(fleet, host, releases[3])
    assert kept(host) == ["shop@2", "shop@3", "shop@4"]


async def test_the_status_tells_what_is_taken_and_what_could_go(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    releases = [release_of(fleet, number) for number in (1, 2, 3)]
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(releases[0], 3.5), services=plenty())
    await running(fleet, host, *releases)
    disk = (await host.ask("status"))["disk"]
    assert disk["taken_bytes"] == sum(one.size_bytes for one in releases)
    assert disk["spare_bytes"] == releases[0].size_bytes
    assert disk["quota_bytes"] == quota_for(releases[0], 3.5)


def packs_of(host: Host) -> int:
    """Bytes of packs on its disk, as far as they may grow."""
    assert host.daemon is not None
    return sum(one.manifest.size for one in host.daemon.downloads.patching.shelf.store.artifacts.values())


async def test_a_pack_counts_and_makes_room_before_any_release_does(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first = release_of(fleet, 1)
    second, (pack,) = publish_packed(fleet, "shop@2", edited(first.files, edit_bytes=4_000), first)
    third = release_of(fleet, 3)
    releases_bytes = sum(one.size_bytes for one in (first, second, third))
    (host,) = await fleet.hosts(
        1,
        quota_bytes=releases_bytes + pack.size // 2,
        services=plenty(),
        patching=PatchingConfig(keep_s=86_400.0),
    )
    await running(fleet, host, first, second)
    disk = (await host.ask("status"))["disk"]
    assert disk["taken_bytes"] == first.size_bytes + second.size_bytes + pack.size
    assert disk["spare_bytes"] == packs_of(host) == pack.size
    await running(fleet, host, third)
    assert (kept(host), packs_of(host)) == (["shop@1", "shop@2", "shop@3"], 0)


async def test_a_pack_for_which_there_is_no_room_is_not_taken(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first = release_of(fleet, 1)
    second, _ = publish_packed(fleet, "shop@2", edited(first.files, edit_bytes=4_000), first)
    (host,) = await fleet.hosts(1, quota_bytes=quota_for(first, 2.001), services=plenty())
    await running(fleet, host, first, second)
    assert packs_of(host) == 0
    assert host.daemon is not None
    assert set(host.daemon.store.artifacts[second.digest].bytes_by_source) <= {"region", "shield", "origin", "local"}
