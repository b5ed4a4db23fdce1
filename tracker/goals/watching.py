"""Who is told of which goals: a tracker of all, a node of those in force for its region and its services."""

from collections.abc import Iterator

from p2pd.policy.places import region_of
from p2pd.wire.announce import GLOBAL, GOALS_MAX, Goal, Register, Watch
from p2pd.wire.announce import Goals as GoalsMessage

from .goals import Goals


def is_told(register: Register, watch: Watch, goal: Goal) -> bool:
    """Whether a change to this goal concerns the watcher."""
    if watch.services and goal.service not in watch.services:
        return False
    return register.role == "tracker" or goal.scope in (GLOBAL, region_of(register.region))


def pauses_message(goals: Goals, upstream_age_s: float) -> GoalsMessage:
    """The news when nothing but a pause began or ended. All pauses are told to all, who see which are theirs: so one
    message, encoded once, does for ten thousand hosts."""
    return GoalsMessage(goals.revision, (), upstream_age_s, goals.pauses.paused)


def goals_messages(goals: Goals, register: Register, watch: Watch, upstream_age_s: float) -> Iterator[GoalsMessage]:
    """The answer to a Watch: at least one message, several if one can't hold it all, ascending in revision."""
    if register.role == "tracker":
        newer = goals.newer_than(watch.revision)
    else:
        newer = goals.in_force(region_of(register.region), watch.services, watch.revision)
    paused = goals.pauses.paused
    while len(newer) > GOALS_MAX:
        part, newer = newer[:GOALS_MAX], newer[GOALS_MAX:]
        yield GoalsMessage(part[-1].revision, tuple(part), upstream_age_s, paused)
    yield GoalsMessage(goals.revision, tuple(newer), upstream_age_s, paused)
