"""The lifecycle brain alone: what it decides, told what happened."""

from random import Random
from typing import Any

import pytest

from p2pd.install import Lifecycle, Memory, State
from p2pd.install.actions import Action, CheckHealth, Download, GoBack, Persist, Report, Resolve, Switch
from p2pd.install.memory import Candidate, decode, encode
from p2pd.install.states import TABLE, Event
from p2pd.wire.announce import Goal


def brain(memory: Memory | None = None, found: str | None = None) -> Lifecycle:
    made = Lifecycle("web", "web", rng=Random(1), remembered=memory)
    made.start(found)
    return made


def goal(version: str, revision: int, *, rollback: bool = False) -> Goal:
    return Goal("web", "global", f"web@{version}" if version else "", revision, rollback)


def deed(life: Lifecycle) -> Action | None:
    """The next action that is neither Persist nor Report."""
    while True:
        action = life.next_action()
        if isinstance(action, Persist):
            life.persisted(action.memory)
        elif not isinstance(action, Report):
            return action


def bring(life: Lifecycle, version: str, sequence: int | None = None) -> None:
    """Through look-up and download of the goal's release."""
    release = f"web@{version}"
    assert deed(life) == Resolve(release)
    life.resolved(release, "ab" * 32, f"releases/{version}-abababab")
    assert deed(life) == Download(release, "ab" * 32, f"releases/{version}-abababab")
    life.downloaded(release, int(version) if sequence is None else sequence, None)


def deploy(life: Lifecycle, version: str, revision: int, **options: Any) -> None:
    """All the way to VERIFIED."""
    assert life.goal(goal(version, revision, **options))
    bring(life, version)
    assert isinstance(deed(life), Switch)
    life.switched()
    assert isinstance(deed(life), CheckHealth)
    life.health(True, "")


def fail(life: Lifecycle, version: str, revision: int) -> None:
    """To the point where the health check said no."""
    assert life.goal(goal(version, revision))
    bring(life, version)
    deed(life)
    life.switched()
    deed(life)
    life.health(False, "no database\n")


def restarted(life: Lifecycle, found: str | None) -> Lifecycle:
    """The same service in a new process that read what was persisted."""
    return brain(decode(encode(life.memory)), found)


def test_without_a_goal_there_is_nothing_to_do() -> None:
    life = brain()
    assert isinstance(life.next_action(), Report)
    assert life.next_action() is None
    assert life.state == State.IDLE


def test_a_goal_is_followed_to_the_end() -> None:
    life = brain()
    deploy(life, "1", 1)
    assert (life.state, life.running_release, deed(life)) == (State.VERIFIED, "web@1", None)


def test_every_deed_waits_until_what_it_means_is_durable() -> None:
    life = brain()
    life.goal(goal("1", 1))
    first = life.next_action()
    assert isinstance(first, Persist)
    assert life.next_action() == first
    life.persisted(first.memory)
    assert isinstance(life.next_action(), Report)
    assert life.next_action() == Resolve("web@1")


def test_the_intention_to_switch_is_durable_before_the_switch() -> None:
    life = brain()
    life.goal(goal("1", 1))
    bring(life, "1")
    seen = []
    while not isinstance(action := life.next_action(), Switch):
        if isinstance(action, Persist):
            seen.append(action.memory.state)
            life.persisted(action.memory)
    assert seen == ["DOWNLOADED", "INSTALLING"]


def test_a_deed_is_handed_out_once() -> None:
    life = brain()
    life.goal(goal("1", 1))
    assert deed(life) == Resolve("web@1")
    assert deed(life) is None


def test_an_older_goal_is_refused() -> None:
    life = brain()
    deploy(life, "2", 7)
    assert not life.goal(goal("1", 6))
    assert not life.goal(goal("1", 7))
    assert life.status().goal_release == "web@2"


def test_an_older_goal_is_refused_after_a_restart_too() -> None:
    life = brain()
    deploy(life, "2", 7)
    assert not restarted(life, "releases/2-abababab").goal(goal("1", 6))


def test_a_goal_of_another_service_is_none_of_ours() -> None:
    assert not brain().goal(Goal("db", "global", "web@1", 1))


