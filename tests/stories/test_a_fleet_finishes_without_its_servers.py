"""Promise: whichever server is gone, hosts go on with what they have, and say what they wait for."""

import dataclasses
import functools
import operator

import trio
import trio.testing

from tests.stories.fleet import GLOBAL, Fleet, visible
from tests.stories.publisher import Release, changed, make_files
from tests.stories.services import Host

SLOW_BYTES_PER_S = 400_000


async def half_way(fleet: Fleet, release: Release, hosts: list[Host]) -> None:
    """All pieces are out, and no host has all of them."""

    def spread() -> bool:
        held = functools.reduce(operator.or_, (host.pieces(release) for host in hosts))
        return held.bit_count() == release.manifest.pieces

    await fleet.deploy(release.name)
    await fleet.until(spread)
    assert not any(host.runs(release.name) for host in hosts)


async def test_an_incomplete_fleet_finishes_from_peers_when_the_seeder_is_gone(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    hosts = await fleet.hosts(4, download_bytes_per_s=SLOW_BYTES_PER_S)
    await half_way(fleet, release, hosts)
    await fleet.seeder.stop()
    await fleet.until_running("shop@1", hosts)
    assert all(visible(host) == release.files for host in hosts)


async def test_when_a_piece_is_nowhere_the_status_says_what_is_waited_for(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: 0 < host.present_bytes(release) < release.size_bytes / 2)
    await fleet.seeder.stop()
    nobody = "a peer: none is known that has this release; no HTTP origin answers"
    await trio.sleep(20)
    # The origin is asked again every ten seconds; for as long as that takes, its answer is what is waited for.
    await fleet.until(lambda: host.service()["waits_for"] == nobody, within_s=5)
    (download,) = (await host.ask("status"))["downloads"]
    assert download["waits_for"] == nobody


async def test_when_the_seeder_is_back_the_wait_is_over(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: 0 < host.present_bytes(release) < release.size_bytes / 2)
    await fleet.seeder.stop()
    await trio.sleep(60)
    await fleet.seeder.start()
    await fleet.until_running("shop@1", [host], within_s=90)


async def test_hosts_finish_and_keep_running_without_their_regions_tracker(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    hosts = await fleet.hosts(4, download_bytes_per_s=SLOW_BYTES_PER_S)
    await half_way(fleet, release, hosts)
    await fleet.region.stop()
    await fleet.until_running("shop@1", hosts)
    assert all(visible(host) == release.files for host in hosts)


async def test_hosts_finish_when_tracker_and_seeder_are_both_gone(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    hosts = await fleet.hosts(4, download_bytes_per_s=SLOW_BYTES_PER_S)
    await half_way(fleet, release, hosts)
    await fleet.region.stop()
    await fleet.globally.stop()
    await fleet.seeder.stop()
    await fleet.until_running("shop@1", hosts)


async def test_a_region_serves_its_copy_of_the_goals_when_the_global_tracker_is_gone(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    await fleet.deploy("shop@1")
    await trio.sleep(1)
    await fleet.globally.stop()
    await fleet.region.stop()
    await fleet.region.start()
    hosts = await fleet.hosts(2)
    await fleet.until_running("shop@1", hosts)


async def test_a_deploy_reaches_hosts_after_a_partition_from_the_global_tracker_heals(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    hosts = await fleet.hosts(2)
    fleet.network.partition(GLOBAL, "desk")
    await fleet.deploy("shop@1")
    await trio.sleep(60)
    assert not any(host.runs("shop@1") for host in hosts)
    fleet.network.heal()
    await fleet.until_running("shop@1", hosts)


async def test_a_host_that_restarts_without_any_server_keeps_running_what_it_ran(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    for service in (fleet.region, fleet.globally, fleet.seeder):
        await service.stop()
    await host.kill()
    await host.start()
    await trio.sleep(60)
    assert host.runs("shop@1")
    assert visible(host) == release.files


async def test_a_shield_without_a_peer_door_is_found_however_late_it_comes(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(release) > 0)
    await fleet.seeder.stop()
    await trio.sleep(120)
    await host.kill()
    await fleet.region.stop()
    await fleet.region.start()
    await host.start()
    await trio.sleep(60)
    fleet.seeder.config = dataclasses.replace(fleet.seeder.config, listen="")
    await fleet.seeder.start()
    await fleet.until_running("shop@1", [host], within_s=120)


async def test_a_manifest_that_nobody_had_is_fetched_from_the_first_shield_that_comes(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    second = fleet.publish("shop@2", changed(make_files()))
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    for service in (host, fleet.seeder, fleet.region):
        await service.stop()
    await fleet.region.start()
    await host.start()
    await fleet.deploy("shop@2")
    await fleet.until(lambda: host.service()["waits_for"].startswith("the manifest: no peer gives it"))
    fleet.seeder.config = dataclasses.replace(fleet.seeder.config, listen="")
    await fleet.seeder.start()
    await fleet.until_running("shop@2", [host])
    assert visible(host) == second.files
