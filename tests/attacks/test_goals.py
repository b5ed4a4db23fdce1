"""The tracker is the attacker's: what it says should run does not run unless those said so who may."""

import msgspec
import pytest
import trio
from trio.testing import MockClock

from tests.attacks.siege import DAY_S, Siege, nothing_visible
from tests.manifests.factory import new_signer
from tests.stories.publisher import changed, make_files
from tracker.config import TrackerConfig

HUGE = 2**63 - 1


async def test_a_forged_goal_is_refused(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    forged = siege.signed(siege.goal("shop@1"), director=new_signer())
    assert "not signed by this fleet's director" in await siege.refused(host, forged)
    assert nothing_visible(host)


async def test_an_unsigned_goal_is_refused_where_there_is_a_director(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    assert "not signed" in await siege.refused(host, siege.goal("shop@1"))


async def test_what_the_director_signed_runs(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.signed(siege.goal("shop@1")))


@pytest.mark.parametrize("field, value", [("release", "shop@2"), ("revision", 2), ("service", "shop2"), ("at", 1.0)])
async def test_a_signed_goal_can_not_be_changed(
    siege: Siege, autojump_clock: MockClock, field: str, value: object
) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.direct()
    host = await siege.host()
    forged = msgspec.structs.replace(siege.signed(siege.goal("shop@1", 1)), **{field: value})
    await siege.tracker.say(forged)
    await trio.sleep(30)
    assert nothing_visible(host)


async def test_a_goal_state_of_another_region_is_refused(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    elsewhere = siege.signed(siege.goal("shop@1", scope="us"))
    assert await siege.refused(host, elsewhere) == "goal 1 of shop is for us, this is eu"


async def test_a_goal_state_of_another_region_is_refused_where_goals_are_not_signed_too(
    siege: Siege, autojump_clock: MockClock
) -> None:
    siege.publish("shop@1")
    host = await siege.host()
    assert "this is eu" in await siege.refused(host, siege.goal("shop@1", scope="us"))


async def test_a_goal_of_another_region_can_not_be_relabelled(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    relabelled = msgspec.structs.replace(siege.signed(siege.goal("shop@1", scope="us")), scope="eu")
    assert "not signed" in await siege.refused(host, relabelled)


async def test_a_goal_of_another_fleet_with_the_same_director_is_refused(
    siege: Siege, autojump_clock: MockClock
) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    assert "not signed" in await siege.refused(host, siege.signed(siege.goal("shop@1"), fleet="staging"))


async def test_a_replayed_goal_state_is_not_followed(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.direct()
    host = await siege.host()
    older, newer = siege.signed(siege.goal("shop@1")), siege.signed(siege.goal("shop@2"))
    await siege.runs(host, "shop@1", older)
    await siege.runs(host, "shop@2", newer)
    await siege.tracker.say(older)
    await trio.sleep(30)
    assert host.runs("shop@2")


async def test_a_replayed_goal_state_is_not_followed_after_a_restart_either(
    siege: Siege, autojump_clock: MockClock
) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.direct()
    host = await siege.host()
    older, newer = siege.signed(siege.goal("shop@1")), siege.signed(siege.goal("shop@2"))
    await siege.runs(host, "shop@2", newer)
    await host.kill()
    await siege.tracker.say(older)
    await host.start()
    await trio.sleep(30)
    assert host.runs("shop@2")


async def test_a_goal_state_replayed_to_a_new_machine_expires(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    old = siege.signed(siege.goal("shop@1"), life_s=DAY_S / 2)
    await trio.sleep(DAY_S)
    host = await siege.host()
    assert "has expired" in await siege.refused(host, old)
    assert nothing_visible(host)


@pytest.mark.parametrize("skew_s", [-DAY_S, DAY_S])
async def test_a_host_whose_clock_is_a_day_off_follows_what_was_signed_just_now(
    siege: Siege, autojump_clock: MockClock, skew_s: float
) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    host.skew_s = skew_s
    await siege.runs(host, "shop@1", siege.signed(siege.goal("shop@1"), life_s=TrackerConfig().goal_life_s))


async def test_a_goal_that_lasts_for_ever_is_refused(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    assert "lasts longer" in await siege.refused(host, siege.signed(siege.goal("shop@1"), life_s=400 * DAY_S))


async def test_a_forged_revision_does_not_shut_out_true_goals(siege: Siege, autojump_clock: MockClock) -> None:
    """Fast-forward by a tracker without the director's key."""
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    await siege.refused(host, siege.goal("shop@1", HUGE))
    await siege.runs(host, "shop@1", siege.signed(siege.goal("shop@1", 1)))


async def test_a_compromised_director_can_not_run_what_the_parties_did_not_approve(
    siege: Siege, autojump_clock: MockClock
) -> None:
    siege.publish("shop@1", parties=("build",))
    siege.direct()
    host = await siege.host()
    assert "release party is missing" in await siege.refused(host, siege.signed(siege.goal("shop@1")))


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_compromised_director_can_not_go_back(siege: Siege, autojump_clock: MockClock, ordered: bool) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.direct()
    host = await siege.host()
    await siege.runs(host, "shop@2", siege.signed(siege.goal("shop@2")))
    reason = await siege.refused(host, siege.signed(siege.goal("shop@1", rollback=ordered)))
    assert ("without an operator's signature" if ordered else "is older than") in reason


async def test_an_operator_can_go_back(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.direct()
    host = await siege.host()
    await siege.runs(host, "shop@2", siege.signed(siege.goal("shop@2")))
    await siege.runs(host, "shop@1", siege.signed(siege.goal("shop@1", rollback=True), operator=siege.operator))


async def test_an_operators_order_can_not_be_played_again(siege: Siege, autojump_clock: MockClock) -> None:
    """The director is compromised, and has kept an order to go back to shop@1 from long ago."""
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.direct()
    host = await siege.host()
    order = siege.signed(siege.goal("shop@1", 5, rollback=True), operator=siege.operator)
    await siege.runs(host, "shop@2", siege.signed(siege.goal("shop@2", 6)))
    renumbered = siege.signed(msgspec.structs.replace(order, revision=7))
    assert "without an operator's signature" in await siege.refused(host, renumbered)
    await siege.tracker.say(siege.signed(order))
    await trio.sleep(30)
    assert host.runs("shop@2")


async def test_an_operators_key_alone_sets_no_goal(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    host = await siege.host()
    alone = siege.signed(siege.goal("shop@1"), director=siege.operator)
    assert "not signed by this fleet's director" in await siege.refused(host, alone)


async def test_a_fast_forward_by_a_compromised_director_is_recovered_from_by_its_replacement(
    siege: Siege, autojump_clock: MockClock
) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.direct()
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.signed(siege.goal("shop@1", HUGE)))
    siege.director = new_signer()
    siege.direct()
    await siege.runs(host, "shop@2", siege.signed(siege.goal("shop@2", 1)), within_s=200)


async def test_a_revoked_directors_goals_are_refused(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.direct()
    thief, siege.director = siege.director, new_signer()
    siege.direct()
    host = await siege.host()
    assert "not signed" in await siege.refused(host, siege.signed(siege.goal("shop@1"), director=thief))
