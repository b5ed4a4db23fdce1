"""What the tracker's brain decides that its body should do."""

from dataclasses import dataclass

from p2pd.wire.announce import Certify, Goal, Invite, Revoke, TrackerMessage

from .audit import Record
from .goals.pauses import Pauses


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
    """Store the goal and who commanded it durably, tell the brain (`committed`), then answer Done with `result`."""

    session: int
    number: int
    goal: Goal
    result: dict[str, object]
    record: Record


@dataclass(frozen=True, slots=True)
class CommitPauses:
    """The same with what is paused now; the brain is told by `paused`."""

    session: int
    number: int
    pauses: Pauses
    result: dict[str, object]
    record: Record


@dataclass(frozen=True, slots=True)
class Administer:
    """Have the authority do it, if it is here; store the record, with its refusal if it refuses; answer."""

    session: int
    command: Invite | Revoke
    record: Record


@dataclass(frozen=True, slots=True)
class Note:
    """Store the record of a command that was refused."""

    session: int
    record: Record


@dataclass(frozen=True, slots=True)
class ReadAudit:
    """Answer Done with these audit records."""

    session: int
    number: int
    after: int
    count: int


@dataclass(frozen=True, slots=True)
class AskAuthority:
    """Have this request decided, and answer Certified or Refused."""

    session: int
    message: Certify


Deed = Send | Close | Commit | CommitPauses | Administer | Note | ReadAudit | AskAuthority
