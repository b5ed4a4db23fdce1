"""Promise: a bad release goes back by itself, and any release goes back by one command and never without it."""

import trio
import trio.testing

from tests.stories.fleet import Fleet, visible
from tests.stories.publisher import changed, make_files
from tests.stories.services import Host


async def two_releases(fleet: Fleet, *, unhealthy: bool = False) -> Host:
    """A host that runs shop@1 (or shop@2 if that is healthy), with shop@2 deployed."""
    fleet.publish("shop@1")
    fleet.publish("shop@2", changed(make_files()))
    (host,) = await fleet.hosts(1)
    if unhealthy:
        host.unhealthy.add("shop@2")
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    await fleet.deploy("shop@2")
    await fleet.until(lambda: host.state() == ("FAILED" if unhealthy else "VERIFIED") and bool(tried(host, "shop@2")))
    return host


def tried(host: Host, release: str) -> int:
    """How often its health was checked."""
    return sum(ran.environment["P2P_RELEASE"] == release for ran in host.processes.ran)


async def test_an_unhealthy_release_goes_back_by_itself(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host = await two_releases(fleet, unhealthy=True)
    assert host.service()["running_release"] == "shop@1"
    assert visible(host) == make_files()
    assert "it does not answer on its port" in host.service()["error"]


async def test_an_unhealthy_release_is_not_tried_again_until_a_higher_revision_names_it(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    host = await two_releases(fleet, unhealthy=True)
    attempts = tried(host, "shop@2")
    host.unhealthy.clear()
    await trio.sleep(600)
    await host.kill()
    await host.start()
    await trio.sleep(600)
    assert tried(host, "shop@2") == attempts
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])


async def test_a_rollback_brings_the_older_release_back(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    host = await two_releases(fleet)
    await fleet.rollback(reason="too slow")
    await fleet.until_running("shop@1", [host])
    assert visible(host) == make_files()


async def test_an_older_release_without_a_rollback_command_is_refused(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    host = await two_releases(fleet)
    answer = await fleet.deploy("shop@1")
    await fleet.until(lambda: host.state() == "REFUSED")
    assert "hosts refuse" in answer["warning"]
    assert host.service()["error"] == "shop@1 is older than shop@2, and no rollback was ordered"
    assert visible(host) == changed(make_files())


async def test_a_service_that_fails_its_first_release_runs_nothing(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    host.unhealthy.add("shop@1")
    await fleet.deploy("shop@1")
    await fleet.until(lambda: host.state() == "FAILED")
    assert host.disk.stat("/srv/shop/current") is None


async def test_the_operator_sees_how_the_fleet_fares(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    await two_releases(fleet, unhealthy=True)
    await trio.sleep(3)
    (service,) = (await fleet.status())["services"]
    assert "FAILED" in str(service)


async def test_a_kept_release_whose_files_were_changed_is_mended_before_it_runs_again(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    host = await two_releases(fleet)
    (kept,) = [name for name in host.releases() if name.startswith("1-")]
    host.disk.corrupt(f"/srv/shop/releases/{kept}/{next(name for name, data in make_files().items() if data)}", 0)
    await fleet.rollback()
    await fleet.until_running("shop@1", [host])
    assert visible(host) == make_files()


async def test_a_kept_release_that_rotted_is_made_whole_before_it_runs_again(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    host = await two_releases(fleet)
    (kept,) = (name for name in host.releases() if name.startswith("1-"))
    host.disk.corrupt(f"/srv/shop/releases/{kept}/lib/3.bin", 70_000)
    assert host.daemon is not None
    store = host.daemon.store
    (artifact,) = (one for one in store.artifacts.values() if one.manifest.release == "shop@1")
    assert None in [store.read_piece(artifact, piece) for piece in range(artifact.manifest.pieces)]
    await fleet.rollback()
    await fleet.until_running("shop@1", [host])
    assert visible(host) == make_files()
