"""Stands between the tracker and the services: a goal is handed on when those signed it who may (`p2pd.goals`).

What can't be judged now (no metadata, or expired) or does not count (forged, of another region, expired) is kept, told
of, and judged again after a while: metadata is renewed, keys are rotated, clocks are set. A newer word of the tracker
on the same service takes its place.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import trio

from manifests.authority import Authority
from manifests.errors import ManifestError
from p2pd.goals import RefusedGoalError, judge
from p2pd.origin import OriginError
from p2pd.policy.backoff import Backoff
from p2pd.wire.announce import Goal
from p2pd.world import World

RETRY_BASE_S: Final = 1.0
RETRY_LIMIT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Standing:
    """A goal that was heard and is not followed. `refused`: it was judged; if not, nobody could be asked."""

    goal: Goal
    reason: str
    refused: bool


class Judge:
    """Of one host. `authority` looks up who may set goals (ManifestError, OriginError).

    `accept` takes a goal that counts, the ids of the director's keys that vouch for it, and of all that it has (None:
    goals are not signed here). `changed` is called with the service whose `standing` changed.
    """

    def __init__(
        self,
        world: World,
        authority: Callable[[], Awaitable[Authority | None]],
        *,
        fleet: str,
        region: str,
        accept: Callable[[Goal, frozenset[str], frozenset[str] | None], None],
        changed: Callable[[str], None],
    ) -> None:
        self.standing: dict[str, Standing] = {}
        self._world, self._authority = world, authority
        self._fleet, self._region = fleet, region
        self._accept, self._changed = accept, changed
        self._heard: dict[str, Goal] = {}
        self._accepted: dict[str, Goal] = {}
        self._backoff = Backoff(world.rng, RETRY_BASE_S, RETRY_LIMIT_S)
        self._retry_at = math.inf
        self._wake = trio.Event()

    def __repr__(self) -> str:
        return f"<Judge {len(self._accepted)} accepted, {len(self.standing)} not>"

    def hear(self, goal: Goal) -> None:
        """The tracker says so."""
        known = self._accepted.get(goal.service)
        if known is not None and (known.revision, known.release) == (goal.revision, goal.release):
            self._heard.pop(goal.service, None)  # signed anew, nothing else
            self._stand(goal.service, None)
            return
        self._heard[goal.service] = goal
        self._wake.set()

    async def run(self) -> None:
        """Judge until cancelled."""
        while True:
            with trio.move_on_at(self._retry_at):
                await self._wake.wait()
            self._wake, self._retry_at = trio.Event(), math.inf
            if self._heard:
                await self._judge_all()

    async def _judge_all(self) -> None:
        try:
            authority = await self._authority()
        except (ManifestError, OriginError) as error:
            for goal in self._heard.values():
                self._stand(goal.service, Standing(goal, str(error), isinstance(error, ManifestError)))
        else:
            for goal in tuple(self._heard.values()):
                self._judge(goal, authority)
        if self._heard:
            self._retry_at = trio.current_time() + self._backoff.failed()
        else:
            self._backoff.succeeded()

    def _judge(self, goal: Goal, authority: Authority | None) -> None:
        try:
            vouching = judge(goal, authority, fleet=self._fleet, region=self._region, utc=self._world.utc_now())
        except RefusedGoalError as error:
            self._stand(goal.service, Standing(goal, str(error), refused=True))
            return
        del self._heard[goal.service]
        self._accepted[goal.service] = goal
        self._accept(goal, vouching, frozenset(authority.director.keys) if authority else None)
        self._stand(goal.service, None)

    def _stand(self, service: str, standing: Standing | None) -> None:
        before = self.standing.pop(service, None)
        if standing is not None:
            self.standing[service] = standing
        if standing != before:
            self._changed(service)
