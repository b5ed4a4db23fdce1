"""Promise: from the operator's word to the first piece it takes less than two seconds."""

from pathlib import Path

import trio
import trio.testing

from p2pd.policy.sources import STALL_S
from tests.stories.fleet import Fleet
from tests.stories.liars import Stall, join_as_liar
from tests.stories.publisher import Release
from tests.stories.services import Host

BEGINS_S = 2.0
AT_ONCE_S = 0.5


async def first_piece_s(fleet: Fleet, release: Release, hosts: list[Host]) -> float:
    """From the answer to `deploy` until the last of the hosts has its first piece."""
    await fleet.deploy(release.name)
    begun = trio.current_time()
    await fleet.until(lambda: all(host.present_bytes(release) for host in hosts))
    return trio.current_time() - begun


def files_of(host: Host) -> set[str]:
    return {path.name for path in Path(host.config.state_directory).rglob("*.json")}


async def test_a_download_begins_within_two_seconds_of_the_deploy(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    hosts = await fleet.hosts(4, download_bytes_per_s=1_000_000)
    await trio.sleep(300)
    assert await first_piece_s(fleet, release, hosts) < BEGINS_S


async def test_a_download_that_is_ordered_the_moment_the_last_one_ended_begins_at_once(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    releases = [fleet.publish(f"shop@{number}") for number in (1, 2, 3)]
    hosts = await fleet.hosts(4)
    for release in releases:
        assert await first_piece_s(fleet, release, hosts) < AT_ONCE_S
        await fleet.until_running(release.name, hosts)


async def test_a_download_begins_in_time_when_the_tracker_names_dead_peers(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await fleet.claim(release, *(f"dead-{number}" for number in range(8)))
    await trio.sleep(300)
    assert await first_piece_s(fleet, release, [host]) < BEGINS_S


async def test_a_download_begins_in_time_when_the_tracker_names_peers_behind_a_partition(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    names = [f"lost-{number}" for number in range(8)]
    for name in names:
        await fleet.network.host(name).listen(f"{name}:7")
    await fleet.claim(release, *names)
    fleet.network.partition(*names)
    assert await first_piece_s(fleet, release, [host]) < BEGINS_S


async def test_peers_that_sit_on_what_they_have_are_left_before_they_delay_the_start_by_more_than_a_stall(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    for number in range(4):
        await join_as_liar(fleet, release, Stall(release), f"liar-{number}")
    assert await first_piece_s(fleet, release, [host]) < BEGINS_S + STALL_S


async def test_who_vouches_for_a_service_is_known_before_its_first_goal(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await trio.sleep(5)
    assert files_of(host) >= {"timestamp.json", "build-shop.json", "release-shop.json"}


async def test_a_host_that_starts_while_nobody_has_its_metadata_begins_with_its_goal(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    await fleet.seeder.stop()
    hosts = await fleet.hosts(1)
    await trio.sleep(60)
    await fleet.seeder.start()
    await trio.sleep(60)
    assert await first_piece_s(fleet, release, hosts) < BEGINS_S
