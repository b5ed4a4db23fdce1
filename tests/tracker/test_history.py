"""What a rollback returns to."""

from hypothesis import given
from hypothesis import strategies as st

from p2pd.wire.announce import Goal
from tracker.goals.history import previous_release, releases_in_force

from .nodes import goal


def history(*releases: str) -> list[Goal]:
    """`web@1` is a deploy, `<web@1` a rollback."""
    return [goal(number, text.lstrip("<"), rollback=text[0] == "<") for number, text in enumerate(releases, start=1)]


def test_the_release_before() -> None:
    assert previous_release(history("web@1", "web@2")) == "web@1"


def test_nothing_came_before_the_first() -> None:
    assert previous_release(history("web@1")) is None


def test_going_back_twice_goes_back_two_releases_and_not_forward_again() -> None:
    assert previous_release(history("web@1", "web@2", "web@3", "<web@2")) == "web@1"


def test_the_bad_release_between_is_forgotten_after_a_rollback() -> None:
    assert previous_release(history("web@1", "web@2", "<web@1", "web@3")) == "web@1"


def test_deploying_the_same_again_is_no_release_to_go_back_to() -> None:
    assert previous_release(history("web@1", "web@2", "web@2")) == "web@1"


def test_a_rollback_to_what_never_lay_below_lies_on_top() -> None:
    assert releases_in_force(history("web@5", "<web@1")) == ["web@5", "web@1"]


RELEASES = st.sampled_from(["web@1", "web@2", "<web@1", "<web@2", "web@3"])


@given(st.lists(RELEASES, min_size=1))
def test_the_present_release_is_always_on_top(releases: list[str]) -> None:
    assert releases_in_force(history(*releases))[-1] == releases[-1].lstrip("<")


@given(st.lists(RELEASES, min_size=1))
def test_rolling_back_again_and_again_ends(releases: list[str]) -> None:
    told = history(*releases)
    for _ in range(len(releases) + 1):
        release = previous_release(told)
        if release is None:
            return
        told.append(goal(len(told) + 1, release, rollback=True))
    raise AssertionError("rolled back more often than was deployed")