def test_a_release_of_another_product_is_refused() -> None:
    life = brain()
    life.goal(Goal("web", "global", "db@1", 1))
    assert deed(life) is None
    assert (life.state, life.next_timer()) == (State.REFUSED, float("inf"))
    assert "db@1 is no release of web" in life.status().error


def test_an_empty_goal_leaves_what_runs_alone() -> None:
    life = brain()
    deploy(life, "1", 1)
    life.goal(goal("", 2))
    assert (life.state, life.running_release, deed(life)) == (State.IDLE, "web@1", None)


def test_an_older_release_needs_an_ordered_rollback() -> None:
    life = brain()
    deploy(life, "2", 1)
    life.goal(goal("1", 2))
    bring(life, "1")
    assert deed(life) is None
    assert life.state == State.REFUSED
    assert life.status().error == "web@1 is older than web@2, and no rollback was ordered"


def test_an_ordered_rollback_goes_to_an_older_release() -> None:
    life = brain()
    deploy(life, "2", 1)
    deploy(life, "1", 2, rollback=True)
    assert life.running_release == "web@1"


def test_after_a_rollback_the_newer_release_may_come_again() -> None:
    life = brain()
    deploy(life, "2", 1)
    deploy(life, "1", 2, rollback=True)
    deploy(life, "2", 3)
    assert life.running_release == "web@2"


def test_an_unhealthy_release_is_taken_back() -> None:
    life = brain()
    deploy(life, "1", 1)
    fail(life, "2", 2)
    back = deed(life)
    assert isinstance(back, GoBack)
    assert back.target is not None
    assert back.target.release == "web@1"
    life.went_back()
    status = life.status()
    assert (status.state, status.running_release) == ("FAILED", "web@1")
    assert status.error == "health check of web@2: no database"
    assert status.waits_for == "a goal newer than revision 2"


def test_the_first_release_ever_goes_back_to_nothing() -> None:
    life = brain()
    fail(life, "1", 1)
    assert deed(life) == GoBack(None)


def test_a_failed_release_is_not_tried_again_for_the_same_goal() -> None:
    life = brain()
    deploy(life, "1", 1)
    fail(life, "2", 2)
    deed(life)
    life.went_back()
    again = restarted(life, "releases/1-abababab")
    assert not again.goal(goal("2", 2))
    assert deed(again) is None
    assert again.state == State.FAILED


def test_a_failed_release_is_tried_again_when_a_newer_goal_names_it() -> None:
    life = brain()
    fail(life, "2", 2)
    deed(life)
    life.went_back()
    deploy(life, "2", 3)
    assert life.running_release == "web@2"


def test_a_goal_that_comes_during_the_trial_waits_for_the_verdict() -> None:
    life = brain()
    life.goal(goal("1", 1))
    bring(life, "1")
    deed(life)
    life.switched()
    assert isinstance(deed(life), CheckHealth)
    assert life.goal(goal("2", 2))
    assert (deed(life), life.state, life.status().goal_release) == (None, State.INSTALLED, "web@2")
    life.health(True, "")
    assert deed(life) == Resolve("web@2")


def test_a_waiting_goal_outlives_a_restart() -> None:
    life = brain()
    life.goal(goal("1", 1))
    bring(life, "1")
    deed(life)
    life.goal(goal("2", 2))
    again = restarted(life, None)
    assert isinstance(deed(again), Switch)
    again.switched()
    deed(again)
    again.health(True, "")
    assert deed(again) == Resolve("web@2")


def test_a_new_goal_replaces_a_download_at_once() -> None:
    life = brain()
    life.goal(goal("1", 1))
    deed(life)
    life.resolved("web@1", "ab" * 32, "releases/1-abababab")
    assert isinstance(deed(life), Download)
    life.goal(goal("2", 2))
    assert deed(life) == Resolve("web@2")
    life.downloaded("web@1", 1, None)
    life.blocked("web@1", "late", 0.0)
    assert life.state == State.CHECKING


def test_a_goal_for_what_runs_ends_a_download() -> None:
    life = brain()
    deploy(life, "1", 1)
    life.goal(goal("2", 2))
    assert deed(life) == Resolve("web@2")
    life.goal(goal("1", 3))
    assert (life.state, life.at_work, deed(life)) == (State.VERIFIED, False, None)


