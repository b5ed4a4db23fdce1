"""Promise: whoever sends wrong bytes, nothing but what was signed for is ever seen at the destination."""

import pytest
import trio
import trio.testing

from manifests.blobs import chunk_path
from tests.stories.fleet import Fleet, visible
from tests.stories.liars import Absence, Poison, Stall, join_as_liar, serve_poison


async def test_a_peers_poison_is_thrown_away_and_the_peer_with_it(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    liars = [Poison(release) for _ in range(3)]
    for number, liar in enumerate(liars):
        await join_as_liar(fleet, release, liar, f"liar-{number}")
    (host,) = await fleet.hosts(1, download_bytes_per_s=1_000_000)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    assert visible(host) == release.files
    assert sum(liar.served for liar in liars) > 0
    assert host.daemon is not None
    assert set(host.daemon.exchange.neighbours.banned) <= {f"liar-{number}" for number in range(3)}


@pytest.mark.parametrize("lie", [Absence, Stall])
async def test_peers_that_give_nothing_of_what_they_say_they_have_do_not_hold_a_download_up(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, lie: type[Poison]
) -> None:
    release = fleet.publish("shop@1")
    for number in range(5):
        await join_as_liar(fleet, release, lie(release), f"liar-{number}")
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host], within_s=20)
    assert visible(host) == release.files


async def test_a_poisoned_http_origin_is_passed_over(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    release = fleet.publish("shop@1")
    await serve_poison(fleet, "cdn:80")
    (host,) = await fleet.hosts(1, origins=("http://cdn:80",))
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    assert visible(host) == release.files


async def test_a_chunk_that_rotted_in_the_blob_store_is_never_handed_on(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    rotten = chunk_path(release.manifest.digest(3))
    good = fleet.store.get(rotten)
    fleet.store.replace(rotten, b"!" * len(good))
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await trio.sleep(60)
    assert host.disk.stat("/srv/shop/current") is None
    assert host.present_bytes(release) == release.size_bytes - len(good)
    fleet.store.replace(rotten, good)
    await fleet.until_running("shop@1", [host], within_s=120)
    assert visible(host) == release.files


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_piece_that_rots_on_a_peers_disk_is_not_served_and_does_not_trouble_that_peer(
    autojump_clock: trio.testing.MockClock, fleet: Fleet, restarted: bool
) -> None:
    release = fleet.publish("shop@1")
    old, new = await fleet.hosts(2)
    await new.ask("pause")
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [old])
    (directory,) = old.releases()
    old.disk.corrupt(f"/srv/shop/releases/{directory}/lib/3.bin", 70_000)
    if restarted:
        await old.kill()
        await old.start()
    await fleet.seeder.stop()
    await new.ask("resume")
    await fleet.until(lambda: old.present_bytes(release) < release.size_bytes)
    assert old.daemon is not None
    received = old.daemon.exchange.bytes_received
    await fleet.seeder.start()
    await fleet.until_running("shop@1", [new], within_s=120)
    await trio.sleep(60)
    assert visible(new) == release.files
    assert old.runs("shop@1")
    assert old.daemon.exchange.bytes_received == received
