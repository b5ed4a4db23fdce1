"""What a machine remembers beyond its disk: an older release is refused there, unless a person ordered it."""

from random import Random

import pytest

from p2pd.install import Lifecycle, State
from p2pd.install.actions import CheckHealth, RaiseFloor, Switch
from tests.p2pd.install.test_lifecycle import bring, deed, deploy, goal


def remembering(floor: int | None) -> Lifecycle:
    """A service on an empty disk, on a machine that remembers this much."""
    made = Lifecycle("web", "web", rng=Random(1), floor=floor)
    made.start(None)
    return made


def test_an_older_release_is_refused_on_an_empty_disk() -> None:
    life = remembering(7)
    life.goal(goal("6", 1))
    bring(life, "6")
    assert life.state == State.REFUSED
    assert "sequence 6, it remembers 7" in life.status().error


@pytest.mark.parametrize("version", ["7", "8"])
def test_the_same_or_a_newer_one_is_taken(version: str) -> None:
    life = remembering(7)
    life.goal(goal(version, 1))
    bring(life, version)
    assert isinstance(deed(life), Switch)


def test_a_person_may_order_an_older_one() -> None:
    life = remembering(7)
    life.goal(goal("6", 1, rollback=True))
    bring(life, "6")
    assert isinstance(deed(life), Switch)


def test_a_release_is_remembered_when_it_proved_itself_and_not_before() -> None:
    life = remembering(-1)
    life.goal(goal("3", 1))
    bring(life, "3")
    assert isinstance(deed(life), Switch)
    life.switched()
    assert isinstance(deed(life), CheckHealth)
    life.health(True, "")
    assert deed(life) == RaiseFloor(3)
    life.raised(3)
    assert deed(life) is None


def test_a_rollback_does_not_lower_what_is_remembered() -> None:
    life = remembering(7)
    deploy(life, "6", 1, rollback=True)
    assert deed(life) is None
    life.goal(goal("5", 2))
    bring(life, "5")
    assert life.state == State.REFUSED


def test_what_could_not_be_remembered_is_tried_again_and_said() -> None:
    life = remembering(2)
    deploy(life, "3", 1)
    assert deed(life) == RaiseFloor(3)
    life.not_raised("no TPM answers", 100.0)
    assert (deed(life), life.status().waits_for) == (None, "no TPM answers")
    life.handle_timer(life.next_timer())
    assert deed(life) == RaiseFloor(3)
    life.raised(3)
    assert (deed(life), life.status().waits_for) == (None, "")


def test_a_restart_makes_up_for_what_was_not_remembered() -> None:
    life = remembering(None)
    deploy(life, "3", 1)
    again = Lifecycle("web", "web", rng=Random(1), remembered=life.memory, floor=2)
    again.start(life.memory.running.directory if life.memory.running else None)
    assert deed(again) == RaiseFloor(3)


def test_a_new_goal_does_not_wait_for_the_memory() -> None:
    life = remembering(2)
    deploy(life, "3", 1)
    assert deed(life) == RaiseFloor(3)
    life.goal(goal("4", 2))
    bring(life, "4")
    life.raised(3)
    assert isinstance(deed(life), Switch)


def test_a_machine_that_remembers_nothing_is_not_asked_to() -> None:
    life = remembering(None)
    deploy(life, "3", 1)
    assert deed(life) is None
