"""Promise: budgets, hours and metered networks are kept to, over restarts too, and the status says so."""

from typing import Any

import trio
import trio.testing

from manifests.names import parse_release
from p2pd.config import ServiceConfig
from p2pd.limits import LimitsConfig
from p2pd.world.processes import Exit
from sim.net.lan import Segment
from tests.fakes.processes import Ran
from tests.stories.fleet import SEEDER, Fleet
from tests.stories.publisher import Release, make_files
from tests.stories.services import Host

PROBE = ("/usr/bin/where-am-i",)


def half(release: Release) -> int:
    return release.manifest.size // 2


async def fetched(host: Host) -> int:
    """Bytes that came from outside the LAN since it was started."""
    assert host.daemon is not None
    return host.daemon.exchange.caps.wide.received_bytes


async def waiting(host: Host) -> str:
    (download,) = (await host.ask("status"))["downloads"]
    return str(download["waits_for"])


async def test_a_daily_budget_is_kept_over_a_restart_and_renewed_the_next_day(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1", make_files(1))
    limits = LimitsConfig(daily_download_bytes=half(release), time_zone="UTC")
    host = fleet.host("guest", limits=limits, download_bytes_per_s=100_000)
    await host.start()
    await fleet.deploy("shop@1")
    await trio.sleep(60)
    first = await fetched(host)
    assert half(release) <= first < 1.5 * half(release)
    assert "the daily budget is used up" in await waiting(host)
    await host.stop()
    await host.start()
    await trio.sleep(60)
    assert await fetched(host) == 0
    await fleet.until_running("shop@1", [host], within_s=86_400)


async def test_on_a_metered_network_nothing_is_fetched_and_nobody_is_looked_for(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1", make_files(1))
    segment = Segment()
    settings: dict[str, Any] = {"lan_discovery": True, "origins": (f"http://{SEEDER}",), "services": {}}
    at_home, abroad = (
        fleet.host("at-home", **settings),
        fleet.host("abroad", **settings, limits=LimitsConfig(probe=PROBE)),
    )
    for host in (at_home, abroad):
        host.lan = segment
    abroad.processes.answer = lambda ran: Exit(0, '{"metered": true}')
    for host in (at_home, abroad):
        await host.start()
    assert at_home.daemon is not None
    assert abroad.daemon is not None
    approved = await at_home.daemon.resolver.resolve(parse_release("shop@1"))
    await at_home.daemon.downloads.fetch(approved, "/srv/one")
    with trio.move_on_after(60):
        await abroad.daemon.downloads.fetch(approved, "/srv/two")
    assert await fetched(abroad) == 0  # nor is anybody looked for on somebody else's network
    assert at_home.daemon.exchange.bytes_sent == 0
    assert release.manifest.size == at_home.present_bytes(release)


async def test_a_download_begins_when_the_network_is_no_longer_metered(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1", make_files(1))
    metered = True

    def answer(ran: Ran) -> Exit:
        return Exit(0, '{"metered": true}' if metered else "{}") if ran.argv == PROBE else Exit(0, "")

    host = fleet.host("phone", limits=LimitsConfig(probe=PROBE), services={"shop": ServiceConfig()})
    host.processes.answer = answer
    await host.start()
    await fleet.deploy("shop@1")
    await trio.sleep(300)
    assert await fetched(host) == 0
    assert "this network is metered" in await waiting(host)
    metered = False
    await fleet.until_running("shop@1", [host], within_s=90)


async def test_in_business_hours_a_host_serves_nobody(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    fleet.publish("shop@1", make_files(1))
    limits = LimitsConfig(schedule=("mon-sun 00:00-24:00 up=off",))
    hosts = await fleet.hosts(3, limits=limits)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", hosts)
    for host in hosts:
        assert host.daemon is not None
        assert host.daemon.exchange.bytes_sent == 0


async def test_on_battery_a_host_serves_nobody_but_fetches(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1", make_files(1))
    hosts = [fleet.host(f"laptop-{number}", limits=LimitsConfig(probe=PROBE)) for number in range(3)]
    for host in hosts:
        host.processes.answer = lambda ran: Exit(0, '{"battery": true}' if ran.argv == PROBE else "")
        await host.start()
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", hosts)
    for host in hosts:
        assert host.daemon is not None
        assert host.daemon.exchange.bytes_sent == 0


async def test_a_months_budget_outlasts_the_day_and_a_restart(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1", make_files(1))
    limits = LimitsConfig(monthly_download_bytes=half(release), time_zone="UTC")
    host = fleet.host("guest", limits=limits, download_bytes_per_s=100_000)
    await host.start()
    await fleet.deploy("shop@1")
    await trio.sleep(60)
    used = (await host.ask("status"))["limits"]["used"]["month"]["download_bytes"]
    assert half(release) <= used < 1.5 * half(release)
    await host.stop()
    host.skew_s = 2 * 86_400.0
    await host.start()
    await trio.sleep(60)
    assert await fetched(host) == 0
    assert "the monthly budget is used up" in await waiting(host)


async def test_an_upload_budget_ends_serving_not_fetching(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1", make_files(1))
    limits = LimitsConfig(daily_upload_bytes=50_000, time_zone="UTC")
    hosts = await fleet.hosts(4, limits=limits, upload_bytes_per_s=100_000)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", hosts)
    sent = [host.daemon.exchange.bytes_sent for host in hosts if host.daemon is not None]
    assert 0 < max(sent) < release.size_bytes / 2  # pieces that were under way pass, eight at most


async def test_a_probe_that_fails_changes_nothing_and_is_told(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1", make_files(1))
    host = fleet.host("phone", limits=LimitsConfig(probe=PROBE))
    host.processes.answer = lambda ran: Exit(7, "") if ran.argv == PROBE else Exit(0, "")
    await host.start()
    await fleet.deploy(release.name)
    await fleet.until_running("shop@1", [host])
    assert (await host.ask("status"))["limits"]["probe_problem"] == f"the probe {PROBE[0]} ended with 7"
