"""What is paused: all pauses in force, as one value. Each of a service ('': all) and a scope, until it is resumed."""

from dataclasses import dataclass
from typing import Final

from p2pd.wire.announce import GLOBAL, PAUSES_MAX, Paused
from tracker.errors import RefusalError

KNOWN_MAX: Final = 5
"""Pauses that an error names."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """`revision`: that of the command that made it so."""

    revision: int = 0
    paused: tuple[Paused, ...] = ()

    def with_one(self, new: Paused) -> "Pauses":
        """This one too; RefusalError when it is in force already, or when there are too many."""
        if known := self.find(new.service, new.scope):
            raise RefusalError(f"{words(known)} already")
        if len(self.paused) >= PAUSES_MAX:
            raise RefusalError(f"{PAUSES_MAX} pauses are in force; name no service to pause all, or end some first")
        return Pauses(new.revision, (*self.paused, new))

    def without(self, service: str, scope: str, revision: int) -> "Pauses":
        """That one has ended; RefusalError when it is not in force."""
        ended = self.find(service, scope)
        if ended is None:
            known = "; ".join(map(words, self.paused[:KNOWN_MAX])) or "nothing is paused"
            raise RefusalError(f"{service or 'all services'} in {scope}: there is no such pause; {known}")
        return Pauses(revision, tuple(one for one in self.paused if one is not ended))

    def find(self, service: str, scope: str) -> Paused | None:
        """The pause of exactly these."""
        return next((one for one in self.paused if (one.service, one.scope) == (service, scope)), None)

    def over(self, service: str, scope: str) -> list[Paused]:
        """Those that stop some or all hosts of a scope from beginning with the service."""
        return [
            one for one in self.paused
            if one.service in ("", service) and (GLOBAL in (one.scope, scope) or one.scope == scope)
        ]  # fmt: skip


def words(pause: Paused) -> str:
    """For a person."""
    what = pause.service or "every service"
    where = "everywhere" if pause.scope == GLOBAL else f"in {pause.scope}"
    return f"{what} is paused {where} by {pause.by or 'somebody'}" + (f" ({pause.reason})" if pause.reason else "")
