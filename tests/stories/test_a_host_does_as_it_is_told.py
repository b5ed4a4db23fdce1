"""Promise: a host runs exactly the goals of its services, and heeds its owner."""

import pytest
import trio
import trio.testing

from p2pd.config import ServiceConfig
from tests.stories.fleet import Fleet, visible
from tests.stories.publisher import changed, make_files

SLOW_BYTES_PER_S = 400_000


async def test_paused_nothing_is_fetched_until_resumed(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(release) > 300_000)
    assert await host.ask("pause") == {"paused": True}
    await trio.sleep(5)
    before = host.present_bytes(release)
    await trio.sleep(300)
    assert host.present_bytes(release) == before < release.size_bytes
    assert host.service()["waits_for"] == "paused by the user"
    await host.ask("resume")
    await fleet.until_running("shop@1", [host])


async def test_a_pause_outlives_a_restart(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await host.ask("pause")
    await host.crash()
    await host.start()
    await fleet.deploy("shop@1")
    await trio.sleep(60)
    assert host.present_bytes(release) == 0
    await host.ask("resume")
    await host.crash()
    await host.start()
    await fleet.until_running("shop@1", [host])


async def test_a_download_that_begins_while_paused_waits_too(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await host.ask("pause")
    await fleet.deploy("shop@1")
    await trio.sleep(60)
    assert host.present_bytes(release) == 0
    assert host.service()["waits_for"] == "paused by the user"
    await host.ask("resume")
    await fleet.until_running("shop@1", [host])


async def test_several_services_are_kept_at_once(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    services = {name: ServiceConfig() for name in ("shop", "search", "mail")}
    releases = {name: fleet.publish(f"{name}@1", make_files(len(name))) for name in services}
    (host,) = await fleet.hosts(1, services=services)
    for name in services:
        await fleet.deploy(f"{name}@1", name)
    await fleet.until(lambda: all(host.runs(f"{name}@1", name) for name in services))
    assert all(visible(host, name) == releases[name].files for name in services)


async def test_one_services_trouble_is_not_the_others(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    fleet.publish("shop@1")
    fleet.publish("mail@1", make_files(3), parties=("release",))
    (host,) = await fleet.hosts(1, services={"shop": ServiceConfig(), "mail": ServiceConfig()})
    await fleet.deploy("mail@1", "mail")
    await fleet.until(lambda: host.state("mail") == "REFUSED")
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])


async def test_garbage_is_collected_but_never_what_runs_what_came_before_and_what_is_pinned(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    (host,) = await fleet.hosts(1, services={"shop": ServiceConfig(pinned=("1",))})
    for number in range(1, 6):
        fleet.publish(f"shop@{number}", make_files(number, files=2))
        await fleet.deploy(f"shop@{number}")
        await fleet.until_running(f"shop@{number}", [host])
        await trio.sleep(1)
    assert [name.partition("-")[0] for name in host.releases()] == ["1", "4", "5"]


async def test_a_dry_run_of_gc_removes_nothing(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    await fleet.deploy("")
    await fleet.until(lambda: host.state() == "IDLE")
    assert (await host.ask("gc", dry_run=True))["dry_run"]
    assert host.files(f"/srv/shop/releases/{host.releases()[0]}") == release.files


async def test_the_goal_of_nothing_leaves_the_service_alone(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    await fleet.deploy("")
    await fleet.until(lambda: host.state() == "IDLE")
    assert host.service()["goal_release"] == ""
    assert visible(host) == release.files


async def test_the_goal_of_nothing_ends_a_download(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(release) > 300_000)
    await fleet.deploy("")
    await fleet.until(lambda: host.state() == "IDLE")
    before = host.present_bytes(release)
    await trio.sleep(60)
    assert host.present_bytes(release) == before


async def test_the_goal_of_a_service_that_is_not_ours_is_ignored(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    fleet.publish("mail@1", make_files(3))
    (host,) = await fleet.hosts(1)
    await fleet.deploy("mail@1", "mail")
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    assert host.service("mail") == {}
    assert host.disk.stat("/srv/mail") is None


async def test_of_two_goals_in_quick_succession_the_newer_wins_and_leaves_no_rubbish(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first = fleet.publish("shop@1")
    second = fleet.publish("shop@2", changed(make_files()))
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(first) > 300_000)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    await trio.sleep(1)
    assert visible(host) == second.files
    assert [name.partition("-")[0] for name in host.releases()] == ["2"]


async def test_what_an_abandoned_download_had_fetched_is_not_fetched_again(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first = fleet.publish("shop@1")
    second = fleet.publish("shop@2", changed(make_files()))
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(first) > first.size_bytes / 2)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    assert host.meter.received_bytes < 1.3 * second.size_bytes


async def test_goals_that_change_ten_times_a_second_end_at_the_last_one(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    for number in (1, 2, 3):
        fleet.publish(f"shop@{number}", make_files(number, files=3))
    hosts = await fleet.hosts(3, download_bytes_per_s=SLOW_BYTES_PER_S)
    for number in range(20):
        await fleet.deploy(f"shop@{1 + number % 3}", allow_older=True)
        await trio.sleep(0.1)
    await fleet.deploy("shop@3")
    await fleet.until_running("shop@3", hosts)
    await trio.sleep(1)
    assert all(visible(host) == make_files(3, files=3) for host in hosts)
    assert not [name for host in hosts for name in host.releases() if name.startswith(".")]


async def test_a_service_whose_product_is_renamed_runs_the_new_one(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    for number in (1, 2):
        fleet.publish(f"shop@{number}", make_files(number))
    renamed = fleet.publish("store@1", make_files(7))
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    await host.stop()
    host.configure(services={"shop": ServiceConfig(product="store")})
    await host.start()
    await fleet.deploy("store@1")
    await fleet.until_running("store@1", [host])
    assert visible(host) == renamed.files


async def test_two_services_of_one_product_are_refused_before_anything_runs(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    with pytest.raises(ValueError, match="shop and canary both run the releases of shop"):
        fleet.host("odd", services={"shop": ServiceConfig(), "canary": ServiceConfig(product="shop")})


async def test_a_host_that_is_told_to_end_ends_at_once(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1, download_bytes_per_s=SLOW_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(release) > 300_000)
    before = trio.current_time()
    await host.stop()
    assert trio.current_time() - before < 2.0
