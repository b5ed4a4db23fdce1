"""What the tracker's brain decides that its body should do."""

from dataclasses import dataclass

from p2pd.wire.announce import Goal, TrackerMessage


@dataclass(frozen=True, slots=True)
class Send:
    """This message, to the connection of this number."""

    session: int
    message: TrackerMessage


@dataclass(frozen=True, slots=True)
class Close:
    """Tell the connection why, and end it."""

    session: int
    error: str


@dataclass(frozen=True, slots=True)
class Commit:
    """Store the goal durably, then tell the brain (`committed`), then answer Done with this result."""

    session: int
    number: int
    goal: Goal
    result: dict[str, object]


Deed = Send | Close | Commit
