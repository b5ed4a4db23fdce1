"""What the status says of hosts and goals, and what a wait makes of it."""

from typing import Any

import pytest

from p2pd.wire.announce import Done, Goal, ServiceReport
from p2pd.wire.codec import encode
from p2pd.wire.framing import CONTROL_BYTES_MAX
from tracker.display import clean
from tracker.goals.goals import Goals
from tracker.reports import Reports
from tracker.status import hosts_status, services_status
from tracker.waiting import Outlook, outlook

from .nodes import goal, report


def services(goals: list[Goal], reports: list[ServiceReport]) -> list[dict[str, Any]]:
    held = Reports(1000)
    for one in reports:
        held.put(one, one.node)
    return services_status(Goals(goals), held, "")


def row(goals: list[Goal], *reports: ServiceReport) -> dict[str, Any]:
    [service] = services(goals, list(reports))
    [found] = service["regions"]
    return {name: found[name] for name in ("hosts", "settled", "failed", "stale")}


def test_a_host_that_runs_the_goal_and_is_verified_is_settled() -> None:
    assert row([goal(1, "web@1")], report()) == {"hosts": 1, "settled": 1, "failed": 0, "stale": 0}


def test_a_host_that_has_not_heard_of_the_newest_goal_is_not_settled() -> None:
    assert row([goal(2, "web@1")], report(revision=1))["settled"] == 0


def test_a_host_on_trial_is_not_settled() -> None:
    assert row([goal(1, "web@1")], report(state="INSTALLED"))["settled"] == 0


def test_a_host_that_gave_up_is_failed() -> None:
    assert row([goal(2, "web@2")], report(state="FAILED", revision=2))["failed"] == 1


def test_a_failure_of_an_earlier_goal_is_not_counted_against_the_newest() -> None:
    assert row([goal(3, "web@3")], report(state="FAILED", revision=2))["failed"] == 0


def test_a_stale_host_counts_only_as_such() -> None:
    assert row([goal(1, "web@1")], report(stale=True)) == {"hosts": 1, "settled": 0, "failed": 0, "stale": 1}


def test_a_region_with_a_goal_of_its_own_is_measured_by_it() -> None:
    [service] = services([goal(1, "web@1"), goal(2, "web@2", "us")], [report(), report("b", region="us")])
    assert {found["region"]: found["settled"] for found in service["regions"]} == {"eu": 1, "us": 0}


def test_hosts_in_trouble_are_named_with_their_error() -> None:
    [service] = services([goal(1, "web@1")], [report(state="FAILED", error="exit code 3")])
    assert service["troubled"][0]["error"] == "exit code 3"


def test_hosts_that_say_much_can_not_make_the_answer_too_long() -> None:
    held = Reports(10_000)
    for number in range(1000):
        held.put(report(f"n{number}", error="é" * 512), "x")
    rows, left_out = hosts_status(held, "")
    assert len(encode(Done(1, {"hosts": rows}))) < CONTROL_BYTES_MAX
    assert len(rows) + left_out == 1000


def seen(goals: list[Goal], *reports: ServiceReport, scope: str = "global", revision: int = 1) -> Outlook:
    answer = {"services": services(goals, list(reports))}
    return outlook(answer, {"service": "web", "scope": scope, "revision": revision})


def test_a_wait_ends_well_when_all_hosts_run_it() -> None:
    assert seen([goal(1, "web@1")], report("a"), report("b")).outcome == "settled"


def test_a_wait_goes_on_while_a_host_moves() -> None:
    assert seen([goal(1, "web@1")], report("a"), report("b", "DOWNLOADING")).outcome == "waiting"


def test_a_wait_goes_on_while_no_host_has_reported() -> None:
    assert seen([goal(1, "web@1")]).outcome == "waiting"


def test_a_wait_ends_badly_when_the_rest_gave_up() -> None:
    found = seen([goal(1, "web@1")], report("a"), report("b", "FAILED"))
    assert (found.outcome, found.failed) == ("failed", 1)


def test_a_wait_does_not_look_at_other_regions() -> None:
    found = seen([goal(1, "web@1", "eu")], report("a"), report("b", "DOWNLOADING", region="us"), scope="eu")
    assert found.outcome == "settled"


def test_a_wait_ends_when_a_newer_goal_came() -> None:
    assert seen([goal(1, "web@1"), goal(2, "web@2")], report("a")).outcome == "superseded"


def test_a_wait_for_all_is_not_superseded_by_a_region() -> None:
    goals = [goal(1, "web@1"), goal(2, "web@2", "us")]
    assert seen(goals, report("a"), report("b", region="us")).outcome == "settled"


def test_silent_hosts_are_told_of_but_not_waited_for() -> None:
    found = seen([goal(1, "web@1")], report("a"), report("b", stale=True))
    assert (found.outcome, str(found)) == ("settled", "1 of 1 hosts run it, 1 silent (100 %)")


@pytest.mark.parametrize("said", ["\x1b[2Jgone", "two\nlines", "\x9b31mred"])
def test_what_hosts_say_can_not_steer_the_operators_terminal(said: str) -> None:
    assert clean(said).isprintable()
