"""What a node, a tracker and an operator say to each other, over one persistent connection of control frames.

A node says `Register` once, then `Announce` (all its swarms in one message), `Watch` (goals) and `Report`. The tracker
answers with `Handout`s and pushes `Goals` whenever they change. An operator's command carries a number; its answer,
`Done` or `Refused`, carries the same.
"""

from typing import Final

import msgspec

SWARMS_MAX: Final = 256
"""Swarms in one announce: a host runs tens of services with a few releases each."""
PEERS_MAX: Final = 64
"""Peers in one handout: twice the degree that a swarm needs."""
SERVICES_MAX: Final = 1_024
NAME_CHARS_MAX: Final = 128
REPORTS_MAX: Final = 4_096
"""Service reports in one message (a regional tracker forwards its hosts' in batches)."""


class TrackerMessage(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all messages between a tracker and those who talk to it."""


class Register(TrackerMessage, tag="register"):
    """First on a connection. `role`: daemon, seeder, tracker or operator. `address`: where peers may dial, or ''."""

    version: int
    fleet: str
    node: str
    region: str
    role: str
    address: str
    http_url: str = ""


class SwarmStatus(msgspec.Struct, frozen=True, array_like=True):
    """How far a node is in one swarm. `wanted`: how many peers it would like to be told (0: none)."""

    swarm: bytes
    have: int
    pieces: int
    wanted: int = 0


class Announce(TrackerMessage, tag="announce"):
    """All swarms of a node; those left out since the last one have been left. Renews the node's lease."""

    swarms: tuple[SwarmStatus, ...]


class PeerInfo(msgspec.Struct, frozen=True, array_like=True):
    """A peer to dial. `role` is daemon or seeder; `http_url` is a seeder's plain HTTP."""

    node: str
    address: str
    region: str
    role: str
    complete: bool
    http_url: str = ""


class Handout(TrackerMessage, tag="handout"):
    """Peers of one swarm; and when to announce again, in seconds."""

    swarm: bytes
    peers: tuple[PeerInfo, ...]
    interval_s: float


class SeedersRequest(TrackerMessage, tag="seeders?"):
    """Which origin shields serve my region?"""


class Seeders(TrackerMessage, tag="seeders"):
    """The answer: nearest first."""

    seeders: tuple[PeerInfo, ...]


class Goal(msgspec.Struct, frozen=True, array_like=True):
    """What one service should run. `release` is `product@version`, '' for nothing.

    `scope` is `global` or a region. `revision` is the global tracker's counter at the time of the command: the goal with
    the highest revision among `global` and one's own region is in force. `rollback` says that going to an older release
    was ordered by a person (`rollback` command); without it a node refuses an older release.
    """

    service: str
    scope: str
    release: str
    revision: int
    rollback: bool = False
    by: str = ""
    at: float = 0.0
    reason: str = ""


class Watch(TrackerMessage, tag="watch"):
    """Push me the goals of these services (none named: all) now if they are newer than `revision`, and on every change."""

    services: tuple[str, ...]
    revision: int


class Goals(TrackerMessage, tag="goals"):
    """The goals in force for the asker's region (for a tracker: all scopes). `upstream_age_s`: how old the copy may be."""

    revision: int
    goals: tuple[Goal, ...]
    upstream_age_s: float = 0.0


class ServiceReport(msgspec.Struct, frozen=True, array_like=True):
    """How one service does on one node. `state` is a lifecycle state, `waits_for` why it does not move ('' if it does)."""

    node: str
    region: str
    service: str
    goal_release: str
    goal_revision: int
    running_release: str
    state: str
    progress: float = 0.0
    waits_for: str = ""
    error: str = ""
    bytes_by_source: dict[str, int] = {}
    at: float = 0.0


class Report(TrackerMessage, tag="report"):
    """How services do; the newest word on each (node, service) counts."""

    reports: tuple[ServiceReport, ...]


class Deploy(TrackerMessage, tag="deploy"):
    """Operator: this service should run this release, in `scope`. `rollback` as in `Goal`."""

    number: int
    service: str
    release: str
    scope: str
    rollback: bool = False
    by: str = ""
    reason: str = ""


class Rollback(TrackerMessage, tag="rollback"):
    """Operator: back to `release`, or to what the scope's goal was before ('')."""

    number: int
    service: str
    scope: str
    release: str = ""
    by: str = ""
    reason: str = ""


class StatusRequest(TrackerMessage, tag="status?"):
    """Operator: what should run, what does run, and who is in which swarm."""

    number: int
    service: str = ""
    hosts: bool = False


class Done(TrackerMessage, tag="done"):
    """The command numbered so is carried out and durable; `result` is a plain value for `--json`."""

    number: int
    result: dict[str, object]


class Refused(TrackerMessage, tag="refused"):
    """The command was not carried out, or the connection's last message was not acceptable; says why and what to do."""

    number: int
    error: str


AnyTrackerMessage = (
    Register
    | Announce
    | Handout
    | SeedersRequest
    | Seeders
    | Watch
    | Goals
    | Report
    | Deploy
    | Rollback
    | StatusRequest
    | Done
    | Refused
)
