"""The operator of a story: commands until they are taken, and what is in force at the end."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import trio

from manifests.console import UnreachableError
from p2pd.wire.announce import GLOBAL
from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet
from sim.fleet.releases import PRODUCT, ReleaseSpec
from tracker.client import CommandRefused, Operator, connect

from .checkers import Ordered
from .story import SPECS, Command

RETRY_S = 1.0


@dataclass(frozen=True)
class InForce:
    """A goal as the global tracker has it."""

    release: str
    revision: int
    rollback: bool

    @property
    def spec(self) -> ReleaseSpec:
        """The release."""
        return SPECS[self.release]


class Commander:
    """Speaks to the global tracker; tells `ordered` of every command before it is given."""

    def __init__(self, fleet: Fleet, ordered: Ordered) -> None:
        self._fleet, self._ordered = fleet, ordered
        self.revision = 0

    async def give(self, command: Command) -> None:
        """Until it is taken."""
        self._ordered.add(command.scope, command.release, older=command.older, now=trio.current_time())
        self._fleet.trace.tell(f"command {command}")

        while True:
            try:
                async with self._connected() as operator:
                    goal = await operator.deploy(
                        PRODUCT, command.release, scope=command.scope, allow_older=command.older
                    )
                    self.revision = int(goal["revision"])
                    return
            except (UnreachableError, CommandRefused) as error:
                self._fleet.trace.tell(f"operator: {error}")
                await trio.sleep(RETRY_S)

    async def in_force(self) -> dict[str, InForce]:
        """By region; none where nothing was ever commanded. Asked until it is answered."""
        status = await self._status()
        found: dict[str, InForce] = {}
        goals = [goal for service in status["services"] for goal in service["goals"]]
        for goal in sorted(goals, key=lambda goal: int(goal["revision"])):
            for region in self._fleet.plan.regions:
                if goal["scope"] in (GLOBAL, region):
                    found[region] = InForce(goal["release"], goal["revision"], goal["rollback"])
        return found

    async def _status(self) -> dict[str, Any]:
        while True:
            try:
                async with self._connected() as operator:
                    return await operator.status(PRODUCT)
            except (UnreachableError, CommandRefused):
                await trio.sleep(RETRY_S)

    def _connected(self) -> AbstractAsyncContextManager[Operator]:
        return connect(self._fleet.operator, f"{GLOBAL_TRACKER}:8470", by=self._fleet.operator.name, fleet=FLEET)
