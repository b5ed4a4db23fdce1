"""The daemon's answers to its tracker's questions what this machine runs. One at a time; the newest question counts."""

from collections.abc import Callable, Collection, Iterable
from typing import Final

import trio

from p2pd.policy.backoff import jittered
from p2pd.wire.announce import Goal
from p2pd.wire.attestation import Challenge, Quote
from p2pd.world import World

from . import AttestationError, Attestor
from .evidence import challenge_binding

RETRY_S: Final = 60.0
"""After an answer that did not do, or could not be given. Registers change when a machine starts anew, and what a
tracker allows when a person changes it."""
GAP_S: Final = 1.0
"""Between two answers: a TPM takes half a second for one, and has other things to do than to please a tracker."""
_NONE_HERE: Final = "the tracker wants to know what this machine runs: set [attestation] here"


class Witness:
    """Of this host, which runs these `services`. `tell` sends to the tracker that asked; `changed` is called with
    services whose `withheld` did."""

    def __init__(
        self,
        world: World,
        attestor: Attestor | None,
        *,
        fleet: str,
        node: str,
        services: Collection[str],
        tell: Callable[[Quote], None],
        changed: Callable[[str], None],
    ) -> None:
        self.withheld: dict[str, str] = {}
        """Services whose goals the tracker keeps back, and why."""
        self._world, self._attestor = world, attestor
        self._fleet, self._node, self._services = fleet, node, services
        self._tell, self._changed = tell, changed
        self._question: Challenge | None = None
        self._wake = trio.Event()

    def __repr__(self) -> str:
        return f"<Witness, {len(self.withheld)} services withheld>"

    def on_challenge(self, challenge: Challenge) -> None:
        """The tracker asks."""
        self._question = challenge
        for service in challenge.services:
            self._withhold(service, challenge.reason or "the tracker looks at what this machine runs")
        self._wake.set()

    def on_goals(self, goals: Iterable[Goal]) -> None:
        """These are withheld no longer."""
        for goal in goals:
            if self.withheld.pop(goal.service, None) is not None:
                self._changed(goal.service)

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            if self._question is not None and self._question.reason:
                await self._rest()
            while self._question is not None:
                if not await self._answer(self._question):
                    await self._rest()
                await trio.sleep(GAP_S)

    async def _rest(self) -> None:
        """Until it is time to try again, or there is another question."""
        with trio.move_on_after(jittered(RETRY_S, self._world.rng)):
            await self._wake.wait()
        self._wake = trio.Event()

    async def _answer(self, question: Challenge) -> bool:
        if self._attestor is None:
            self._explain(question, _NONE_HERE)
            self._question = None
            return True
        binding = challenge_binding(self._fleet, self._node, question.nonce)
        try:
            evidence = await self._world.run_blocking(self._attestor.quote, binding, question.pcrs)
        except AttestationError as error:
            self._explain(question, str(error))
            return False
        if question is self._question:  # no newer one came meanwhile
            self._question = None
            self._tell(Quote(evidence))
        return True

    def _explain(self, question: Challenge, reason: str) -> None:
        for service in question.services:
            self._withhold(service, reason)

    def _withhold(self, service: str, reason: str) -> None:
        if service in self._services and self.withheld.get(service) != reason:
            self.withheld[service] = reason
            self._changed(service)
