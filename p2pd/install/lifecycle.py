"""The brain of one service on one host: follows goals, one release at a time, and never forgets the way back.

It is told what happened and hands out what to do next, one action at a time. `states` has the table and its prose.
"""

import math
from collections.abc import Collection
from random import Random
from typing import Final

import msgspec

from p2pd.policy.backoff import Backoff
from p2pd.wire.announce import TEXT_CHARS_MAX, Goal

from .actions import (
    Action,
    CheckHealth,
    Deed,
    Download,
    GoBack,
    Persist,
    RaiseFloor,
    Report,
    Resolve,
    ServiceStatus,
    Switch,
)
from .memory import FAILED_MAX, Aim, Candidate, Health, Hold, Memory
from .states import ON_TRIAL, UNDER_WAY, Event, State, next_state

RETRY_BASE_S: Final = 1.0
RETRY_LIMIT_S: Final = 120.0
"""A machine that was given room, or metadata that was renewed, is noticed within two minutes."""
OUTPUT_CHARS_MAX: Final = 300
"""The end of what a health check said. With the release's name before it, it fits a report (TEXT_CHARS_MAX)."""


class Lifecycle:
    """One service. `product`: whose releases it may run. `remembered`: what was persisted last. `floor`: the highest
    sequence that the machine remembers beyond its disk, -1 for none; None where it can't.

    Call `start` first. `next_action` hands out a deed once; its outcome asks for the next. Outcomes that name a release
    are ignored when a newer goal has replaced it.
    """

    def __init__(
        self, service: str, product: str, *, rng: Random, remembered: Memory | None = None, floor: int | None = None
    ) -> None:
        self.service = service
        self._floor = floor
        self._product = product
        self.memory = remembered or Memory()
        self._persisted = self.memory
        self._reported: ServiceStatus | None = None
        self._at_work = False
        self._retry_at = math.inf
        self._waits_for = ""
        self._backoff = Backoff(rng, RETRY_BASE_S, RETRY_LIMIT_S)

    def __repr__(self) -> str:
        return f"<Lifecycle {self.service} {self.state} goal={self._goal_release} running={self.running_release}>"

    @property
    def state(self) -> State:
        """Where it is."""
        return State(self.memory.state)

    @property
    def at_work(self) -> bool:
        """A deed is under way whose outcome matters; if not, what still runs may be cancelled."""
        return self._at_work

    @property
    def running_release(self) -> str:
        """What `current` points to, as far as we know; '' for nothing or something unknown."""
        on_trial = self.state in (State.INSTALLED, State.REVERTING)
        candidate = self.memory.target if on_trial else self.memory.running
        return candidate.release if candidate else ""

    @property
    def _goal_release(self) -> str:
        return self.memory.aim.release if self.memory.aim else ""

    # What happened

    def start(self, found: str | None) -> None:
        """After (re)start: `found` is where `current` points. What was interrupted is done again; all of it may be."""
        running = self.memory.running
        if self.state not in ON_TRIAL and found != (running.directory if running else None):
            self._set(running=Candidate("", found) if found else None, previous=None)
            if self.memory.aim is not None:
                self._take(self.memory.aim)
        elif self.state in (State.REFUSED, State.BLOCKED) and self.memory.aim is not None:
            self._take(self.memory.aim)
        elif self.state == State.DOWNLOADED:
            self._enter(State.DOWNLOADING)

    def goal(self, goal: Goal, vouching: Collection[str] = (), trusted: Collection[str] | None = None) -> bool:
        """The goal in force; False if it is older than one that was accepted, or the same one again.

        `vouching`: ids of the director's keys that signed it. `trusted`: of all that it has; None without a director.
        """
        newest = self.memory.waiting_aim or self.memory.aim
        if goal.service != self.service or (newest is not None and newest.outranks(goal.revision, trusted)):
            return False
        if newest is not None and goal.revision < newest.revision:
            self._set(failed={})  # of revisions that were somebody else's
        aim = Aim(goal.release, goal.revision, goal.rollback, tuple(sorted(vouching)))
        if self.state in ON_TRIAL:
            self._set(waiting_aim=aim)
        else:
            self._take(aim)
        return True

    def hold(self, hold: Hold | None) -> None:
        """A pause begins, changes or ends (None). What it stops is left as it is, and gone on with afterwards."""
        if hold != self.memory.hold:
            self._set(hold=hold)
            if self._stopped:
                self._at_work, self._retry_at = False, math.inf

    def resolved(self, release: str, swarm: str, directory: str) -> None:
        """Both parties signed for the manifest with this digest; it is to lie at `directory`."""
        if self._is_asked(State.CHECKING, release):
            self._backoff.succeeded()
            self._set(target=Candidate(release, directory, swarm))
            self._move(Event.RESOLVED)

    def unreachable(self, release: str, reason: str, now: float) -> None:
        """Nobody who knows could be asked; it is tried again."""
        if self._is_asked(self.state, release):
            self._move(Event.UNREACHABLE, waits_for=reason)
            self._retry_at = now + self._backoff.failed()

    def refused(self, release: str, reason: str, now: float) -> None:
        """The signers don't vouch for it, or not now."""
        if self._is_asked(self.state, release):
            self._move(Event.REFUSED, error=reason, waits_for=reason)
            self._retry_at = now + self._backoff.failed()

    def downloaded(self, release: str, sequence: int, health: Health | None) -> None:
        """It lies complete and verified at its directory."""
        target = self.memory.target
        if target is None or not self._is_asked(State.DOWNLOADING, release):
            return
        self._backoff.succeeded()
        self._set(target=msgspec.structs.replace(target, sequence=sequence, health=health))
        newer, aim = self._newer_than(release, sequence), self.memory.aim
        if newer and aim and not aim.rollback:
            reason = f"{release} is older than {newer}, and no rollback was ordered"
            self._move(Event.REFUSED, error=reason, waits_for="a rollback command, or a newer release")
            return
        self._move(Event.DOWNLOADED)

    def _newer_than(self, release: str, sequence: int) -> str:
        """What makes this release an old one, '' if nothing does."""
        running = self.memory.running
        comparable = running is not None and _product(running.release) == _product(release)
        if running and comparable and sequence < running.sequence:
            return running.release
        if self._floor is not None and sequence < self._floor:
            return f"what this machine ran before (sequence {sequence}, it remembers {self._floor})"
        return ""

    def blocked(self, release: str, reason: str, now: float) -> None:
        """This machine could not do what was asked for this release ('': going back to nothing); it is tried again."""
        if self.state in ON_TRIAL or self._is_asked(self.state, release):
            error = self.memory.error if self.state == State.REVERTING else reason
            self._move(Event.BLOCKED, error=error, waits_for=reason)
            self._retry_at = now + self._backoff.failed()

    def switched(self) -> None:
        """`current` points to the target."""
        self._move(Event.SWITCHED)

    def health(self, ok: bool, output: str) -> None:
        """The verdict on the target, and what the check said."""
        if ok:
            target = self.memory.target
            failed = {name: at for name, at in self.memory.failed.items() if target and name != target.release}
            self._set(running=target, previous=self.memory.running, target=None, failed=failed)
            self._move(Event.HEALTHY)
            self._take_waiting()
        else:
            target, aim = self.memory.target, self.memory.aim
            assert target is not None
            assert aim is not None
            failed = {**self.memory.failed, target.release: aim.revision}
            self._set(failed=dict(list(failed.items())[-FAILED_MAX:]))
            self._move(Event.UNHEALTHY, error=f"health check of {target.release}: {output[-OUTPUT_CHARS_MAX:].strip()}")

    def went_back(self) -> None:
        """`current` points to what ran before."""
        error = self.memory.error
        self._set(target=None)
        self._move(Event.REVERTED, error=error, waits_for=self._after_failure())
        self._take_waiting()

    def raised(self, sequence: int) -> None:
        """The machine remembers this sequence."""
        self._floor = max(sequence, -1 if self._floor is None else self._floor)
        if self.state == State.VERIFIED:
            self._at_work, self._waits_for = False, ""
            self._backoff.succeeded()

    def not_raised(self, reason: str, now: float) -> None:
        """The machine can't remember it now; it is tried again."""
        if self.state == State.VERIFIED and self._at_work:
            self._at_work, self._waits_for = False, reason[:TEXT_CHARS_MAX]
            self._retry_at = now + self._backoff.failed()

    def persisted(self, memory: Memory) -> None:
        """This is durable."""
        self._persisted = memory

    def next_timer(self) -> float:
        """When `handle_timer` wants to be called; inf for never."""
        return self._retry_at

    def handle_timer(self, now: float) -> None:
        """The time has come."""
        if now < self._retry_at:
            return
        self._retry_at, self._at_work = math.inf, False
        if self.state in (State.REFUSED, State.BLOCKED):
            self._move(Event.RETRY)

    # What to do

    def next_action(self) -> Action | None:
        """The next thing to do; None while something is under way or nothing is to be done."""
        status = self.status()
        if self.memory != self._persisted:
            return Persist(self.memory)
        if status != self._reported:
            self._reported = status
            return Report(status)
        if self._stopped:
            return None
        if self.state == State.DOWNLOADED:
            self._move(Event.INSTALL)
            return Persist(self.memory)
        if self._at_work or self._retry_at != math.inf:
            return None
        deed = self._deed()
        self._at_work = deed is not None
        return deed

    def status(self) -> ServiceStatus:
        """Frozen facts."""
        aim, memory = self.memory.waiting_aim or self.memory.aim, self.memory
        return ServiceStatus(
            self.service,
            memory.state,
            aim.release if aim else "",
            aim.revision if aim else 0,
            self.running_release,
            self._pause or self._waits_for or ("the verdict on the release on trial" if memory.waiting_aim else ""),
            memory.error,
        )

    @property
    def _stopped(self) -> bool:
        """By a pause. A release on trial gets its verdict all the same: nothing is left half switched."""
        hold, aim = self.memory.hold, self.memory.aim
        return hold is not None and aim is not None and self.state in UNDER_WAY and hold.stops(aim)

    @property
    def _pause(self) -> str:
        return self.memory.hold.why if self._stopped and self.memory.hold else ""

    def _deed(self) -> Deed | None:
        target, running = self.memory.target, self.memory.running
        if self.state == State.VERIFIED and self._floor is not None:
            return RaiseFloor(running.sequence) if running and running.sequence > self._floor else None
        if self.state == State.CHECKING:
            return Resolve(self._goal_release)
        if self.state == State.REVERTING:
            return GoBack(running)
        if target is None:
            return None
        if self.state == State.DOWNLOADING:
            return Download(target.release, target.swarm, target.directory)
        if self.state == State.INSTALLING:
            return Switch(target)
        return CheckHealth(target) if self.state == State.INSTALLED else None

    # Within

    def _set(self, **changes: object) -> None:
        self.memory = msgspec.structs.replace(self.memory, **changes)

    def _move(self, event: Event, *, error: str = "", waits_for: str = "") -> None:
        keep = self.memory.error if event in (Event.RETRY, Event.RESOLVED) else ""
        self._enter(next_state(self.state, event), error=error or keep, waits_for=waits_for)

    def _enter(self, state: State, *, error: str = "", waits_for: str = "") -> None:
        self._set(state=str(state), error=error[:TEXT_CHARS_MAX])
        self._waits_for = waits_for[:TEXT_CHARS_MAX]
        self._at_work, self._retry_at = False, math.inf

    def _is_asked(self, state: State, release: str) -> bool:
        """Is this the outcome of the deed that is under way?"""
        return self._at_work and self.state == state and self._goal_release == release

    def _after_failure(self) -> str:
        return f"a goal newer than revision {self.memory.aim.revision if self.memory.aim else 0}"

    def _take_waiting(self) -> None:
        if self.memory.waiting_aim is not None:
            self._take(self.memory.waiting_aim)

    def _take(self, aim: Aim) -> None:
        """Turn to this goal, from a state where that is allowed."""
        running = self.memory.running
        self._set(aim=aim, waiting_aim=None, target=None)
        self._backoff.succeeded()
        if not aim.release:
            self._enter(State.IDLE)
        elif running is not None and running.release == aim.release:
            self._enter(State.VERIFIED)
        elif self.memory.failed.get(aim.release, -1) >= aim.revision:
            self._enter(State.FAILED, error=f"{aim.release} failed its health check", waits_for=self._after_failure())
        elif _product(aim.release) != self._product:
            reason = f"{aim.release} is no release of {self._product}, which {self.service} runs here"
            self._enter(State.REFUSED, error=reason, waits_for="a goal for this product")
        else:
            self._enter(State.CHECKING)


def _product(release: str) -> str:
    """Sequences order the releases of one product only."""
    return release.partition("@")[0]
