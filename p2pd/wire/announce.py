"""What a node, a tracker and an operator say to each other, over one persistent connection of control frames.

A node says `Register` once, then `Announce` (all its swarms in one message), `Watch` (goals) and `Report`. The tracker
answers an `Announce` with one `Handout` for each swarm that wants peers and then `Renewed`, a `Watch` with `Goals`,
and pushes further `Goals` whenever they change. An operator's command carries a number; its answer, `Done` or
`Refused`, carries the same. Anything not acceptable is answered by `Refused` number 0, and the connection ends.

The bounds are part of the types: the codec refuses what breaks them while it decodes. `check` adds what no type says.
"""

from math import isfinite
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .attestation import Challenge, Evidence, Quote
from .errors import RemoteProtocolError
from .fields import NAME_CHARS_MAX, TEXT_CHARS_MAX, Count, Name, ReleaseText, Text, TrackerMessage
from .handout import COPIES_MAX, PEERS_MAX, Handout, Importing, PeerInfo, Seeders, SeedersRequest, SwarmId
from .messages import PIECES_MAX
from .orders import (
    AUDIT_RECORDS_MAX,
    AuditRequest,
    Deploy,
    Invite,
    Pause,
    Promote,
    Resume,
    Revoke,
    Rollback,
    StatusRequest,
    amounts,
)

__all__ = [  # what is found here too: handouts, and a person's commands, are messages like all others
    "AUDIT_RECORDS_MAX",
    "COPIES_MAX",
    "NAME_CHARS_MAX",
    "PEERS_MAX",
    "TEXT_CHARS_MAX",
    "AuditRequest",
    "Deploy",
    "Handout",
    "Importing",
    "Invite",
    "Pause",
    "PeerInfo",
    "Promote",
    "Resume",
    "Revoke",
    "Rollback",
    "Seeders",
    "SeedersRequest",
    "StatusRequest",
    "SwarmId",
    "TrackerMessage",
]

SWARMS_MAX: Final = 256
"""Swarms in one announce: a host runs tens of services with a few releases each."""
SERVICES_MAX: Final = 1_024
REPORTS_MAX: Final = 4_096
"""Service reports in one message (a regional tracker forwards its hosts' in batches)."""
GOALS_MAX: Final = 256
"""Goals in one message: with texts of full length it still fits a control frame; more follow in another one."""
SIGNATURES_MAX: Final = 3
"""Of one goal: the director's, and those of operators where two of them must agree."""
SIGNATURE_BYTES_MAX: Final = 512
"""RSA with 4,096 bits; Ed25519 takes 64."""
KEY_ID_CHARS: Final = 64
"""TUF's: SHA-256 in hex."""
CERTIFICATE_BYTES_MAX: Final = 8_192
CHAIN_MAX: Final = 4
"""Certificates below a root: a member's, its authority's, and two more."""
REVOCATION_LIST_BYTES_MAX: Final = 512 * 1024
"""10,000 entries: as many hosts lost within the life of a certificate."""
LETTER_BYTES_MAX: Final = 16_384
"""Descriptions of a few addresses and a fingerprint."""
SOURCES_MAX: Final = 16
"""Kinds of sources that a report may tell bytes of (LAN, region, shield, ...)."""
PAUSES_MAX: Final = 64
"""Pauses in force at a time: an emergency has few, and all of them are told with every message of goals."""
ROLES: Final = ("daemon", "seeder", "tracker", "operator")
"""How somebody takes part in a conversation; `operator` is any person, whatever their grade."""
GRADES: Final = ("viewer", "operator", "release-manager", "admin")
"""What a person's certificate says, each more than the one before; `tracker.permissions` says what each may do."""
CERTIFIED_ROLES: Final = ("daemon", "seeder", "tracker", *GRADES)
GLOBAL: Final = "global"
"""The scope of goals for all regions; the region of the global tracker."""

Pieces = Annotated[int, Meta(ge=0, le=PIECES_MAX)]


class Register(TrackerMessage, frozen=True, tag="register"):
    """First on a connection. `role`: one of `ROLES`. `address`: where peers may dial, or ''. `webrtc`: can be written
    to (`Signal`) by whoever can't dial there."""

    version: Count
    fleet: Name
    node: Name
    region: Name
    role: Name
    address: Name
    http_url: Text = ""
    webrtc: bool = False


class SwarmStatus(msgspec.Struct, frozen=True, array_like=True):
    """How far a node is in one swarm. `pieces` is 0 while unknown. `wanted`: how many peers it would like to know."""

    swarm: SwarmId
    have: Pieces
    pieces: Pieces
    wanted: Annotated[int, Meta(ge=0, le=PEERS_MAX)] = 0


