"""Promise: of a new release only what is new travels."""

import trio.testing

from tests.stories.fleet import Fleet, visible
from tests.stories.publisher import changed, make_files

CONTROL_BYTES = 60_000
"""Metadata, manifest and messages of one host and one release, generously."""


async def test_a_second_release_fetches_only_what_changed(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    first = make_files()
    second = changed(first)
    fleet.publish("shop@1", first)
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    release = fleet.publish("shop@2", second)
    before = host.meter.received_bytes
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    (new,) = (len(data) for name, data in second.items() if data != first[name])
    assert visible(host) == second
    assert new <= host.meter.received_bytes - before <= 1.6 * new + CONTROL_BYTES < 0.2 * release.size_bytes


async def test_a_release_that_is_on_this_disk_already_is_not_fetched_at_all(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    fleet.publish("shop@2", changed(make_files()))
    (host,) = await fleet.hosts(1)
    for release in ("shop@1", "shop@2"):
        await fleet.deploy(release)
        await fleet.until_running(release, [host])
    before = host.meter.received_bytes
    await fleet.rollback()
    await fleet.until_running("shop@1", [host])
    assert host.meter.received_bytes - before < CONTROL_BYTES
