"""Promise: of a new release only the difference travels, and what can't be patched comes as it is."""

import pytest
import trio.testing

from p2pd.metrics import samples
from p2pd.patching.config import PatchingConfig
from p2pd.policy.patching import STALL_S
from tests.stories.fleet import Fleet, visible
from tests.stories.packing import edited, publish_packed, words
from tests.stories.publisher import Release, make_files
from tests.stories.services import Host

CONTROL_BYTES = 60_000
"""Metadata, manifests and messages of one host and one release, generously."""


async def fleet_with_first(fleet: Fleet, hosts: int, **settings: object) -> tuple[Release, list[Host]]:
    """So many hosts run shop@1."""
    first = fleet.publish("shop@1", make_files())
    running = await fleet.hosts(hosts, **settings)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", running)
    return first, running


def patched(host: Host, release: Release) -> dict[str, int]:
    """Where the bytes of a release came from."""
    assert host.daemon is not None
    return host.daemon.store.artifacts[release.digest].bytes_by_source


async def test_a_second_release_travels_as_a_pack(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    first, (host,) = await fleet_with_first(fleet, 1)
    release, (pack,) = publish_packed(fleet, "shop@2", edited(first.files), first)
    before = host.meter.received_bytes
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    assert visible(host) == release.files
    assert host.meter.received_bytes - before <= 1.6 * pack.size + CONTROL_BYTES < 0.15 * release.size_bytes
    assert patched(host, release)["patch"] > 0.9 * release.size_bytes


async def test_an_operator_sees_what_was_patched_reused_and_fetched_in_full(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first, (host,) = await fleet_with_first(fleet, 1)
    files = edited(first.files) | {"lib/0.bin": first.files["lib/0.bin"], "lib/new": make_files(9, 1)["lib/0.bin"]}
    release, (pack,) = publish_packed(fleet, "shop@2", files, first)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    assert host.daemon is not None
    status = await host.ask("status")
    (shown,) = (one for one in status["downloads"] if one["release"] == "shop@2")
    assert shown["reused_bytes"] >= 150_000
    assert shown["patched_bytes"] + shown["reused_bytes"] == release.size_bytes
    assert shown["full_bytes"] == 0
    assert status["patching"]["pack_bytes"] == pack.size - pack.lengths[0]
    metrics = {one.name: one.value for one in samples(host.daemon, trio.current_time())}
    assert metrics["p2pd_patched_bytes_total"] == shown["patched_bytes"]


async def test_a_pack_goes_from_host_to_host_and_leaves_the_seeder_about_once(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first, hosts = await fleet_with_first(fleet, 8)
    release, (pack,) = publish_packed(fleet, "shop@2", edited(first.files), first)
    before = fleet.seeder.sent_bytes
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", hosts)
    assert all(visible(host) == release.files for host in hosts)
    assert all(set(patched(host, release)) <= {"patch", "local"} for host in hosts)
    assert fleet.seeder.sent_bytes - before <= 3 * pack.size + 8 * CONTROL_BYTES < 0.5 * release.size_bytes


async def test_a_damaged_base_costs_what_was_to_be_made_from_it(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first, (sound, damaged) = await fleet_with_first(fleet, 2)
    release, (pack,) = publish_packed(fleet, "shop@2", edited(first.files), first)
    damaged.disk.corrupt("/srv/shop/current/lib/3.bin", 70_000)
    before = damaged.meter.received_bytes
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [sound, damaged])
    assert visible(damaged) == release.files
    assert damaged.daemon is not None
    counts = damaged.daemon.downloads.patching.counts
    assert 0 < counts.fallback_bytes < 0.3 * release.size_bytes
    received = damaged.meter.received_bytes - before
    assert received <= 1.6 * (pack.size + counts.fallback_bytes) + CONTROL_BYTES


async def half_of_first(fleet: Fleet, fallback_bytes_max: int = 0) -> tuple[Release, Host]:
    """A host that was half-way through shop@1 when it was told of another release."""
    first = fleet.publish("shop@1", make_files())
    (host,) = await fleet.hosts(
        1, download_bytes_per_s=200_000, patching=PatchingConfig(fallback_bytes_max=fallback_bytes_max)
    )
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.present_bytes(first) >= 0.5 * first.size_bytes)
    await host.stop()
    host.configure(download_bytes_per_s=0)
    return first, host


async def test_a_base_that_is_here_in_part_serves_for_what_can_be_made_from_it(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first, host = await half_of_first(fleet)
    release, (pack,) = publish_packed(fleet, "shop@2", edited(first.files), first)
    held = host.present_bytes(first) / first.size_bytes
    before = host.meter.received_bytes
    await fleet.deploy("shop@2")
    await host.start()
    await fleet.until_running("shop@2", [host])
    assert visible(host) == release.files
    assert patched(host, release)["patch"] > 0.7 * held * release.size_bytes
    assert host.daemon is not None
    counts = host.daemon.downloads.patching.counts
    assert counts.fallback_bytes == release.size_bytes - patched(host, release)["patch"]
    assert host.meter.received_bytes - before <= 1.1 * (pack.size + counts.fallback_bytes) + CONTROL_BYTES


async def test_what_a_base_that_is_here_in_part_leaves_is_fetched_within_the_operators_budget(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first, host = await half_of_first(fleet, fallback_bytes_max=100_000)
    release, _ = publish_packed(fleet, "shop@2", edited(first.files), first)
    await fleet.deploy("shop@2")
    await host.start()
    await trio.sleep(5 * STALL_S)
    came = patched(host, release)
    assert came["patch"] > 0.3 * release.size_bytes
    assert sum(came.values()) - came["patch"] <= 100_000
    assert "fallback_bytes_max" in str(host.service()["waits_for"])


async def test_where_the_link_is_dear_what_a_damaged_base_leaves_comes_compressed_and_no_more_of_it(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first = fleet.publish("shop@1", words(files=24))
    (host,) = await fleet.hosts(1, patching=PatchingConfig(dear_link=True))
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    release, (_, compressed) = publish_packed(fleet, "shop@2", edited(first.files), first, None)
    host.disk.corrupt("/srv/shop/current/share/3.txt", 70_000)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    assert visible(host) == release.files
    assert set(patched(host, release)) <= {"patch", "local"}
    assert host.daemon is not None
    packs = {one.manifest.size: one for one in host.daemon.downloads.patching.shelf.store.artifacts.values()}
    assert packs[compressed.size].present_count < compressed.pieces


async def test_a_pack_that_nobody_gives_is_not_waited_for(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    first, (host,) = await fleet_with_first(fleet, 1)
    release, _ = publish_packed(fleet, "shop@2", edited(first.files), first, stored=False)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host], within_s=STALL_S + 30)
    assert visible(host) == release.files
    assert "patch" not in patched(host, release)


async def test_a_fallback_beyond_its_budget_waits_and_says_so_until_somebody_raises_it(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    tight = PatchingConfig(fallback_bytes_max=200_000)
    first, (host,) = await fleet_with_first(fleet, 1, patching=tight)
    release, _ = publish_packed(fleet, "shop@2", edited(first.files), first, stored=False)
    await fleet.deploy("shop@2")
    await trio.sleep(5 * STALL_S)
    assert host.present_bytes(release) <= 200_000
    assert "fallback_bytes_max" in str(host.service()["waits_for"])
    await host.stop()
    host.configure(patching=PatchingConfig())
    await host.start()
    await fleet.until_running("shop@2", [host], within_s=STALL_S + 60)
    assert visible(host) == release.files


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_a_host_killed_while_it_patches_goes_on_where_it_was(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, share: float
) -> None:
    first, (host,) = await fleet_with_first(fleet, 1)
    release, (pack,) = publish_packed(fleet, "shop@2", edited(first.files), first)
    await host.stop()
    host.configure(download_bytes_per_s=20_000)
    await host.start()
    before = host.meter.received_bytes
    await fleet.deploy("shop@2")
    await fleet.until(lambda: host.present_bytes(release) >= share * release.size_bytes)
    await host.kill()
    await host.start()
    await fleet.until_running("shop@2", [host])
    assert visible(host) == release.files
    assert host.meter.received_bytes - before <= 1.2 * pack.size + 2 * CONTROL_BYTES


async def test_where_the_link_is_dear_a_first_release_comes_compressed(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release, (pack,) = publish_packed(fleet, "shop@1", words(), None)
    dear, cheap = fleet.host("dear", patching=PatchingConfig(dear_link=True)), fleet.host("cheap")
    await fleet.deploy("shop@1")
    for host in (dear, cheap):
        await host.start()
        await fleet.until_running("shop@1", [host])
        assert visible(host) == release.files
    assert dear.meter.received_bytes <= 1.6 * pack.size + CONTROL_BYTES < 0.7 * release.size_bytes
    assert cheap.meter.received_bytes > release.size_bytes


async def test_a_pack_is_shared_for_a_while_and_then_deleted(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    first, (host,) = await fleet_with_first(fleet, 1, patching=PatchingConfig(keep_s=600.0))
    publish_packed(fleet, "shop@2", edited(first.files), first)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    assert host.daemon is not None
    packs = host.daemon.downloads.patching.shelf.store
    (swarm,) = packs.artifacts
    await trio.sleep(500)
    assert swarm in host.daemon.exchange.memberships
    await trio.sleep(200)
    assert swarm not in host.daemon.exchange.memberships
    assert host.disk.list_directory(f"{packs.directory}/files") == []
