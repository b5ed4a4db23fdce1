"""Promise: on a LAN the second machine takes a release from the first, though no tracker told of it."""

from typing import Any

import trio
import trio.testing

from manifests.names import parse_release
from sim.net.lan import Segment
from tests.stories.fleet import SEEDER, Fleet
from tests.stories.publisher import Release, make_files
from tests.stories.services import Host

AT_HOME: dict[str, Any] = {"lan_discovery": True, "trackers": (), "origins": (f"http://{SEEDER}",), "services": {}}
METADATA_BYTES_MAX = 10_000
"""Who vouches for a release is asked of the repository, not of neighbours."""


async def take(host: Host, release: Release) -> None:
    """Fetch it as `p2pd get` does."""
    assert host.daemon is not None
    approved = await host.daemon.resolver.resolve(parse_release(release.name))
    with trio.fail_after(60):
        await host.daemon.downloads.fetch(approved, f"/srv/{host.name}/{release.name}")


async def two_at_home(fleet: Fleet, **settings: object) -> tuple[Release, Host, Host]:
    """The first has the release already; the second is just there."""
    release = fleet.publish("shop@1", make_files(1))
    segment = Segment()
    first, second = fleet.host("first", **AT_HOME), fleet.host("second", **AT_HOME | settings)
    for host in (first, second):
        host.lan = segment
        await host.start()
    await take(first, release)
    return release, first, second


async def test_the_second_machine_takes_all_from_the_first(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release, first, second = await two_at_home(fleet)
    sent_bytes = fleet.seeder.sent_bytes
    await take(second, release)
    assert first.daemon is not None
    assert first.daemon.exchange.bytes_sent == release.manifest.size
    assert fleet.seeder.sent_bytes - sent_bytes < METADATA_BYTES_MAX


async def test_they_find_each_other_within_two_seconds(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release, _, second = await two_at_home(fleet)
    begun = trio.current_time()
    await take(second, release)
    assert trio.current_time() - begun < 2


async def test_who_came_first_serves_a_release_that_came_later(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    _, first, second = await two_at_home(fleet)
    later = fleet.publish("shop@2", make_files(2, files=4))
    await take(second, later)
    sent_bytes = fleet.seeder.sent_bytes
    await trio.sleep(1)
    await take(first, later)
    assert fleet.seeder.sent_bytes - sent_bytes < METADATA_BYTES_MAX


async def test_discovery_can_be_switched_off(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release, first, second = await two_at_home(fleet, lan_discovery=False)
    await take(second, release)
    assert first.daemon is not None
    assert first.daemon.exchange.bytes_sent == 0