class Announce(TrackerMessage, frozen=True, tag="announce"):
    """All swarms of a node; those left out since the last one have been left. Renews the node's lease."""

    swarms: Annotated[tuple[SwarmStatus, ...], Meta(max_length=SWARMS_MAX)]


class Renewed(TrackerMessage, frozen=True, tag="renewed"):
    """The announce was taken; the next one is due in `interval_s` seconds, or at once when something changed.

    `revision`: that of the tracker's newest goal, anybody's; whoever is not up to date with it asks by `Watch`.
    `seeders`: the version of its list of seeders; whoever has another one asks by `SeedersRequest`.
    """

    interval_s: float
    revision: Count = 0
    seeders: Count = 0


class GoalSignature(msgspec.Struct, frozen=True, array_like=True):
    """One key's word on a goal; `p2pd.goals` says on which bytes."""

    key: Annotated[str, Meta(min_length=KEY_ID_CHARS, max_length=KEY_ID_CHARS)]
    signature: Annotated[bytes, Meta(max_length=SIGNATURE_BYTES_MAX)]


class Goal(msgspec.Struct, frozen=True, array_like=True):
    """What one service should run. `release` is `product@version`, '' for nothing.

    `scope` is `global` or a region. `revision` is the global tracker's counter at the time of the command: the goal
    with the highest revision among `global` and one's own region is in force. `rollback` says that going to an older
    release was ordered by a person (`rollback` command); without it a node refuses an older release. `at`, `expires`:
    UTC in seconds. Where the fleet's metadata names a director, only a goal that is signed and not expired is taken.
    `due`: when every host should have the release, UTC in seconds (0: whenever); sources that cost are used for that.
    """

    service: Name
    scope: Name
    release: ReleaseText
    revision: Count
    rollback: bool = False
    by: Name = ""
    at: float = 0.0
    reason: Name = ""
    expires: float = 0.0
    signatures: Annotated[tuple[GoalSignature, ...], Meta(max_length=SIGNATURES_MAX)] = ()
    due: float = 0.0


class Paused(msgspec.Struct, frozen=True, array_like=True):
    """A pause in force: no host of `scope` begins with a release of `service` ('': of any), or goes on with one, unless
    by a rollback that was ordered later: one of a higher revision than `revision`. `by`, `at`, `reason`: who paused
    it, when (UTC in seconds), why."""

    service: Name
    scope: Name
    revision: Count
    by: Name = ""
    at: float = 0.0
    reason: Name = ""


class Watch(TrackerMessage, frozen=True, tag="watch"):
    """Push me the goals of these services (none named: all) now if they are newer than `revision`, and on every change.

    Always answered by `Goals`, an empty one if nothing is newer, so it may be repeated as a poll.
    """

    services: Annotated[tuple[Name, ...], Meta(max_length=SERVICES_MAX)]
    revision: Count


class Goals(TrackerMessage, frozen=True, tag="goals"):
    """Goals in force for the asker's region (for a tracker: of all scopes) and newer than what it has, by revision.

    Each replaces the earlier goal of its service (for a tracker: of its service and scope). Whoever has taken them in
    is up to date with `revision`. `upstream_age_s`: how old a regional tracker's copy may be. `paused`: every pause
    in force, for whomever; one that is not among them has ended.
    """

    revision: Count
    goals: Annotated[tuple[Goal, ...], Meta(max_length=GOALS_MAX)]
    upstream_age_s: float = 0.0
    paused: Annotated[tuple[Paused, ...], Meta(max_length=PAUSES_MAX)] = ()


class ServiceReport(msgspec.Struct, frozen=True, array_like=True):
    """How one service does on one node. `state` is a lifecycle state, `waits_for` why it does not move ('' if it does).

    `stale`: the node's lease ended, this is what was last known of it (a tracker says so, never the node).
    """

    node: Name
    region: Name
    service: Name
    goal_release: ReleaseText
    goal_revision: Count
    running_release: ReleaseText
    state: Name
    progress: Annotated[float, Meta(ge=0, le=1)] = 0.0
    waits_for: Text = ""
    error: Text = ""
    bytes_by_source: Annotated[dict[Name, Count], Meta(max_length=SOURCES_MAX)] = {}
    at: float = 0.0
    stale: bool = False


class Report(TrackerMessage, frozen=True, tag="report"):
    """How services do; the newest word on each (node, service) counts."""

    reports: Annotated[tuple[ServiceReport, ...], Meta(max_length=REPORTS_MAX)]