@pytest.mark.parametrize("outcome", ["refused", "blocked", "unreachable"])
def test_a_setback_is_tried_again_later(outcome: str) -> None:
    life = brain()
    life.goal(goal("1", 1))
    deed(life)
    getattr(life, outcome)("web@1", "because", 100.0)
    assert deed(life) is None
    assert 100.0 <= life.next_timer() <= 101.0
    assert life.status().waits_for == "because"
    life.handle_timer(life.next_timer())
    assert deed(life) == Resolve("web@1")


def test_pauses_between_tries_grow() -> None:
    life = brain()
    life.goal(goal("1", 1))
    pauses = []
    for _ in range(12):
        deed(life)
        life.blocked("web@1", "no room", 0.0)
        pauses.append(life.next_timer())
        life.handle_timer(life.next_timer())
    assert max(pauses[:3]) <= 4.0
    assert 10.0 < max(pauses) <= 120.0


def test_an_early_timer_changes_nothing() -> None:
    life = brain()
    life.goal(goal("1", 1))
    deed(life)
    life.blocked("web@1", "no room", 50.0)
    life.handle_timer(49.0)
    assert (life.state, deed(life)) == (State.BLOCKED, None)


def test_going_back_is_tried_until_it_succeeds_and_keeps_the_reason() -> None:
    life = brain()
    deploy(life, "1", 1)
    fail(life, "2", 2)
    deed(life)
    life.blocked("web@1", "the disk says no", 0.0)
    life.handle_timer(life.next_timer())
    assert isinstance(deed(life), GoBack)
    life.went_back()
    assert life.status().error == "health check of web@2: no database"


@pytest.mark.parametrize(
    ("until", "expected"),
    [("INSTALLING", Switch), ("INSTALLED", CheckHealth), ("REVERTING", GoBack), ("DOWNLOADING", Download)],
)
def test_an_interrupted_deed_is_done_again(until: str, expected: type) -> None:
    life = brain()
    deploy(life, "1", 1)
    life.goal(goal("2", 2))
    deed(life)
    life.resolved("web@2", "ab" * 32, "releases/2-abababab")
    deed(life)
    if until != "DOWNLOADING":
        life.downloaded("web@2", 2, None)
        deed(life)
    if until in ("INSTALLED", "REVERTING"):
        life.switched()
        deed(life)
    if until == "REVERTING":
        life.health(False, "")
    assert life.state == until
    again = restarted(life, "releases/1-abababab")
    assert isinstance(deed(again), expected)


def test_a_release_that_vanished_while_nobody_looked_is_brought_again() -> None:
    life = brain()
    deploy(life, "1", 1)
    again = restarted(life, None)
    assert deed(again) == Resolve("web@1")


def test_what_runs_unknown_to_us_is_what_a_first_failure_goes_back_to() -> None:
    life = brain(found="releases/by-hand")
    fail(life, "1", 1)
    assert deed(life) == GoBack(Candidate("", "releases/by-hand"))


def test_however_much_is_said_it_fits_a_report() -> None:
    life = brain()
    life.goal(Goal("web", "global", f"web@{'9' * 64}", 1))
    deed(life)
    life.refused(life.status().goal_release, "because " * 1000, 0.0)
    assert len(life.status().error) == len(life.status().waits_for) == 512
    life = brain()
    deploy(life, "1", 1)
    life.goal(goal("2", 2))
    bring(life, "2")
    deed(life)
    life.switched()
    deed(life)
    life.health(False, "x" * 8000 + "the end")
    assert len(life.status().error) < 512
    assert life.status().error.endswith("the end")


def test_the_memory_survives_its_encoding() -> None:
    life = brain()
    deploy(life, "1", 1)
    fail(life, "2", 2)
    assert decode(encode(life.memory)) == life.memory


def test_every_state_of_the_table_can_be_left_or_is_at_rest() -> None:
    assert set(TABLE) == set(State)
    at_rest = {state for state in State if not TABLE[state]}
    assert at_rest == {State.IDLE, State.VERIFIED, State.FAILED}
    assert {event for row in TABLE.values() for event in row} == set(Event)


def test_what_can_not_happen_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="switched in state IDLE"):
        brain().switched()
