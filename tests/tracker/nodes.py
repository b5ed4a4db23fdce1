"""Short names for what the tracker's tests are full of."""

from p2pd.wire.announce import Goal, Register, ServiceReport, SwarmStatus
from p2pd.wire.messages import PROTOCOL_VERSION
from tracker.swarms.registry import Node

SWARM, OTHER = b"s" * 32, b"o" * 32
PIECES = 100


def node(name: str, region: str = "eu", role: str = "daemon", address: str | None = None) -> Node:
    """A node that can be dialled unless `address` is ''."""
    return Node(name, f"{name}:1" if address is None else address, region, role)


def status(have: int = 0, *, swarm: bytes = SWARM, wanted: int = 0) -> SwarmStatus:
    """`have` of PIECES pieces."""
    return SwarmStatus(swarm, have, PIECES, wanted)


def register(name: str, region: str = "eu", role: str = "daemon", *, fleet: str = "f") -> Register:
    """A well-behaved greeting."""
    return Register(PROTOCOL_VERSION, fleet, name, region, role, f"{name}:1")


def goal(revision: int, release: str, scope: str = "global", *, rollback: bool = False, service: str = "web") -> Goal:
    """A goal of the service `web`."""
    return Goal(service, scope, release, revision, rollback)


def report(
    name: str = "a", state: str = "VERIFIED", running: str = "web@1", *, revision: int = 1, region: str = "eu",
    service: str = "web", progress: float = 0.0, error: str = "", stale: bool = False,
) -> ServiceReport:  # fmt: skip
    """A report on the service `web`."""
    return ServiceReport(name, region, service, "web@1", revision, running, state, progress, error=error, stale=stale)
