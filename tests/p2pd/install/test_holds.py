"""A pause stops a release before anything can be seen of it, and nothing that is on trial."""

from p2pd.install import Hold, Lifecycle, State
from p2pd.install.actions import CheckHealth, Download, Resolve, Switch
from p2pd.install.memory import decode, encode

from .test_lifecycle import brain, bring, deed, deploy, goal

PAUSE = Hold(5, "web paused everywhere by ann: errors")


def test_a_paused_service_begins_with_nothing() -> None:
    life = brain()
    life.hold(PAUSE)
    life.goal(goal("1", 6))
    assert deed(life) is None
    assert (life.state, life.status().waits_for) == (State.CHECKING, PAUSE.why)


def test_a_download_under_way_stops_and_goes_on_afterwards() -> None:
    life = brain()
    life.goal(goal("1", 4))
    deed(life)
    life.resolved("web@1", "ab" * 32, "releases/1-abababab")
    assert isinstance(deed(life), Download)
    life.hold(PAUSE)
    assert (deed(life), life.at_work) == (None, False)
    life.hold(None)
    assert isinstance(deed(life), Download)


def test_what_was_stopped_and_comes_all_the_same_changes_nothing() -> None:
    life = brain()
    life.goal(goal("1", 4))
    assert isinstance(deed(life), Resolve)
    life.hold(PAUSE)
    life.resolved("web@1", "ab" * 32, "releases/1-abababab")
    assert (life.state, deed(life)) == (State.CHECKING, None)


def test_what_is_downloaded_is_not_switched_to() -> None:
    life = brain()
    life.goal(goal("1", 4))
    bring(life, "1")
    life.hold(PAUSE)
    assert (life.state, deed(life)) == (State.DOWNLOADED, None)
    life.hold(None)
    assert isinstance(deed(life), Switch)


def test_a_release_on_trial_gets_its_verdict() -> None:
    life = brain()
    life.goal(goal("1", 4))
    bring(life, "1")
    assert isinstance(deed(life), Switch)
    life.hold(PAUSE)
    life.switched()
    assert isinstance(deed(life), CheckHealth)
    life.health(True, "")
    assert life.state == State.VERIFIED


def test_a_rollback_that_was_ordered_later_goes_through() -> None:
    life = brain()
    deploy(life, "1", 3)
    deploy(life, "2", 4)
    life.hold(PAUSE)
    life.goal(goal("1", 6, rollback=True))
    assert deed(life) == Resolve("web@1")


def test_a_rollback_that_was_ordered_before_is_stopped() -> None:
    life = brain()
    deploy(life, "2", 3)
    life.goal(goal("1", 4, rollback=True))
    life.hold(PAUSE)
    assert deed(life) is None


def test_what_runs_is_left_alone_and_waits_for_nothing() -> None:
    life = brain()
    deploy(life, "1", 4)
    life.hold(PAUSE)
    assert (deed(life), life.state, life.status().waits_for) == (None, State.VERIFIED, "")


def test_a_pause_outlives_the_daemon() -> None:
    life = brain()
    life.goal(goal("1", 4))
    life.hold(PAUSE)
    assert deed(life) is None
    assert deed(brain(decode(encode(life.memory)))) is None


def test_a_wait_for_another_try_ends_with_the_pause() -> None:
    life: Lifecycle = brain()
    life.goal(goal("1", 4))
    deed(life)
    life.unreachable("web@1", "nobody there", 10.0)
    life.hold(PAUSE)
    life.hold(None)
    assert deed(life) == Resolve("web@1")
