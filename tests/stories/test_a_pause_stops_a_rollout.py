"""Promise: a pause stops a rollout at once, until it is resumed, and never stands in a rollback's way."""

from typing import Any

import trio
import trio.testing

from tests.stories.fleet import GLOBAL, Fleet
from tests.stories.publisher import make_files
from tests.stories.services import Host
from tracker.client import connect

SLOW_BYTES_PER_S = 100_000
Clock = trio.testing.MockClock


async def pause(fleet: Fleet, **options: Any) -> None:
    async with connect(fleet.network.host("desk"), f"{GLOBAL}:1", by="alice") as operator:
        await operator.pause(**options)


async def resume(fleet: Fleet, **options: Any) -> None:
    async with connect(fleet.network.host("desk"), f"{GLOBAL}:1", by="alice") as operator:
        await operator.resume(**options)


async def running(fleet: Fleet, **settings: Any) -> Host:
    """A host that runs shop@1; shop@2 is there to be had."""
    fleet.publish("shop@1", make_files(files=2))
    fleet.publish("shop@2", make_files(rng_seed=9, files=4))
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    if settings:
        await host.stop()
        host.configure(**settings)
        await host.start()
    return host


async def test_a_host_that_is_told_of_a_paused_release_fetches_nothing_of_it(
    autojump_clock: Clock, fleet: Fleet
) -> None:
    host = await running(fleet)
    await pause(fleet, service="shop", reason="errors")
    await fleet.deploy("shop@2")
    await trio.sleep(60)
    assert host.runs("shop@1") is False
    assert (host.state(), host.service()["running_release"]) == ("CHECKING", "shop@1")
    assert host.service()["waits_for"] == "shop paused everywhere by alice: errors"
    assert [name for name in host.releases() if name.startswith("2-")] == []
    await resume(fleet, service="shop")
    await fleet.until_running("shop@2", [host])


async def test_a_download_under_way_stops_and_goes_on_where_it_was(autojump_clock: Clock, fleet: Fleet) -> None:
    host = await running(fleet, download_bytes_per_s=SLOW_BYTES_PER_S)
    release = fleet.publishing.publish("shop@3", make_files(rng_seed=3, files=4))
    await fleet.deploy("shop@3")
    await fleet.until(lambda: host.present_bytes(release) > 0)
    await pause(fleet)
    await trio.sleep(1)
    stopped_at = host.present_bytes(release)
    await trio.sleep(60)
    assert host.present_bytes(release) == stopped_at < release.manifest.size
    await resume(fleet)
    await fleet.until_running("shop@3", [host])
    assert host.daemon is not None
    artifact = host.daemon.store.artifacts[release.digest]
    assert sum(artifact.bytes_by_source.values()) <= release.manifest.size * 1.1


async def test_a_pause_of_another_region_or_service_stops_nobody_here(autojump_clock: Clock, fleet: Fleet) -> None:
    host = await running(fleet)
    await pause(fleet, scope="us")
    await pause(fleet, service="db")
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])


async def test_what_is_paused_can_be_rolled_back(autojump_clock: Clock, fleet: Fleet) -> None:
    host = await running(fleet)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    await pause(fleet, service="shop")
    await fleet.rollback()
    await fleet.until_running("shop@1", [host])


async def test_a_paused_host_that_is_restarted_stays_so_without_any_tracker(
    autojump_clock: Clock, fleet: Fleet
) -> None:
    host = await running(fleet)
    await pause(fleet, service="shop")
    await fleet.deploy("shop@2")
    await trio.sleep(5)
    for service in (fleet.globally, fleet.region):
        await service.stop()
    await host.kill()
    await host.start()
    await trio.sleep(120)
    assert host.state() == "CHECKING"
    assert host.service()["waits_for"] == "shop paused everywhere by alice"


async def test_a_region_s_tracker_that_lost_all_can_not_end_a_pause(autojump_clock: Clock, fleet: Fleet) -> None:
    host = await running(fleet)
    await pause(fleet, service="shop")
    await fleet.deploy("shop@2")
    await trio.sleep(5)
    for service in (fleet.globally, fleet.region):
        await service.stop()
    fleet.region.path += ".new"
    await fleet.region.start()
    await trio.sleep(120)
    assert (host.state(), host.service()["running_release"]) == ("CHECKING", "shop@1")


async def test_a_new_host_gets_nothing_while_all_is_paused(autojump_clock: Clock, fleet: Fleet) -> None:
    await running(fleet)
    await pause(fleet)
    await fleet.deploy("shop@2")
    late = fleet.host("late")
    await late.start()
    await trio.sleep(60)
    assert late.disk.stat("/srv/shop/current") is None
    await resume(fleet)
    await fleet.until_running("shop@2", [late])
