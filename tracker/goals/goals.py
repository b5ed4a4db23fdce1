"""Goals by service and scope. Decides what a command means; changes only when told that the goal is durable."""

from collections.abc import Callable, Iterable, Sequence
from heapq import merge
from typing import Final

from manifests.errors import ManifestError
from manifests.names import check_product, parse_release
from p2pd.wire.announce import GLOBAL, SERVICES_MAX, Deploy, Goal, Pause, Paused, Resume, Rollback
from tracker.errors import RefusalError

from .history import previous_release, releases_in_force
from .pauses import Pauses

HISTORY_MAX: Final = 100
"""Goals kept for each service and scope: weeks of several deploys a day."""
ORDER_AGE_MAX_S: Final = 600.0
"""Between draft and order an operator types a passphrase or touches a token."""
SCOPES_MAX: Final = 64
"""Scopes of one service: regions are few; more is a mistake in a script."""


def _revision(goal: Goal) -> int:
    return goal.revision


class Goals:
    """`revision` is that of the newest goal or pause. `deploy`, `rollback`, `pause` and `resume` say what would be;
    `apply` and `apply_pauses` make it so.

    New ones get revisions above `revision_floor`.
    """

    def __init__(self, history: Iterable[Goal] = (), revision_floor: int = 0, pauses: Pauses | None = None) -> None:
        self.pauses = pauses or Pauses()
        self.revision = self.pauses.revision
        self._revision_floor = revision_floor
        self._scopes: dict[str, dict[str, list[Goal]]] = {}
        for goal in sorted(history, key=_revision):
            self.apply(goal)

    def __repr__(self) -> str:
        return f"<Goals of {len(self._scopes)} services, revision {self.revision}>"

    def services(self) -> list[str]:
        """Those that ever had a goal, by name."""
        return sorted(self._scopes)

    def scopes(self, service: str) -> list[Goal]:
        """The service's newest goal of each scope, by revision."""
        return sorted((goals[-1] for goals in self._scopes.get(service, {}).values()), key=_revision)

    def effective(self, service: str, region: str) -> Goal | None:
        """What the service should run there: of the goals `global` and of the region, the one of highest revision."""
        scopes = self._scopes.get(service, {})
        return max((scopes[scope][-1] for scope in dict.fromkeys((GLOBAL, region)) if scope in scopes),
                   key=_revision, default=None)  # fmt: skip

    def in_force(self, region: str, services: Sequence[str], newer_than: int) -> list[Goal]:
        """Effective goals (no services named: of all) whose revision is higher than `newer_than`, by revision."""
        if newer_than >= self.revision:
            return []
        found = (self.effective(service, region) for service in services or self._scopes)
        return sorted((goal for goal in found if goal and goal.revision > newer_than), key=_revision)

    def newer_than(self, revision: int) -> list[Goal]:
        """The newest goal of every service and scope, if its revision is higher, by revision."""
        if revision >= self.revision:
            return []
        newest = (goals[-1] for scopes in self._scopes.values() for goals in scopes.values())
        return sorted((goal for goal in newest if goal.revision > revision), key=_revision)

    def history(self, service: str, scope: str) -> list[Goal]:
        """What was in force there one after the other: of a region, its own goals and the global ones."""
        scopes = self._scopes.get(service, {})
        return list(merge(*(scopes.get(name, []) for name in dict.fromkeys((GLOBAL, scope))), key=_revision))

    def deploy(self, command: Deploy, by: str, at: float) -> Goal:
        """The goal that the command means; RefusalError if its names are not right."""
        self._check_names(command.service, command.scope)
        if command.release:
            _check(parse_release, command.release)
        due = at + command.deadline_s if command.deadline_s else 0.0
        return Goal(command.service, command.scope, command.release, self._next_revision, command.rollback, by, at,
                    command.reason, due=due)  # fmt: skip

    def rollback(self, command: Rollback, by: str, at: float) -> Goal:
        """The goal that the command means; RefusalError if there is nothing to go back to."""
        self._check_names(command.service, command.scope)
        history = self.history(command.service, command.scope)
        release = self._rollback_target(history, command)
        return Goal(command.service, command.scope, release, self._next_revision, True, by, at, command.reason)

    def pause(self, command: Pause, by: str, at: float) -> Pauses:
        """All pauses, with this one; RefusalError."""
        self._check_pause(command)
        pause = Paused(command.service, command.scope, self._next_revision, by, at, command.reason)
        return self.pauses.with_one(pause)

    def resume(self, command: Resume) -> Pauses:
        """All pauses but this one; RefusalError."""
        self._check_pause(command)
        return self.pauses.without(command.service, command.scope, self._next_revision)

    def apply_pauses(self, pauses: Pauses) -> bool:
        """They are durable: they count. False if nothing changes."""
        changed = pauses.paused != self.pauses.paused
        self.pauses = pauses
        self.revision = max(self.revision, pauses.revision)
        return changed

    def order(self, goal: Goal, utc: float) -> Goal:
        """A draft that came back signed; RefusalError if it is not what the command would be now."""
        self._check_names(goal.service, goal.scope)
        if goal.release:
            _check(parse_release, goal.release)
        if goal.revision != self._next_revision:
            raise RefusalError(f"another command came first: this would be revision {self._next_revision} now")
        if not goal.signatures or abs(goal.at - utc) > ORDER_AGE_MAX_S:
            raise RefusalError("an order is a draft of just now, signed")
        return goal

    def expiring(self, before: float) -> list[Goal]:
        """The newest goal of every service and scope that expires before then (or never was signed)."""
        newest = (goals[-1] for scopes in self._scopes.values() for goals in scopes.values())
        return [goal for goal in newest if goal.expires < before]

    @property
    def _next_revision(self) -> int:
        return max(self.revision, self._revision_floor) + 1

    def would_go_back(self, goal: Goal) -> bool:
        """Whether the release of a plain goal was replaced by a newer one before, so that hosts may refuse it."""
        below = releases_in_force(self.history(goal.service, goal.scope))[:-1]
        return goal.release in below and not goal.rollback

    def apply(self, goal: Goal) -> bool:
        """The goal is durable: it counts. False, and nothing changes, if one as new of its scope is known.

        The same one with a later expiry, signed anew, takes the old one's place.
        """
        goals = self._scopes.setdefault(goal.service, {}).setdefault(goal.scope, [])
        if goals and goals[-1].revision == goal.revision and goals[-1].expires < goal.expires:
            goals[-1] = goal
            return True
        if goals and goals[-1].revision >= goal.revision:
            return False
        goals.append(goal)
        del goals[:-HISTORY_MAX]
        self.revision = max(self.revision, goal.revision)
        return True

    def _rollback_target(self, history: list[Goal], command: Rollback) -> str:
        where = f"{command.service} in {command.scope}"
        if not history:
            raise RefusalError(f"nothing was ever deployed as {where}; known services: {_listed(self.services())}")
        if not command.release:
            release = previous_release(history)
            if release is None:
                raise RefusalError(f"{where}: nothing came before {history[-1].release or 'nothing'}")
            return release
        _check(parse_release, command.release)
        known = list(dict.fromkeys(goal.release for goal in reversed(history)))
        if command.release not in known:
            raise RefusalError(
                f"{command.release} was never deployed as {where}; known: {_listed(known[:10])}. "
                "To go there all the same, deploy it with --allow-older"
            )
        return command.release

    def _check_pause(self, command: Pause | Resume) -> None:
        if command.service:
            _check(check_product, command.service, "service")
        _check(check_product, command.scope, "region")

    def _check_names(self, service: str, scope: str) -> None:
        _check(check_product, service, "service")
        _check(check_product, scope, "region")
        scopes = self._scopes.get(service)
        if scopes is None and len(self._scopes) >= SERVICES_MAX:
            raise RefusalError(f"{SERVICES_MAX} services have goals; no more are taken")
        if scopes is not None and scope not in scopes and len(scopes) >= SCOPES_MAX:
            raise RefusalError(f"{service} has goals in {SCOPES_MAX} regions; no more are taken")


def _check(checker: Callable[[str], object], text: str, what: str = "release") -> None:
    try:
        checker(text)
    except ManifestError as error:
        raise RefusalError(f"{what}: {error}") from None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name or "(nothing)" for name in names) or "none"
