"""Promise: each second of a download either moved it, or has a reason that status and metrics tell."""

from typing import Any

import pytest
import trio
import trio.testing

from manifests.names import parse_release
from p2pd.config import ServiceConfig
from p2pd.limits import LimitsConfig
from p2pd.metrics import samples
from p2pd.world.processes import Exit
from tests.stories.fleet import Fleet
from tests.stories.publisher import Release, make_files
from tests.stories.services import Host

SLOW_BYTES_PER_S = 100_000
STOOD_S = 30.0


async def under_way(fleet: Fleet, **settings: Any) -> tuple[Host, Release]:
    """A host that has a third of a release, or (held back from the beginning) nothing."""
    release = fleet.publish("shop@1", make_files(files=4))
    (host,) = await fleet.hosts(1, **{"download_bytes_per_s": SLOW_BYTES_PER_S} | settings)
    await fleet.deploy(release.name)
    return host, release


async def a_third(fleet: Fleet, **settings: Any) -> tuple[Host, Release]:
    """The same, and it has moved."""
    host, release = await under_way(fleet, **settings)
    await fleet.until(lambda: host.present_bytes(release) > release.size_bytes / 3)
    return host, release


async def told(host: Host) -> dict[str, Any]:
    """Of its only download."""
    (found,) = (await host.ask("status"))["downloads"]
    return dict(found)


async def new_reasons(host: Host, seconds: float = STOOD_S) -> dict[str, float]:
    """Seconds by reason that are added in this time."""
    before = (await told(host))["standstill_by_reason"]
    await trio.sleep(seconds)
    after = (await told(host))["standstill_by_reason"]
    return {reason: stood - before.get(reason, 0.0) for reason, stood in after.items() if stood > before.get(reason, 0)}


def mainly(reasons: dict[str, float], reason: str) -> bool:
    """All but the seconds in which the former state ended."""
    return reasons[reason] >= STOOD_S - 6 and sum(reasons.values()) == pytest.approx(STOOD_S, abs=6)


async def test_every_second_is_in_the_ledger(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await a_third(fleet)
    await host.ask("pause")
    await trio.sleep(STOOD_S)
    found = await told(host)
    assert found["moved_s"] + found["standstill_s"] == pytest.approx(found["seconds"], abs=1.0)


async def test_a_pause_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await a_third(fleet)
    await host.ask("pause")
    assert mainly(await new_reasons(host), "paused")


async def test_a_metered_network_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    host = fleet.host("phone", limits=LimitsConfig(probe=("/usr/bin/where-am-i",)), services={"shop": ServiceConfig()})
    host.processes.answer = lambda ran: Exit(0, '{"metered": true}')
    await host.start()
    await fleet.deploy(release.name)
    await fleet.until(lambda: host.state() == "DOWNLOADING")
    await trio.sleep(5)
    assert await new_reasons(host) == {"metered": pytest.approx(STOOD_S, abs=1.5)}


async def test_the_schedule_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await under_way(fleet, limits=LimitsConfig(schedule=("mon-sun 00:00-24:00 down=off",)))
    await fleet.until(lambda: host.state() == "DOWNLOADING")
    await trio.sleep(5)
    assert await new_reasons(host) == {"schedule": pytest.approx(STOOD_S, abs=1.5)}


async def test_a_budget_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    limits = LimitsConfig(daily_download_bytes=200_000, time_zone="UTC")
    host, _ = await under_way(fleet, limits=limits)
    await trio.sleep(20)
    assert await new_reasons(host) == {"budget": pytest.approx(STOOD_S, abs=1.5)}


async def test_a_low_cap_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await under_way(fleet, download_bytes_per_s=4_000)
    await fleet.until(lambda: host.state() == "DOWNLOADING")
    await trio.sleep(10)
    reasons = await new_reasons(host)
    assert set(reasons) == {"capped"}
    assert reasons["capped"] > STOOD_S / 2


async def test_a_full_disk_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await a_third(fleet)
    host.disk.capacity_bytes = 1 << 40
    host.disk.capacity_bytes -= host.disk.free_bytes("/")
    assert mainly(await new_reasons(host), "disk")


async def test_that_nobody_is_known_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await a_third(fleet)
    await fleet.seeder.stop()
    await trio.sleep(30)
    assert mainly(await new_reasons(host), "no peer")


async def test_that_no_tracker_answers_either_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await a_third(fleet)
    await fleet.seeder.stop()
    await fleet.region.stop()
    await trio.sleep(30)
    reasons = await new_reasons(host)
    assert reasons.keys() & {"tracker", "http rests"}
    assert sum(reasons.values()) == pytest.approx(STOOD_S, abs=1.5)


async def test_a_missing_manifest_is_told(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    assert host.daemon is not None
    await trio.sleep(1)
    approved = await host.daemon.resolver.resolve(parse_release(fleet.publish("shop@2").name))
    await fleet.seeder.stop()
    fleet.nursery.start_soon(host.daemon.downloads.fetch, approved, "/srv/two")
    await trio.sleep(1)
    assert await new_reasons(host) == {"manifest": pytest.approx(STOOD_S, abs=1.5)}


async def test_prometheus_is_told_the_same(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host, _ = await a_third(fleet)
    await host.ask("pause")
    await trio.sleep(STOOD_S)
    assert host.daemon is not None
    found = {sample.key: sample.value for sample in samples(host.daemon, trio.current_time())}
    ledger = (await told(host))["standstill_by_reason"]
    assert found['p2pd_standstill_seconds_total{reason="paused"}'] == ledger["paused"]
    assert found['p2pd_download_standstill_seconds{release="shop@1",reason="paused"}'] == ledger["paused"]


async def test_a_download_tells_how_near_it_is_to_the_best_possible_rate(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    host, _ = await a_third(fleet)
    found = await told(host)
    assert SLOW_BYTES_PER_S / 2 < found["bound_bytes_per_s"] <= SLOW_BYTES_PER_S
    assert found["share_of_bound"] > 0.7
    assert found["rate_by_source"].keys() == {"shield"}
    assert found["eta_at_bound_s"] < found["eta_s"] * 1.5
