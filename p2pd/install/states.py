"""The life of one service on one host, as a table.

A *goal* names a release. It is looked up with both signers (CHECKING), brought here (DOWNLOADING), and lies complete
beside the one that runs (DOWNLOADED). Then `current` is switched to it (INSTALLING), the service is restarted, and the
release is on trial (INSTALLED) until its health check says yes (VERIFIED) or no: then the service goes back to what ran
before (REVERTING), and the release is not tried again until a goal of a higher revision names it (FAILED).

REFUSED says that the release may not run here: a signature is missing or expired, which may be mended (tried again), or
it is older than what runs and nobody ordered a rollback (not tried again). BLOCKED says that this machine can't: no
room, no permission. Both are left by themselves after a while, or at once by a new goal.

A new goal is taken up at once in every state but INSTALLING, INSTALLED and REVERTING, where it waits until the trial is
over: half a switch is no place to change one's mind. That trial is bounded by the health check's own limits. The same
holds for a pause: it stops a service in CHECKING, DOWNLOADING and DOWNLOADED, which goes on from there when it ends.
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a service is."""

    IDLE = "IDLE"
    CHECKING = "CHECKING"
    DOWNLOADING = "DOWNLOADING"
    DOWNLOADED = "DOWNLOADED"
    INSTALLING = "INSTALLING"
    INSTALLED = "INSTALLED"
    VERIFIED = "VERIFIED"
    REVERTING = "REVERTING"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    BLOCKED = "BLOCKED"


class Event(StrEnum):
    """What happens to it."""

    RESOLVED = "resolved"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    DOWNLOADED = "downloaded"
    BLOCKED = "blocked"
    INSTALL = "install"
    SWITCHED = "switched"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    REVERTED = "reverted"
    RETRY = "retry"


TABLE: Final[dict[State, dict[Event, State]]] = {
    State.IDLE: {},
    State.CHECKING: {
        Event.RESOLVED: State.DOWNLOADING,
        Event.UNREACHABLE: State.CHECKING,
        Event.REFUSED: State.REFUSED,
        Event.BLOCKED: State.BLOCKED,
    },
    State.DOWNLOADING: {
        Event.DOWNLOADED: State.DOWNLOADED,
        Event.UNREACHABLE: State.DOWNLOADING,
        Event.REFUSED: State.REFUSED,
        Event.BLOCKED: State.BLOCKED,
    },
    State.DOWNLOADED: {Event.INSTALL: State.INSTALLING},
    State.INSTALLING: {Event.SWITCHED: State.INSTALLED, Event.BLOCKED: State.INSTALLING},
    State.INSTALLED: {Event.HEALTHY: State.VERIFIED, Event.UNHEALTHY: State.REVERTING},
    State.REVERTING: {Event.REVERTED: State.FAILED, Event.BLOCKED: State.REVERTING},
    State.VERIFIED: {},
    State.FAILED: {},
    State.REFUSED: {Event.RETRY: State.CHECKING},
    State.BLOCKED: {Event.RETRY: State.CHECKING},
}

ON_TRIAL: Final = (State.INSTALLING, State.INSTALLED, State.REVERTING)
"""Between the first change that can be seen and the verdict: a new goal waits."""
UNDER_WAY: Final = (State.CHECKING, State.DOWNLOADING, State.DOWNLOADED)
"""A release is wanted, and nothing was changed yet that can be seen: here a pause stops it."""


def next_state(state: State, event: Event) -> State:
    """Where the event leads; AssertionError (ours) if it can't happen in this state."""
    following = TABLE[state].get(event)
    assert following is not None, f"{event} in state {state}"
    return following
