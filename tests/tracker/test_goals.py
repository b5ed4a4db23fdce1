"""What a service should run, by scope."""

import pytest

from p2pd.wire.announce import SERVICES_MAX, Deploy, Goal, Rollback
from tracker.errors import RefusalError
from tracker.goals.goals import HISTORY_MAX, Goals

from .nodes import goal


def release_in(goals: Goals, region: str) -> str | None:
    found = goals.effective("web", region)
    return found.release if found else None


def deploy(goals: Goals, release: str, scope: str = "global", service: str = "web") -> Goal:
    decided = goals.deploy(Deploy(1, service, release, scope), "alice", 7.0)
    goals.apply(decided)
    return decided


def roll_back(goals: Goals, release: str = "", scope: str = "global") -> Goal:
    decided = goals.rollback(Rollback(1, "web", scope, release), "bob", 8.0)
    goals.apply(decided)
    return decided


def test_a_region_without_a_goal_of_its_own_follows_the_global_one() -> None:
    assert release_in(Goals([goal(1, "web@1")]), "eu") == "web@1"


def test_a_newer_goal_of_the_region_wins() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "web@2", "eu")])
    assert (release_in(goals, "eu"), release_in(goals, "us")) == ("web@2", "web@1")


def test_a_newer_global_goal_wins_over_the_regions() -> None:
    assert release_in(Goals([goal(1, "web@1", "eu"), goal(2, "web@2")]), "eu") == "web@2"


def test_a_command_changes_nothing_until_it_is_durable() -> None:
    goals = Goals()
    decided = goals.deploy(Deploy(1, "web", "web@1", "global"), "alice", 7.0)
    before = release_in(goals, "eu")
    goals.apply(decided)
    assert (before, release_in(goals, "eu")) == (None, "web@1")


def test_a_goal_tells_who_when_and_why() -> None:
    decided = Goals().deploy(Deploy(1, "web", "web@1", "eu", False, "x", "faster"), "alice", 7.0)
    assert decided == Goal("web", "eu", "web@1", 1, False, "alice", 7.0, "faster")


def test_revisions_count_all_commands() -> None:
    goals = Goals()
    assert [deploy(goals, "web@1").revision, deploy(goals, "db@1", service="db").revision] == [1, 2]


def test_a_rollback_orders_the_release_before() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "web@2")])
    decided = roll_back(goals)
    assert (decided.release, decided.rollback, decided.revision) == ("web@1", True, 3)


def test_a_region_goes_back_to_what_it_ran_before_even_if_that_was_global() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "web@2")])
    roll_back(goals, scope="eu")
    assert (release_in(goals, "eu"), release_in(goals, "us")) == ("web@1", "web@2")


def test_a_global_rollback_does_not_look_at_regions() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "web@9", "eu"), goal(3, "web@2")])
    assert roll_back(goals).release == "web@1"


def test_a_rollback_to_a_named_release() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "web@2"), goal(3, "web@3")])
    assert roll_back(goals, "web@1").release == "web@1"


def test_a_typing_mistake_in_a_rollback_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(RefusalError, match=r"never deployed.*web@2, web@1"):
        roll_back(Goals([goal(1, "web@1"), goal(2, "web@2")]), "web@l")


def test_a_rollback_of_an_unknown_service_is_refused() -> None:
    with pytest.raises(RefusalError, match="nothing was ever deployed"):
        roll_back(Goals())


def test_a_rollback_from_the_first_release_is_refused() -> None:
    with pytest.raises(RefusalError, match="nothing came before web@1"):
        roll_back(Goals([goal(1, "web@1")]))


@pytest.mark.parametrize("release", ["web", "web@", "@1", "Web@1", "web@1\n", "web@../1", "w" * 65 + "@1"])
def test_what_is_no_release_is_refused(release: str) -> None:
    with pytest.raises(RefusalError, match="release"):
        deploy(Goals(), release)


@pytest.mark.parametrize("scope", ["", "EU", "eu west", "../eu"])
def test_what_is_no_region_is_refused(scope: str) -> None:
    with pytest.raises(RefusalError, match="region"):
        deploy(Goals(), "web@1", scope)


def test_what_is_no_service_is_refused() -> None:
    with pytest.raises(RefusalError, match="service"):
        deploy(Goals(), "web@1", service="web/../../etc")


def test_a_deadline_counts_from_the_command() -> None:
    soon = Deploy(1, "web", "web@1", "global", deadline_s=900.0)
    assert Goals().deploy(soon, "ann", 1_000.0).due == 1_900.0
    assert Goals().deploy(Deploy(1, "web", "web@1", "global"), "ann", 1_000.0).due == 0.0


def test_nothing_can_be_deployed() -> None:
    goals = Goals([goal(1, "web@1")])
    deploy(goals, "")
    assert release_in(goals, "eu") == ""


def test_there_is_a_most_of_services() -> None:
    goals = Goals([goal(number, "x@1", service=f"s{number}") for number in range(1, SERVICES_MAX + 1)])
    with pytest.raises(RefusalError, match=str(SERVICES_MAX)):
        deploy(goals, "x@1")


def test_an_older_goal_that_arrives_late_changes_nothing() -> None:
    goals = Goals([goal(5, "web@5")])
    assert (goals.apply(goal(4, "web@4")), release_in(goals, "eu")) == (False, "web@5")


def test_only_what_is_newer_is_told() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "db@1", service="db"), goal(3, "web@2", "eu")])
    assert [found.revision for found in goals.in_force("eu", ("web", "db"), 1)] == [2, 3]


def test_a_region_is_not_told_of_the_goals_of_others() -> None:
    goals = Goals([goal(1, "web@1"), goal(3, "web@2", "eu")])
    assert [found.release for found in goals.in_force("us", ("web",), 0)] == ["web@1"]


def test_a_tracker_is_told_of_all_scopes() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "web@2", "eu"), goal(3, "web@3", "us")])
    assert [found.revision for found in goals.newer_than(1)] == [2, 3]


def test_history_is_bounded() -> None:
    goals = Goals([goal(number, f"web@{number}") for number in range(1, HISTORY_MAX + 50)])
    assert len(goals.history("web", "global")) == HISTORY_MAX


def test_a_plain_deploy_of_what_was_replaced_is_noticed() -> None:
    goals = Goals([goal(1, "web@1"), goal(2, "web@2")])
    back, forward = goal(3, "web@1"), goal(3, "web@3")
    assert (goals.would_go_back(back), goals.would_go_back(forward)) == (True, False)
