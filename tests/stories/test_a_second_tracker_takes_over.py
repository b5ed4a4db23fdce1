"""Promise: a region whose tracker dies has a second one within an interval, and downloads do not notice."""

from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.stories.fleet import GLOBAL, REGION, Fleet, visible
from tests.stories.services import Host, SeederService, TrackerService

SECOND = "eu-second"
TRACKERS = (f"{REGION}:1", f"{SECOND}:1")
INTERVAL_S = 30.0
"""Between announces of a host that has all it wants."""
SLOW_BYTES_PER_S = 400_000


@pytest.fixture
async def second(fleet: Fleet, tmp_path: Path) -> TrackerService:
    """The region's other tracker. The seeder knows both."""
    made = TrackerService(fleet.network, SECOND, fleet.nursery, str(tmp_path / "second.sqlite"), f"{GLOBAL}:1")
    made.config = replace(made.config, region=REGION)
    await made.start()
    await fleet.seeder.stop()
    fleet.seeder = SeederService(fleet.network, "seeder", fleet.nursery, fleet.store, tracker=TRACKERS, region=REGION)
    await fleet.seeder.start()
    return made


async def connected_to(host: Host) -> str:
    tracker = (await host.ask("status"))["tracker"]
    return str(tracker["address"]) if tracker["connected"] else ""


async def test_everybody_is_with_the_second_tracker_within_one_interval(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, second: TrackerService
) -> None:
    hosts = await fleet.hosts(4, trackers=TRACKERS)
    await trio.sleep(5)
    before = [await connected_to(host) for host in hosts]
    await fleet.region.stop()
    await trio.sleep(INTERVAL_S)
    assert (before, [await connected_to(host) for host in hosts]) == ([TRACKERS[0]] * 4, [TRACKERS[1]] * 4)


async def test_a_tracker_that_is_cut_off_without_a_word_is_left_within_an_interval_and_an_answers_time(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, second: TrackerService
) -> None:
    hosts = await fleet.hosts(4, trackers=TRACKERS)
    await trio.sleep(5)
    fleet.network.partition(REGION)
    await trio.sleep(INTERVAL_S + 20)
    assert [await connected_to(host) for host in hosts] == [TRACKERS[1]] * 4


async def test_a_download_under_way_does_not_notice(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, second: TrackerService
) -> None:
    release = fleet.publish("shop@1")
    hosts = await fleet.hosts(4, trackers=TRACKERS, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: all(host.present_bytes(release) > 0 for host in hosts))
    await fleet.region.stop()
    stood_still_s, seen = 0.0, [host.present_bytes(release) for host in hosts]
    while not all(host.runs("shop@1") for host in hosts) and stood_still_s < 10:
        await trio.sleep(1)
        now = [host.present_bytes(release) for host in hosts]
        stood_still_s, seen = (stood_still_s + 1 if now == seen else 0.0), now
        assert stood_still_s < 3
    assert all(visible(host) == release.files for host in hosts)


async def test_a_host_that_comes_while_the_first_is_gone_finds_its_peers_and_its_goal(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, second: TrackerService
) -> None:
    release = fleet.publish("shop@1")
    hosts = await fleet.hosts(2, trackers=TRACKERS)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", hosts)
    await fleet.region.stop()
    await trio.sleep(INTERVAL_S)
    late = fleet.host("late", trackers=TRACKERS)
    await late.start()
    await fleet.until_running("shop@1", [late])
    (download,) = (await late.ask("status"))["downloads"]
    assert download["bytes_by_source"].get("region", 0) > 0
    assert visible(late) == release.files
