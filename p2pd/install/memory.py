"""What a service's lifecycle must not forget when the machine stops: written before every deed."""

from collections.abc import Collection
from typing import Final

import msgspec

MEMORY_BYTES_MAX: Final = 256 * 1024
FAILED_MAX: Final = 32
"""Failed releases remembered; the oldest goes first. Goals come in order, so an old one does not come back."""


class Health(msgspec.Struct, frozen=True):
    """A release's health check, as in its manifest."""

    argv: tuple[str, ...]
    timeout_s: float
    attempts: int
    interval_s: float


class Candidate(msgspec.Struct, frozen=True):
    """A release that runs here, did, or shall. `directory`: what `current` points to, relative to the
    service's directory.

    A `release` of '' is something that was found running and that nobody told us about.
    """

    release: str
    directory: str
    swarm: str = ""
    sequence: int = 0
    health: Health | None = None


class Aim(msgspec.Struct, frozen=True):
    """A goal as far as the lifecycle cares. `keys`: who vouched for it, by id; none in a fleet without a director."""

    release: str
    revision: int
    rollback: bool = False
    keys: tuple[str, ...] = ()

    def outranks(self, revision: int, trusted: Collection[str] | None) -> bool:
        """Whether a goal of this revision is nothing new. `trusted`: ids of the keys whose word counts; None: unsigned.

        An aim whose keys have all been revoked outranks nothing: else whoever once held one could have taken the
        highest revision of all, and no goal would ever be followed again (TUF's fast-forward, 5.3.11).
        """
        return revision <= self.revision and (trusted is None or not set(self.keys).isdisjoint(trusted))


class Hold(msgspec.Struct, frozen=True):
    """A person paused this service. It stands until a tracker says that it has ended, also over a restart without one.
    `why`: for people."""

    revision: int
    why: str

    def stops(self, aim: Aim) -> bool:
        """Everything but a rollback that was ordered after the pause."""
        return not aim.rollback or aim.revision < self.revision


class Memory(msgspec.Struct, frozen=True):
    """All of it. `running` passed its trial last, `previous` before that; `target` is on its way or on trial."""

    state: str = "IDLE"
    aim: Aim | None = None
    waiting_aim: Aim | None = None
    target: Candidate | None = None
    running: Candidate | None = None
    previous: Candidate | None = None
    failed: dict[str, int] = {}
    error: str = ""
    hold: Hold | None = None


def encode(memory: Memory) -> bytes:
    """As JSON, for people who must look."""
    return msgspec.json.format(msgspec.json.encode(memory), indent=1) + b"\n"


def decode(data: bytes) -> Memory:
    """ValueError when it is no memory of ours."""
    return msgspec.json.decode(data, type=Memory)
