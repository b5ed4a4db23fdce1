"""Promise: however and whenever a host goes down, what it had verified is not fetched again."""

from random import Random

import pytest
import trio
import trio.testing

from p2pd.store import StoreInUseError
from tests.stories.fleet import Fleet, visible
from tests.stories.publisher import Release, changed, make_files
from tests.stories.services import Host

SLOW_BYTES_PER_S = 400_000
OVERHEAD = 1.10
"""Frames, messages and metadata on top of pieces, and the few that came from two sources at once."""
CONTROL_BYTES = 60_000


def whole_or_absent(host: Host, *releases: Release) -> bool:
    """What `current` shows, if anything, is one of these releases, whole."""
    return host.disk.stat("/srv/shop/current") is None or visible(host) in [release.files for release in releases]


async def test_after_kill_9_in_mid_download_nothing_verified_is_fetched_again(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(release) > release.size_bytes / 2)
    await host.kill()
    present, received = host.present_bytes(release), host.meter.received_bytes
    await host.start()
    await fleet.until_running("shop@1", [host])
    assert host.meter.received_bytes - received <= OVERHEAD * (release.size_bytes - present) + CONTROL_BYTES
    assert visible(host) == release.files


async def test_killed_again_and_again_a_host_fetches_each_piece_once(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    rng = Random(5)
    host = fleet.host("unlucky", download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    fetched = 0
    while True:
        await host.start()
        before = host.present_bytes(release)
        with trio.move_on_after(rng.uniform(0.8, 2.0)):
            await fleet.until_running("shop@1", [host])
            break
        await host.kill()
        fetched += host.present_bytes(release) - before
        assert whole_or_absent(host, release)
    assert visible(host) == release.files
    assert fetched + release.size_bytes - before == release.size_bytes
    assert host.meter.received_bytes < 1.5 * release.size_bytes


@pytest.mark.parametrize("rng_seed", range(6))
async def test_a_power_cut_at_any_step_of_the_disk_leaves_a_release_whole_or_absent(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, rng_seed: int
) -> None:
    rng = Random(rng_seed)
    first = fleet.publish("shop@1")
    second = fleet.publish("shop@2", changed(make_files()))
    host = fleet.host("unlucky", download_bytes_per_s=20 * SLOW_BYTES_PER_S)
    for release in (first, second):
        await fleet.deploy(release.name)
        for _ in range(3):
            await host.start()
            host.disk.power_cut_after(rng.randrange(150))
            await host.ended(within_s=10)
            await host.crash(rng)
            assert whole_or_absent(host, first, second)
        await host.start()
        await fleet.until_running(release.name, [host], within_s=150)
        assert visible(host) == release.files
        await host.stop()


async def test_after_a_power_cut_only_what_was_lost_is_fetched_again(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1", make_files(files=30))
    (host,) = await fleet.hosts(1, download_bytes_per_s=80_000)  # longer than a checkpoint's interval
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(release) > release.size_bytes * 0.8)
    await host.crash()
    await host.start()
    found, received = host.present_bytes(release), host.meter.received_bytes
    assert found > 0
    await fleet.until_running("shop@1", [host])
    assert host.meter.received_bytes - received <= OVERHEAD * (release.size_bytes - found) + CONTROL_BYTES


async def test_two_daemons_on_one_directory_are_refused(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    (host,) = await fleet.hosts(1)
    second = fleet.host("second", state_directory=host.config.state_directory)
    second.disk = host.disk
    with pytest.RaisesGroup(StoreInUseError, flatten_subgroups=True, allow_unwrapped=True):
        async with trio.open_nursery() as nursery:
            second.nursery = nursery
            await second.start()
    assert host.daemon is not None
