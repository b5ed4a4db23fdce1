"""What the lifecycle asks to be done, and the status that it reports. The deeds are answered by their outcome."""

from dataclasses import dataclass

from .memory import Candidate, Memory


@dataclass(frozen=True)
class Persist:
    """Make this memory durable, then say `persisted(memory)`. Comes before every other action that depends on it."""

    memory: Memory


@dataclass(frozen=True)
class Report:
    """The status has changed: tell whoever wants to know. No answer."""

    status: "ServiceStatus"


@dataclass(frozen=True)
class Resolve:
    """Look the release up with both signers; then `resolved`, `refused`, `unreachable` or `blocked`."""

    release: str


@dataclass(frozen=True)
class Download:
    """Bring it here, complete, at `directory`; then `downloaded`, `refused`, `unreachable` or `blocked`."""

    release: str
    swarm: str
    directory: str


@dataclass(frozen=True)
class Switch:
    """Point `current` to the target; then `switched` or `blocked`."""

    target: Candidate


@dataclass(frozen=True)
class CheckHealth:
    """Restart the service and check the target's health; then `health`."""

    target: Candidate


@dataclass(frozen=True)
class GoBack:
    """Point `current` to what ran before (None: remove it) and restart; then `went_back` or `blocked`."""

    target: Candidate | None


@dataclass(frozen=True)
class RaiseFloor:
    """Have the machine remember, beyond its disk, that this sequence proved itself; then `raised` or `not_raised`."""

    sequence: int


Deed = Resolve | Download | Switch | CheckHealth | GoBack | RaiseFloor
Action = Persist | Report | Deed


@dataclass(frozen=True)
class ServiceStatus:
    """How the service does. `running_release`: what `current` points to. `waits_for`: why it does not move."""

    service: str
    state: str
    goal_release: str
    goal_revision: int
    running_release: str
    waits_for: str
    error: str
