"""A region's tracker: follows the global one, and does without it."""

import trio

from .fleet import EU_ADDRESS, Fleet
from .nodes import report


async def releases_at(fleet: Fleet, address: str = EU_ADDRESS) -> list[str]:
    """What a new host of eu is told there."""
    host = fleet.node(f"host{trio.current_time()}", address)
    host.announcer.watch(["web"])
    await trio.sleep(2)
    return host.releases


async def stale_hosts(fleet: Fleet) -> int:
    async with fleet.operator() as operator:
        [web] = (await operator.status("web"))["services"]
    return int(web["regions"][0]["stale"])


async def test_a_deploy_reaches_a_regions_hosts_at_once(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    host = fleet.node("a", EU_ADDRESS)
    host.announcer.watch(["web"])
    await trio.sleep(5)
    deployed_at = trio.current_time()
    await fleet.deploy("web@1")
    await trio.sleep(1)
    assert host.heard_at("web@1") - deployed_at < 0.1


async def test_a_region_serves_its_copy_while_the_global_tracker_is_gone(fleet: Fleet) -> None:
    central = await fleet.tracker()
    await fleet.region()
    await fleet.deploy("web@1")
    await trio.sleep(1)
    await central.stop()
    await trio.sleep(100)
    assert await releases_at(fleet) == ["web@1"]


async def test_the_copy_survives_a_restart_without_the_global_tracker(fleet: Fleet) -> None:
    central = await fleet.tracker()
    region = await fleet.region()
    await fleet.deploy("web@1")
    await trio.sleep(1)
    await central.stop()
    await region.stop()
    await region.start()
    assert await releases_at(fleet) == ["web@1"]


async def test_a_region_tells_how_old_its_copy_is(fleet: Fleet) -> None:
    central = await fleet.tracker()
    region = await fleet.region()
    await fleet.deploy("web@1")
    await trio.sleep(1)
    await central.stop()
    await region.stop()
    await trio.sleep(100)
    await region.start()
    await trio.sleep(100)
    async with fleet.operator(EU_ADDRESS) as operator:
        age_s = (await operator.status())["tracker"]["upstream_age_s"]
    assert 195 < age_s < 215


async def test_the_copy_is_young_while_the_global_tracker_is_there(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    await trio.sleep(300)
    async with fleet.operator(EU_ADDRESS) as operator:
        assert (await operator.status())["tracker"]["upstream_age_s"] <= 10


async def test_a_region_catches_up_after_a_partition(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    await trio.sleep(5)
    fleet.network.partition("eu")
    await trio.sleep(60)
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    fleet.network.heal()
    await trio.sleep(35)
    assert await releases_at(fleet) == ["web@2"]


async def test_a_region_learns_what_was_deployed_before_it_came(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.deploy("web@1")
    await fleet.deploy("web@2", scope="eu")
    await fleet.region()
    await trio.sleep(2)
    assert await releases_at(fleet) == ["web@2"]


async def test_a_regions_goal_does_not_reach_another_regions_hosts(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region("us")
    await fleet.deploy("web@1")
    await fleet.deploy("web@2", scope="eu")
    await trio.sleep(2)
    host = fleet.node("a", "us:1", region="us")
    host.announcer.watch(["web"])
    await trio.sleep(2)
    assert host.releases == ["web@1"]


async def test_the_global_status_counts_the_hosts_of_all_regions(fleet: Fleet) -> None:
    await fleet.tracker()
    for region in ("eu", "us"):
        await fleet.region(region)
        for number in range(100):
            name = f"{region}{number}"
            fleet.node(name, f"{region}:1", region=region).announcer.report(report(name, region=region))
    await trio.sleep(5)
    async with fleet.operator() as operator:
        [web] = (await operator.status("web"))["services"]
    assert {row["region"]: row["hosts"] for row in web["regions"]} == {"eu": 100, "us": 100}


async def test_progress_reaches_the_global_status_within_seconds(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    host = fleet.node("a", EU_ADDRESS)
    host.announcer.report(report("a", "DOWNLOADING"))
    await trio.sleep(10)
    host.announcer.report(report("a", "VERIFIED"))
    await trio.sleep(2)
    async with fleet.operator() as operator:
        [web] = (await operator.status("web"))["services"]
    assert web["regions"][0]["states"] == {"VERIFIED": 1}


async def test_hosts_of_a_region_that_is_cut_off_turn_stale_and_come_back(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region()
    fleet.node("a", EU_ADDRESS).announcer.report(report("a"))
    await trio.sleep(5)
    fleet.network.partition("eu", "a")
    await trio.sleep(70)
    away = await stale_hosts(fleet)
    fleet.network.heal()
    await trio.sleep(70)
    assert (away, await stale_hosts(fleet)) == (1, 0)


async def test_a_host_goes_to_another_tracker_when_its_own_is_gone_and_comes_home(fleet: Fleet) -> None:
    await fleet.tracker()
    region = await fleet.region()
    await fleet.region("us")
    host = fleet.node("a", EU_ADDRESS, "us:1")
    at = []
    await trio.sleep(30)
    at.append(host.announcer.address)
    await region.stop()
    await trio.sleep(30)
    at.append(host.announcer.address)
    await region.start()
    await trio.sleep(320)
    at.append(host.announcer.address)
    assert at == ["eu:1", "us:1", "eu:1"]


async def test_a_host_that_went_elsewhere_is_still_counted_in_its_region(fleet: Fleet) -> None:
    await fleet.tracker()
    await fleet.region("us")
    fleet.node("a", EU_ADDRESS, "us:1").announcer.report(report("a"))
    await trio.sleep(10)
    async with fleet.operator() as operator:
        [web] = (await operator.status("web"))["services"]
    assert [(row["region"], row["hosts"], row["stale"]) for row in web["regions"]] == [("eu", 1, 0)]


async def test_a_global_tracker_that_lost_its_goals_does_not_take_back_what_regions_know(fleet: Fleet) -> None:
    central = await fleet.tracker()
    await fleet.region()
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    await trio.sleep(1)
    await central.stop()
    central.path += ".new"
    await central.start()
    await trio.sleep(60)
    answer = await fleet.deploy("web@9")
    await trio.sleep(1)
    assert await releases_at(fleet) == ["web@2"]
    assert "revision_floor = 2" in answer["warning"]


async def test_a_revision_floor_lets_a_tracker_that_lost_its_goals_go_on(fleet: Fleet) -> None:
    central = await fleet.tracker(revision_floor=57)
    await fleet.region()
    answer = await fleet.deploy("web@9")
    await central.stop()
    await central.start()
    await trio.sleep(60)
    assert (answer["revision"], await fleet.deploy("web@10"))[0] == 58
    assert await releases_at(fleet) == ["web@10"]
