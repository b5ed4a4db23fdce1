"""What the operator's commands print and return."""

import json
from argparse import Namespace
from typing import Any

import pytest
import trio

from manifests.console import EXIT_FAILED, EXIT_OK, Console, UnreachableError
from tests.tracker.fleet import GLOBAL_ADDRESS, Fleet, Node
from tracker import commands
from tracker.cli import main

from .nodes import PIECES, SWARM, report, status

DEFAULTS: dict[str, Any] = {
    "tracker": GLOBAL_ADDRESS, "fleet": "", "by": "alice", "service": "web", "region": None, "reason": "",
    "allow_older": False, "to": "", "wait": False, "timeout": 60.0, "hosts": False, "watch": False,
    "key": "", "passphrase_file": None, "source": "eu", "force": False, "deadline": 0.0,
}  # fmt: skip


async def run(fleet: Fleet, command: str, *, as_json: bool = True, **given: Any) -> int:
    """The exit code of a command."""
    arguments = Namespace(**(DEFAULTS | given))
    console = Console(json=as_json, program="p2p-tracker")
    return await commands.OPERATIONS[command](fleet.network.host("desk"), arguments, console)


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


async def host_that_obeys(host: Node, fleet: Fleet, state: str = "VERIFIED", after_s: float = 5.0) -> None:
    """Downloads for a while, then ends in this state."""
    host.announcer.watch(["web"])
    while not host.releases:
        await trio.sleep(0.1)
    async with fleet.operator() as operator:
        revision = (await operator.status())["tracker"]["revision"]
    host.announcer.report(report(host.name, "DOWNLOADING", "", revision=revision, progress=0.5))
    await trio.sleep(after_s)
    host.announcer.report(report(host.name, state, host.releases[-1], revision=revision))


