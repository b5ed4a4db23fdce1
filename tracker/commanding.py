"""What a person's command means: the goal or the pause that it makes, the answer, and the record of it. Pure.

`permissions` says who may; `Goals` says what is possible; here both come together, and a command that is refused leaves
a record as well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from p2pd.wire.announce import (
    GLOBAL,
    TEXT_CHARS_MAX,
    Deploy,
    Done,
    Goal,
    Invite,
    Order,
    Pause,
    Promote,
    Refused,
    Resume,
    Revoke,
    Rollback,
)

from .audit import Record
from .config import TrackerConfig
from .deeds import Administer, Commit, CommitPauses, Deed, Note, Send
from .errors import RefusalError
from .goals.goals import Goals
from .goals.pauses import words
from .permissions import Command, Commander, check_grade, check_products
from .refusals import RefusalBudget
from .reports import Reports
from .status import region_status

_PAUSED, _GOING_ON = "paused", "going on"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command is about, as far as it says so itself."""

    action: str
    service: str
    scope: str
    wanted: str
    reason: str


class Commanding:
    """Of one tracker. `ahead`: the highest revision that anybody who watches says they know."""

    def __init__(self, config: TrackerConfig, goals: Goals, reports: Reports, ahead: Callable[[], int]) -> None:
        self._config, self._goals, self._reports, self._ahead = config, goals, reports, ahead
        self._refusals = RefusalBudget()

    def obey(self, session: int, commander: Commander, command: Command, utc: float) -> list[Deed]:
        """Commit it, answer it if it is a draft, or refuse it."""
        try:
            self._check(commander, command)
            if isinstance(command, Pause | Resume):
                return [self._pause(session, commander, command, utc)]
            if isinstance(command, Invite | Revoke):
                asked = self._asked(command)
                record = _record(commander, command, asked, "", asked.wanted, utc)
                return [Administer(session, command, record)]
            return [self._set_goal(session, commander, command, utc)]
        except RefusalError as error:
            refused = Send(session, Refused(command.number, str(error)))
            return [*self.refused(session, commander, command, str(error), utc), refused]

    def refused(self, session: int, commander: Commander, command: Command, why: str, utc: float) -> list[Deed]:
        """The record that it leaves; none when this one had too many refused of late."""
        left = self._refusals.spend(commander.name, utc)
        if left < 0:
            return []
        asked = self._asked(command)
        if not left:
            why += " (more that are refused to them this hour are not written down)"
        before = self._before(asked)
        return [Note(session, _record(commander, command, asked, before, asked.wanted, utc, why))]

    # -- who may ------------------------------------------------------------------------------------------------

    def _check(self, commander: Commander, command: Command) -> None:
        going_back = False
        if isinstance(command, Order):
            goal = command.goal
            history = self._goals.history(goal.service, goal.scope)
            going_back = goal.rollback and any(goal.release == former.release for former in history)
        check_grade(commander.grade, command, going_back=going_back)
        if commander.products and not getattr(command, "service", "some"):
            raise RefusalError("a pause of every service takes a certificate for all products; name a service")
        if commander.products and isinstance(command, Invite | Revoke):
            raise RefusalError("who belongs to the fleet takes a certificate for all products")
        config = self._config
        if config.upstream and not isinstance(command, Invite | Revoke):
            raise RefusalError(
                f"this is the tracker of region {config.region}; commands go to the global one at {config.upstream}"
            )

    def _check_products(self, commander: Commander, service: str, release: str = "") -> None:
        """Neither what it should run nor what it is to run now may be somebody else's."""
        releases = (release, *(goal.release for goal in self._goals.scopes(service)))
        check_products(commander, service, releases)

    # -- pauses -------------------------------------------------------------------------------------------------

    def _pause(self, session: int, commander: Commander, command: Pause | Resume, utc: float) -> CommitPauses:
        if isinstance(command, Pause):
            pauses = self._goals.pause(command, commander.called(command.by), utc)
        else:
            pauses = self._goals.resume(command)
        self._check_products(commander, command.service)
        asked = self._asked(command)
        result: dict[str, object] = {
            "service": command.service,
            "scope": command.scope,
            "revision": pauses.revision,
            "paused": isinstance(command, Pause),
            "in_force": [msgspec.structs.asdict(one) for one in pauses.paused],
        }
        record = _record(commander, command, asked, self._before(asked), asked.wanted, utc)
        return CommitPauses(session, command.number, pauses, result, record)

    # -- goals --------------------------------------------------------------------------------------------------

    def _set_goal(
        self, session: int, commander: Commander, command: Deploy | Rollback | Order | Promote, utc: float
    ) -> Commit | Send:
        goal = self._goal(commander, command, utc)
        self._check_products(commander, goal.service, goal.release)
        before = self._goals.history(goal.service, goal.scope)
        going_back = not goal.rollback and self._goals.would_go_back(goal)
        hosts = sum(
            count
            for group, count, _ in self._reports.groups(goal.service)
            if goal.scope in (GLOBAL, group.region) and not group.stale
        )
        result = msgspec.structs.asdict(goal)
        del result["signatures"]  # bytes, for hosts and not for people
        warning = self._warning(goal, going_back)
        result |= {"previous": before[-1].release if before else "", "hosts": hosts, "warning": warning}
        if isinstance(command, Deploy | Rollback) and command.draft:
            return Send(session, Done(command.number, result))
        if self._config.director_key and goal.rollback and not goal.signatures:
            raise RefusalError("hosts of this fleet go back only with an operator's signature: give --key FILE")
        asked = self._asked(command, goal)
        record = _record(commander, command, asked, str(result["previous"]), goal.release, utc)
        return Commit(session, command.number, goal, result, record)

    def _goal(self, commander: Commander, command: Deploy | Rollback | Order | Promote, utc: float) -> Goal:
        if isinstance(command, Order):
            goal = self._goals.order(command.goal, utc)
            if commander.proven and goal.by != commander.name:
                raise RefusalError(
                    f"the order says that it is by {goal.by!r}, your certificate says {commander.name!r}"
                )
            return goal
        by = commander.called(command.by)
        if isinstance(command, Deploy):
            return self._goals.deploy(command, by, utc)
        if isinstance(command, Rollback):
            return self._goals.rollback(command, by, utc)
        return self._goals.deploy(self._promotion(command), by, utc)

    def _promotion(self, command: Promote) -> Deploy:
        """What the service runs in one region, as a deploy to others; RefusalError unless it does well there."""
        found = self._goals.effective(command.service, command.source)
        where = f"{command.service} in {command.source}"
        if found is None or not found.release:
            raise RefusalError(f"{where} should run nothing, so there is nothing to promote")
        if command.scope == command.source:
            raise RefusalError(f"{where} is promoted to elsewhere: leave --region out for everywhere, or name another")
        row = region_status(found, self._reports, command.service, command.source)
        hosts, settled = row["hosts"] - row["stale"], row["settled"]
        if not command.force and (not hosts or settled < hosts):
            raise RefusalError(
                f"{where}: {settled} of {hosts} hosts run {found.release} and are healthy, {row['failed']} gave it up: "
                "look at `p2p-tracker status`, or give --force"
            )
        return Deploy(command.number, command.service, found.release, command.scope, False, command.by, command.reason)

    def _warning(self, goal: Goal, going_back: bool) -> str:
        ahead = self._ahead()
        if ahead >= goal.revision:
            return (
                f"a region's tracker or a host knows revision {ahead}, so this goal does not count there: has this "
                f"tracker lost its goals? set revision_floor = {ahead} and deploy again"
            )
        if going_back:
            return (
                f"{goal.release} was replaced before: hosts refuse to go back to it unless by rollback "
                "(or deploy with --allow-older)"
            )
        pauses = self._goals.pauses.over(goal.service, goal.scope)
        if pauses and not goal.rollback:
            return "; ".join(map(words, pauses)) + ": hosts there begin after `p2p-tracker resume`"
        return ""

    # -- records ------------------------------------------------------------------------------------------------

    def _asked(self, command: Command, goal: Goal | None = None) -> Asked:
        if isinstance(command, Order):
            goal = command.goal
        if isinstance(command, Pause | Resume):
            action, wanted = ("pause", _PAUSED) if isinstance(command, Pause) else ("resume", _GOING_ON)
            return Asked(action, command.service, command.scope, wanted, command.reason)
        if isinstance(command, Promote):
            action = f"promote from {command.source}" + (" by force" if command.force else "")
            goal = goal or self._goals.effective(command.service, command.source)
            return Asked(action, command.service, command.scope, goal.release if goal else "", command.reason)
        if goal is not None:
            action = "rollback" if goal.rollback else "deploy"
            return Asked(action, goal.service, goal.scope, goal.release, goal.reason)
        if isinstance(command, Invite):
            what = f"{command.uses} x {command.role}" + (
                f" of {', '.join(command.products)}" if command.products else ""
            )
            return Asked("invite", command.node, command.region, what, command.reason)
        if isinstance(command, Revoke):
            return Asked("revoke", command.node or command.serial, GLOBAL, "revoked", command.reason)
        assert not isinstance(command, Order)
        back = isinstance(command, Rollback) or command.rollback
        return Asked("rollback" if back else "deploy", command.service, command.scope, command.release, command.reason)

    def _before(self, asked: Asked) -> str:
        if asked.wanted in (_PAUSED, _GOING_ON):
            return _PAUSED if self._goals.pauses.find(asked.service, asked.scope) else _GOING_ON
        history = self._goals.history(asked.service, asked.scope)
        return history[-1].release if history else ""


def _record(
    commander: Commander, command: Command, asked: Asked, before: str, after: str, utc: float, refused: str = ""
) -> Record:
    said = command.goal.by if isinstance(command, Order) else command.by
    who = commander.called(said)
    return Record(
        0, utc, who, commander.proven, commander.grade, commander.address, asked.action, asked.service, asked.scope,
        before, after, asked.reason, refused[:TEXT_CHARS_MAX],
    )  # fmt: skip
