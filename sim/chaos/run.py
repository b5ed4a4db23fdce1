"""One seed, from the draw to the verdict.

Safety is watched all the time. When the faults have healed (and the last command was given, if the story has one)
liveness must follow: within LIVENESS_S every daemon is where the goal in force wants it.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import trio

from p2pd.wire.announce import Goal
from sim.fleet.fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from sim.fleet.liars import LyingTracker, lie
from sim.fleet.releases import PRODUCT

from .checkers import Ordered, Safety, Violation
from .draw import draw
from .faults import Faults
from .operator import Commander, InForce
from .story import HALF_SIGNED, Story

LIVENESS_S: Final = 900.0
"""From the end of the faults. The longest back-off of anything is 120 s (a release that was refused or blocked)."""
LOOK_S: Final = 0.5


@dataclass(frozen=True)
class Outcome:
    """`violation` is '' when all held. `settled_s`: from the last command to the last daemon."""

    rng_seed: int
    violation: str
    rule: str
    settled_s: float
    simulated_s: float
    checks: int
    crashes: int
    trace: str
    story: str

    @property
    def ok(self) -> bool:
        """All rules held, and every daemon arrived."""
        return not self.violation


def run_seed(rng_seed: int, keep_trace: Any = None) -> Outcome:
    """Draw and run. What a shipped service raises that it should not is a violation too (rule `crash`)."""
    return run_story(draw(rng_seed), keep_trace)


def run_story(story: Story, keep_trace: Any = None) -> Outcome:
    """Run a story that may have been changed by hand."""
    with fleet_of(story.fleet, story.rng_seed, keep_trace) as fleet:
        drama = Drama(fleet, story)
        violation, rule = "", ""
        try:
            fleet.clock.run(drama.run, rng_seed=story.rng_seed)
        except BaseExceptionGroup as group:
            violation, rule = _first_violation(group)
        except Violation as error:
            violation, rule = str(error), error.rule
        return Outcome(
            story.rng_seed, violation, rule, drama.settled_s, fleet.clock.now, drama.safety.checks,
            sum(member.crashes for member in fleet.members.values()), fleet.trace.digest(), str(story),
        )  # fmt: skip


def _first_violation(group: BaseExceptionGroup[BaseException]) -> tuple[str, str]:
    found, others = group.split(Violation)
    error: BaseException = found or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Violation):
        return str(error), error.rule
    if others is not None and not isinstance(others, ExceptionGroup):
        raise group  # a person's Ctrl-C, not a finding
    return f"crash: {type(error).__name__}: {error}", "crash"


class Drama:
    """A story on its fleet."""

    def __init__(self, fleet: Fleet, story: Story) -> None:
        self.fleet, self.story = fleet, story
        self.ordered = Ordered()
        self.settled_s = float("inf")
        self._commander = Commander(fleet, self.ordered)
        self._goals: dict[str, InForce] = {}
        turns = {name: partial(self._turn_tracker, name) for name in fleet.trackers if name != GLOBAL_TRACKER}
        self.faults = Faults(fleet, story, turns)
        self.safety = Safety(fleet, story, self.ordered, self.faults.rotten)

    async def run(self) -> None:
        """All of it; raises Violation."""
        async with trio.open_nursery() as nursery:
            await self.fleet.run(nursery)
            for number, kind in enumerate(self.story.liars):
                self._start_liar(nursery, f"liar-{number + 1}", kind)
            nursery.start_soon(self._look)
            nursery.start_soon(self._command)
            await self.faults.run()
            await self._give_last()
            given_at = trio.current_time()
            with trio.move_on_after(LIVENESS_S):
                await self._settle()
            self.settled_s = trio.current_time() - given_at
            if waiting := self._unsettled():
                raise Violation("liveness", ", ".join(waiting), trio.current_time(), self._why(waiting))
            nursery.cancel_scope.cancel()

    async def _command(self) -> None:
        with trio.move_on_at(self.story.heal_s):
            for command in self.story.commands:
                await trio.sleep_until(command.at_s)
                await self._commander.give(command)

    async def _give_last(self) -> None:
        if self.story.last is not None:
            await self._commander.give(self.story.last)
            await self._commander.give(self.story.last)  # who believed a liar's revision needs one beyond it
        self._goals = await self._commander.in_force()

    # -- liars --------------------------------------------------------------------------------------------------

    def _start_liar(self, nursery: trio.Nursery, name: str, kind: str) -> None:
        region = self.fleet.plan.regions[0]
        releases = {one.swarm: one for one in self.fleet.published.releases.values()}
        self.fleet.add_outsider(
            nursery, name, region,
            partial(lie, name=name, fleet=FLEET, region=region, trackers=(f"tracker-{region}:8470",),
                    releases=releases, kind=kind),
        )  # fmt: skip

    def _turn_tracker(self, name: str, lying: bool) -> None:
        """From now on it lies, or no longer; either way its process is another one."""
        member = self.fleet.trackers[name]
        goal = Goal(PRODUCT, "global", HALF_SIGNED.name, self._commander.revision + 1)
        impostor = LyingTracker(f"{name}:8470", goal, self._told) if lying else None
        if member.replace_body(impostor.run if impostor else None):
            member.crash(power=False, down_s=0.2)

    def _told(self, goal: Goal) -> None:
        self.ordered.add(goal.scope, goal.release, older=goal.rollback, now=trio.current_time())

    # -- the end ------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            await trio.sleep(LOOK_S)
            self.safety.look()

    async def _settle(self) -> None:
        while self._unsettled():  # noqa: ASYNC110 - shipped code has no event for this, and must not get one
            await trio.sleep(LOOK_S)

    def _unsettled(self) -> list[str]:
        return [name for name in self.fleet.daemons if not self._is_settled(name)]

    def _is_settled(self, name: str) -> bool:
        daemon, goal = self.fleet.daemons[name].running, self._goals.get(self.fleet.region_of[name])
        if daemon is None or goal is None:
            return daemon is not None
        return any(
            (status["goal_release"], status["goal_revision"]) == (goal.release, goal.revision)
            and status["state"] in self._final_states(name, goal)
            and (status["state"] != "VERIFIED" or status["running_release"] == goal.release)
            for status in daemon.updates.status()
        )

    def _final_states(self, name: str, goal: InForce) -> tuple[str, ...]:
        if not goal.spec.trusted:
            return ("REFUSED",)
        healthy = "VERIFIED" if goal.spec.healthy else "FAILED"
        may_be_older = not goal.rollback and self.safety.newest(name) > goal.spec.sequence
        return (healthy, "REFUSED") if may_be_older else (healthy,)

    def _why(self, names: list[str]) -> str:
        daemon = self.fleet.daemons[names[0]].running
        return repr(daemon.updates.status()) if daemon is not None else "it does not run"
