"""Promise: nothing runs that either party has not signed, and the status says why not."""

import trio
import trio.testing

from tests.fakes.world import EPOCH
from tests.stories.fleet import Fleet, visible
from tests.stories.publisher import changed, make_files
from tests.stories.services import Host

DAY_S = 86_400.0


async def refused(fleet: Fleet, host: Host, release: str) -> str:
    """Deployed, the release is refused; for this reason."""
    await fleet.deploy(release)
    await fleet.until(lambda: host.state() == "REFUSED")
    return str(host.service()["error"])


async def test_a_release_signed_by_one_party_is_refused(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    fleet.publish("shop@1", parties=("build",))
    (host,) = await fleet.hosts(1)
    assert await refused(fleet, host, "shop@1") == "shop@1 is signed by build only, the release party is missing"
    assert host.disk.stat("/srv/shop/current") is None


async def test_a_missing_signature_that_comes_later_is_found_by_itself(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1", parties=("build",))
    (host,) = await fleet.hosts(1)
    await refused(fleet, host, "shop@1")
    fleet.publishing.sign("shop@1", release.digest, release.manifest_bytes, ("release",))
    await fleet.until_running("shop@1", [host], within_s=150)


async def test_a_release_that_nobody_signed_is_refused(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    assert await refused(fleet, host, "shop@2") == "nobody has signed shop@2"


async def test_expired_metadata_is_refused(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    fleet.publish("shop@1")
    host = fleet.host("late")
    host.skew_s = 10 * DAY_S
    await host.start()
    assert "expired" in await refused(fleet, host, "shop@1")


async def test_metadata_that_is_renewed_is_taken_up_by_itself(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    host = fleet.host("late")
    host.skew_s = 10 * DAY_S
    await host.start()
    await refused(fleet, host, "shop@1")
    fleet.publishing.renew(EPOCH + host.skew_s)
    await fleet.until_running("shop@1", [host], within_s=150)


async def offline(fleet: Fleet) -> Host:
    """A host whose cached metadata names shop@2, which a peer holds; no source of metadata answers any more."""
    fleet.publish("shop@1")
    fleet.publish("shop@2", changed(make_files()))
    late, early = await fleet.hosts(2)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [early, late])
    await late.stop()
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [early])
    await fleet.seeder.stop()
    return late


async def test_cached_metadata_is_used_when_no_source_answers(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    late = await offline(fleet)
    await late.start()
    await fleet.until_running("shop@2", [late])
    assert visible(late) == changed(make_files())


async def test_cached_metadata_that_expired_is_refused_although_no_source_answers(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    late = await offline(fleet)
    late.skew_s = 10 * DAY_S
    await late.start()
    await fleet.until(lambda: late.state() == "REFUSED")
    assert "expired" in late.service()["error"]
    assert visible(late) == make_files()


async def test_a_release_unknown_to_the_cache_waits_for_a_source_and_is_not_called_unsigned(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    fleet.publish("shop@2", changed(make_files()))
    await fleet.seeder.stop()
    await fleet.deploy("shop@2")
    await fleet.until(lambda: bool(host.service()["waits_for"]))
    await trio.sleep(30)
    assert (host.state(), host.service()["error"]) == ("CHECKING", "")
    assert "metadata/" in host.service()["waits_for"]
    await fleet.seeder.start()
    await fleet.until_running("shop@2", [host], within_s=200)


async def test_a_manifest_of_another_release_under_the_signed_name_is_refused(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    fleet.publishing.sign("shop@2", release.digest, release.manifest_bytes)
    (host,) = await fleet.hosts(1)
    assert await refused(fleet, host, "shop@2") == "shop@2: what is signed under this name is shop@1"


async def test_a_manifest_of_another_release_is_refused_also_when_that_release_is_here(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    fleet.publishing.sign("shop@2", release.digest, release.manifest_bytes)
    await trio.sleep(2)  # for so long a seeder gives out the timestamp that it has
    assert await refused(fleet, host, "shop@2") == "shop@2: what is signed under this name is shop@1"
    assert visible(host) == release.files