class Signal(TrackerMessage, frozen=True, tag="signal"):
    """A letter to a node whose tracker this is, too; it is handed on with the writer's name in `node`'s place.

    `kind`: offer or answer, of a WebRTC channel. An answer carries the number of its offer. No receipt.
    """

    node: Name
    number: Count
    kind: Annotated[str, Meta(pattern="^(offer|answer)$")]
    letter: Annotated[bytes, Meta(max_length=LETTER_BYTES_MAX)]


class Order(TrackerMessage, frozen=True, tag="order"):
    """Operator: exactly this goal, a draft that I have signed. Refused when another command came in between."""

    number: Count
    goal: Goal


class Certify(TrackerMessage, frozen=True, tag="certify"):
    """Give me the certificate that `request` (PKCS #10, DER) asks for: also from who has none yet.

    `signature` of the request is by the join token with the public key `token`, or by the key of `certificate` (DER),
    the one that I have; the other of both is empty. `evidence`: the attestation key that the request names is here.
    """

    number: Count
    request: Annotated[bytes, Meta(max_length=CERTIFICATE_BYTES_MAX)]
    signature: Annotated[bytes, Meta(max_length=SIGNATURE_BYTES_MAX)]
    token: Annotated[bytes, Meta(max_length=SIGNATURE_BYTES_MAX)] = b""
    certificate: Annotated[bytes, Meta(max_length=CERTIFICATE_BYTES_MAX)] = b""
    evidence: Evidence | None = None


class Certified(TrackerMessage, frozen=True, tag="certified"):
    """The answer: your certificate and those above it up to, and without, the root; DER."""

    number: Count
    chain: Annotated[
        tuple[Annotated[bytes, Meta(max_length=CERTIFICATE_BYTES_MAX)], ...], Meta(min_length=1, max_length=CHAIN_MAX)
    ]


class Revoked(TrackerMessage, frozen=True, tag="revoked"):
    """These certificates don't count any more: an authority's certificate and its signed list, PEM."""

    list: Annotated[bytes, Meta(max_length=REVOCATION_LIST_BYTES_MAX)]


class Done(TrackerMessage, frozen=True, tag="done"):
    """The command numbered so is carried out and durable; `result` is a plain value for `--json`."""

    number: Count
    result: dict[str, object]


class Refused(TrackerMessage, frozen=True, tag="refused"):
    """The command was not carried out, or the connection's last message was not acceptable; says why and what to do."""

    number: Count
    error: str


AnyTrackerMessage = (
    Register
    | Announce
    | Renewed
    | Handout
    | SeedersRequest
    | Seeders
    | Watch
    | Goals
    | Report
    | Deploy
    | Rollback
    | Order
    | Pause
    | Resume
    | Promote
    | Invite
    | Revoke
    | Signal
    | StatusRequest
    | AuditRequest
    | Challenge
    | Quote
    | Certify
    | Certified
    | Revoked
    | Done
    | Refused
)


def check(message: AnyTrackerMessage) -> None:
    """What the types can't say: known roles, numbers that agree with each other. RemoteProtocolError otherwise."""
    if isinstance(message, Register):
        _check_register(message)
    elif isinstance(message, Announce):
        _check_announce(message)
    elif isinstance(message, Report):
        for report in message.reports:
            _check_finite(progress=report.progress, at=report.at)
    elif isinstance(message, Goals):
        _check_finite(upstream_age_s=message.upstream_age_s)
        if any(goal.revision > message.revision for goal in message.goals):
            raise RemoteProtocolError(f"a goal is newer than the revision {message.revision} that it came with")
        for goal in message.goals:
            _check_finite(at=goal.at, expires=goal.expires, due=goal.due)
        for pause in message.paused:
            _check_finite(at=pause.at)
    elif isinstance(message, Order):
        _check_finite(at=message.goal.at, expires=message.goal.expires, due=message.goal.due)
    elif isinstance(message, Deploy | Invite):
        _check_finite(**amounts(message))
    elif isinstance(message, Renewed):
        _check_finite(interval_s=message.interval_s)


def _check_register(register: Register) -> None:
    if register.role not in ROLES:
        raise RemoteProtocolError(f"unknown role {register.role!r}; known: {', '.join(ROLES)}")
    if not register.node:
        raise RemoteProtocolError("a node must have a name")


def _check_announce(announce: Announce) -> None:
    swarms = set()
    for status in announce.swarms:
        if status.have > status.pieces:
            raise RemoteProtocolError(f"{status.have} of {status.pieces} pieces of swarm {status.swarm.hex()[:16]}")
        swarms.add(status.swarm)
    if len(swarms) < len(announce.swarms):
        raise RemoteProtocolError("a swarm is announced twice in one message")


def _check_finite(**amounts: float) -> None:
    for name, amount in amounts.items():
        if not isfinite(amount) or amount < 0:
            raise RemoteProtocolError(f"{name} can't be {amount}")