async def test_deploy_prints_the_goal(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    code = await run(fleet, "deploy", release="web@1", reason="faster")
    goal = printed(capsys)
    assert code == EXIT_OK
    assert {name: goal[name] for name in ("service", "scope", "release", "revision", "by", "reason")} == {
        "service": "web", "scope": "global", "release": "web@1", "revision": 1, "by": "alice", "reason": "faster",
    }  # fmt: skip


async def test_a_deadline_is_in_the_goal_and_told(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await run(fleet, "deploy", release="web@1", deadline=900.0)
    goal = printed(capsys)
    assert goal["due"] == goal["at"] + 900.0
    await run(fleet, "deploy", release="web@1", deadline=900.0, as_json=False)
    assert ", due 20" in capsys.readouterr().out


async def test_rollback_prints_where_it_went(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    await run(fleet, "rollback")
    goal = printed(capsys)
    assert (goal["release"], goal["previous"], goal["rollback"]) == ("web@1", "web@2", True)


async def test_deploy_to_one_region(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await run(fleet, "deploy", release="web@1", region="eu")
    assert printed(capsys)["scope"] == "eu"


async def test_going_back_by_a_plain_deploy_is_warned_of(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await fleet.deploy("web@1")
    await fleet.deploy("web@2")
    await run(fleet, "deploy", release="web@1")
    assert "unless by rollback" in printed(capsys)["warning"]


async def test_allow_older_deploys_as_a_rollback(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await run(fleet, "deploy", release="web@1", allow_older=True)
    assert printed(capsys)["rollback"] is True


async def test_wait_ends_when_all_hosts_run_it(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], nursery: trio.Nursery
) -> None:
    await fleet.tracker()
    for name in "ab":
        nursery.start_soon(host_that_obeys, fleet.node(name), fleet)
    began = trio.current_time()
    code = await run(fleet, "deploy", release="web@1", wait=True)
    found = printed(capsys)
    assert (code, found["outcome"], found["settled"]) == (EXIT_OK, "settled", 2)
    assert 5 < trio.current_time() - began < 8


async def test_wait_fails_when_a_host_gives_up(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], nursery: trio.Nursery
) -> None:
    await fleet.tracker()
    nursery.start_soon(host_that_obeys, fleet.node("a"), fleet)
    nursery.start_soon(host_that_obeys, fleet.node("b"), fleet, "FAILED")
    code = await run(fleet, "deploy", release="web@1", wait=True)
    found = printed(capsys)
    assert (code, found["outcome"], found["failed"]) == (EXIT_FAILED, "failed", 1)


async def test_wait_gives_up_in_time(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    code = await run(fleet, "deploy", release="web@1", wait=True)
    assert (code, printed(capsys)["outcome"], trio.current_time() < 65) == (EXIT_FAILED, "timeout", True)


async def test_wait_outlasts_a_restart_of_the_tracker(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], nursery: trio.Nursery
) -> None:
    service = await fleet.tracker()
    nursery.start_soon(host_that_obeys, fleet.node("a"), fleet, "VERIFIED", 10.0)

    async def restart() -> None:
        await trio.sleep(3)
        await service.stop()
        await trio.sleep(3)
        await service.start()

    nursery.start_soon(restart)
    assert await run(fleet, "deploy", release="web@1", wait=True, timeout=120.0) == EXIT_OK


async def test_wait_ends_when_somebody_deploys_something_else(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], nursery: trio.Nursery
) -> None:
    await fleet.tracker()

    async def other() -> None:
        await trio.sleep(5)
        await fleet.deploy("web@2")

    nursery.start_soon(other)
    code = await run(fleet, "deploy", release="web@1", wait=True)
    assert (code, printed(capsys)["outcome"]) == (EXIT_FAILED, "superseded")


async def test_wait_shows_progress_to_a_person(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], nursery: trio.Nursery
) -> None:
    await fleet.tracker()
    nursery.start_soon(host_that_obeys, fleet.node("a"), fleet)
    await run(fleet, "deploy", release="web@1", wait=True, as_json=False)
    assert "0 of 1 hosts run it (50 %)" in capsys.readouterr().err


async def test_status_for_a_person_names_hosts_in_trouble(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await fleet.deploy("web@1")
    fleet.node("a").announcer.report(report("a", "FAILED", error="exit code 3\x1b[2J"))
    await trio.sleep(2)
    await run(fleet, "status", as_json=False)
    assert "a (eu): web FAILED: exit code 3 [2J" in capsys.readouterr().out


async def test_status_with_hosts_lists_them(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    for name in "ab":
        fleet.node(name).announcer.report(report(name))
    await trio.sleep(2)
    await run(fleet, "status", hosts=True)
    assert sorted(host["node"] for host in printed(capsys)["hosts"]) == ["a", "b"]


async def test_swarms_lists_swarms_and_no_services(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    fleet.node("a").announcer.update([status(PIECES)])
    await trio.sleep(1)
    await run(fleet, "swarms")
    found = printed(capsys)
    assert ([row["swarm"] for row in found["swarms"]], "services" in found) == ([SWARM.hex()], False)


@pytest.mark.parametrize("command", ["status", "swarms"])
async def test_an_empty_tracker_can_be_looked_at(
    fleet: Fleet, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await fleet.tracker()
    assert await run(fleet, command, as_json=False) == EXIT_OK


async def test_without_a_tracker_a_command_says_so(fleet: Fleet) -> None:
    with pytest.raises(UnreachableError, match="no tracker at global:1"):
        await run(fleet, "status")


@pytest.mark.parametrize(
    "argv",
    [
        ["deploy", "web", "web@1", "--timeout", "soon"],
        ["deploy", "web", "web@1", "--reason", "x" * 200],
        ["serve", "--region", "eu", "--state-directory", "x"],
        ["serve"],
    ],
)
def test_flags_that_make_no_sense_are_a_usage_error(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(argv)
    except SystemExit as end:
        code = int(end.code or 0)
    assert (code, "Traceback" in capsys.readouterr().err) == (2, False)


async def test_the_audit_shows_who_commanded_what(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await run(fleet, "deploy", release="web@1")
    capsys.readouterr()
    await run(fleet, "audit", what="show", anchor="")
    (record,) = printed(capsys)["records"]
    assert (record["action"], record["service"], record["after"], record["proven"]) == ("deploy", "web", "web@1", False)


async def test_the_audit_verifies_a_chain_longer_than_one_answer(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    await fleet.tracker()
    for version in range(40):
        await run(fleet, "deploy", release=f"web@{version}")
    capsys.readouterr()
    assert await run(fleet, "audit", what="verify", anchor="") == EXIT_OK
    verdict = printed(capsys)
    assert (verdict["ok"], verdict["records"]) == (True, 40)


async def test_a_seal_that_is_not_there_is_a_failure(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await run(fleet, "deploy", release="web@1")
    assert await run(fleet, "audit", what="verify", anchor="00" * 32) == EXIT_FAILED


async def test_a_pause_and_its_end_are_told_and_shown(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await run(fleet, "pause", region="eu", reason="errors")
    assert [(one["service"], one["scope"], one["by"]) for one in printed(capsys)["in_force"]] == [
        ("web", "eu", "alice")
    ]
    await run(fleet, "status", as_json=False)
    shown = capsys.readouterr().out
    assert "PAUSED: web in eu, by alice at" in shown
    assert ": errors" in shown
    await run(fleet, "resume", as_json=False, region="eu")
    assert capsys.readouterr().out == "nothing is paused\n"


async def test_a_pause_of_everything_names_every_service(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    await fleet.tracker()
    await run(fleet, "pause", as_json=False, service="")
    assert capsys.readouterr().out.startswith("PAUSED: every service everywhere, by alice")


async def test_a_promotion_is_seen_through(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], nursery: trio.Nursery
) -> None:
    await fleet.tracker()
    host = fleet.node("a")
    await fleet.deploy("web@1", scope="eu")

    async def follow() -> None:
        while True:
            async with fleet.operator() as operator:
                revision = (await operator.status())["tracker"]["revision"]
            host.announcer.report(report("a", "VERIFIED", "web@1", revision=revision))
            await trio.sleep(1)

    nursery.start_soon(follow)
    await trio.sleep(5)
    code = await run(fleet, "promote", wait=True)
    nursery.cancel_scope.cancel()
    found = printed(capsys)
    assert (code, found["release"], found["scope"], found["previous"]) == (EXIT_OK, "web@1", "global", "")
    assert (found["outcome"], found["settled"]) == ("settled", 1)
