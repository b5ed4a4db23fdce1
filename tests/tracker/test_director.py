"""The global tracker signs what it says should run, and goes on doing so; operators sign what goes back."""

import json
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from manifests.authority import Authority, Signers
from manifests.console import Console
from manifests.keys import load_signer, new_key
from p2pd.goals import RefusedGoalError, judge, sign_as_operator
from p2pd.wire.announce import Goal, Goals
from tests.fakes.world import EPOCH
from tracker import commands
from tracker.client import CommandRefused
from tracker.config import TrackerConfig

from .fleet import EU_ADDRESS, GLOBAL_ADDRESS, Fleet, Node

LIFE_S = 1_500.0


class Keys:
    """The director's and an operator's, in files."""

    def __init__(self, directory: Path) -> None:
        self.director = new_key("director", directory)
        self.operator = new_key("operator", directory)

    @property
    def settings(self) -> dict[str, Any]:
        """Of a tracker that signs."""
        return {"director_key": str(self.director.private), "goal_life_s": LIFE_S}

    @property
    def sign(self) -> Callable[[Goal], Goal]:
        """As alice does."""
        return partial(sign_as_operator, "f", signer=load_signer(self.operator.private))

    def judge(self, goal: Goal) -> frozenset[str]:
        """As a host of region eu does, now."""
        director, operator = (load_signer(pair.private).public_key for pair in (self.director, self.operator))
        authority = Authority(Signers({director.keyid: director}), Signers({operator.keyid: operator}))
        return judge(goal, authority, fleet="f", region="eu", utc=EPOCH + trio.current_time())


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def watching(fleet: Fleet, *addresses: str) -> Node:
    node = fleet.node("host", *addresses)
    node.announcer.watch(["web"])
    return node


def heard(node: Node) -> list[Goal]:
    return [goal for _, message in node.heard if isinstance(message, Goals) for goal in message.goals]


async def test_a_deploy_is_signed_by_the_director(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    node = watching(fleet)
    await fleet.deploy("web@1")
    await trio.sleep(1)
    assert keys.judge(heard(node)[-1]) == {keys.director.keyid}


async def test_a_region_hands_on_what_was_signed(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    await fleet.region()
    node = watching(fleet, EU_ADDRESS)
    await fleet.deploy("web@1")
    await trio.sleep(1)
    assert keys.judge(heard(node)[-1])


async def test_goals_are_signed_anew_before_they_expire(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    await fleet.region()
    node = watching(fleet, EU_ADDRESS)
    await fleet.deploy("web@1")
    await trio.sleep(2 * LIFE_S)
    assert keys.judge(heard(node)[-1])
    assert {goal.revision for goal in heard(node)} == {1}


async def test_signatures_outlive_a_restart(fleet: Fleet, keys: Keys) -> None:
    tracker = await fleet.tracker(**keys.settings)
    await fleet.deploy("web@1")
    await tracker.stop()
    await tracker.start()
    node = watching(fleet)
    await trio.sleep(1)
    assert keys.judge(heard(node)[0])


async def test_a_region_that_was_away_hears_of_newer_signatures(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    region = await fleet.region()
    await fleet.deploy("web@1")
    await trio.sleep(1)
    await region.stop()
    await trio.sleep(2 * LIFE_S)
    await region.start()
    await trio.sleep(1)
    node = watching(fleet, EU_ADDRESS)
    await trio.sleep(1)
    assert keys.judge(heard(node)[-1])


async def test_goals_from_before_there_was_a_director_are_signed(fleet: Fleet, keys: Keys) -> None:
    tracker = await fleet.tracker()
    await fleet.deploy("web@1")
    await tracker.stop()
    tracker.config = TrackerConfig(listen=GLOBAL_ADDRESS, fleet="f", open_operators=True, **keys.settings)
    await tracker.start()
    node = watching(fleet)
    await trio.sleep(1)
    assert keys.judge(heard(node)[-1])


async def test_a_rollback_without_an_operators_key_is_refused(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    async with fleet.operator() as operator:
        with pytest.raises(CommandRefused, match="--key"):
            await operator.rollback("web", release="web@1")


async def test_an_operators_rollback_counts_on_hosts(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    node = watching(fleet)
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    async with fleet.operator() as operator:
        done = await operator.rollback("web", release="web@1", sign=keys.sign)
    await trio.sleep(1)
    goal = heard(node)[-1]
    assert (done["release"], goal.release, goal.rollback) == ("web@1", "web@1", True)
    assert keys.judge(goal)


async def test_an_operators_rollback_still_counts_when_the_director_has_signed_anew(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    node = watching(fleet)
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    async with fleet.operator() as operator:
        await operator.rollback("web", release="web@1", sign=keys.sign)
    await trio.sleep(2 * LIFE_S)
    assert heard(node)[-1].rollback
    assert keys.judge(heard(node)[-1])


async def test_nobody_signs_for_where_a_tracker_would_go_back_to(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    async with fleet.operator() as operator:
        with pytest.raises(CommandRefused, match="--to web@1"):
            await operator.rollback("web", sign=keys.sign)


async def test_an_order_that_came_after_another_command_is_refused(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)
    await fleet.deploy("web@1")

    def sign_slowly(goal: Goal) -> Goal:
        return keys.sign(msgspec.structs.replace(goal, revision=goal.revision - 1))

    async with fleet.operator() as operator:
        with pytest.raises(CommandRefused, match="another command came first"):
            await operator.deploy("web", "web@2", sign=sign_slowly)


async def test_a_draft_changes_nothing(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker(**keys.settings)

    def think_again(goal: Goal) -> Goal:
        raise KeyboardInterrupt

    async with fleet.operator() as operator:
        with pytest.raises(KeyboardInterrupt):
            await operator.deploy("web", "web@1", sign=think_again)
        assert (await operator.status())["tracker"]["revision"] == 0


async def test_the_command_signs_with_the_key_of_a_file(
    fleet: Fleet, keys: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    await fleet.tracker(**keys.settings)
    node = watching(fleet)
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    arguments = Namespace(
        tracker=GLOBAL_ADDRESS, fleet="f", by="alice", service="web", region=None, reason="", to="web@1", wait=False,
        key=str(keys.operator.private), passphrase_file=None,
    )  # fmt: skip
    await commands.rollback(fleet.network.host("desk"), arguments, Console(json=True))
    assert json.loads(capsys.readouterr().out)["release"] == "web@1"
    await trio.sleep(1)
    assert keys.judge(heard(node)[-1])


async def test_without_a_director_goals_are_not_signed(fleet: Fleet, keys: Keys) -> None:
    await fleet.tracker()
    node = watching(fleet)
    await fleet.deploy("web@1")
    await trio.sleep(1)
    with pytest.raises(RefusedGoalError, match="not signed"):
        keys.judge(heard(node)[-1])


@pytest.mark.parametrize(
    "settings", [{"region": "eu", "upstream": "a:1", "director_key": "x"}, {"goal_life_s": 40 * 86_400.0}]
)
def test_what_can_not_work_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"director_key|goal_life_s"):
        TrackerConfig(**settings)
