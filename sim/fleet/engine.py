"""Run a scenario on real daemons: start the fleet, deploy, let happen what the scenario says, and keep the books.

Time begins with the command to deploy. A host has finished when the last piece is verified and written.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import trio

from p2pd.exchange import Membership
from sim.bounds import bound_s
from sim.ledger import SAMPLES, Ledger
from sim.limits import limit_of
from sim.native import compiled
from sim.plan import COMMAND_S, SwarmPlan
from sim.population import Population, population
from sim.result import Result
from tracker.client import connect

from .fleet import FLEET, GLOBAL_TRACKER, Fleet, fleet_of
from .mapping import Diluted, fleet_plan
from .member import Member
from .releases import PRODUCT

PATIENCE: Final = 20.0
"""A run is given up at this many times its bound, unless the scenario says when."""
CURRENT: Final = f"/srv/{PRODUCT}/current"
STAGING: Final = ".staging-"


class Deployment:
    """One release to one fleet."""

    def __init__(
        self, plan: SwarmPlan, who: Population, diluted: Diluted, fleet: Fleet, tick: Callable[[float], None]
    ) -> None:
        self.ledger = Ledger(plan, who)
        self.switched_s = 0.0
        """When the last daemon switched to the release."""
        self._plan, self._who, self._fleet, self._tick = plan, who, fleet, tick
        self._dilution = diluted.dilution
        self._names = list(fleet.daemons)
        self._written = [0] * len(self._names)
        self._dead: list[int] = []
        self._began = math.inf
        self._over = trio.Event()
        for host, member in enumerate(fleet.daemons.values()):
            member.host.disk.on_write = partial(self._on_write, host)
            member.host.disk.on_show = self._on_show

    @property
    def died(self) -> int:
        """Hosts that died without having everything."""
        return len(self._dead)

    async def run(self) -> None:
        """Until all that live have it, or patience ends."""
        async with trio.open_nursery() as nursery:
            late = np.flatnonzero(self._who.join_s > 0)
            for host in late:
                self._member(int(host)).crash(power=False, down_s=COMMAND_S + float(self._who.join_s[host]))
            await self._fleet.run(nursery)
            await trio.sleep_until(COMMAND_S)
            self._began = trio.current_time()
            async with connect(
                self._fleet.operator, f"{GLOBAL_TRACKER}:8470", by=self._fleet.operator.name, fleet=FLEET
            ) as operator:
                await operator.deploy(PRODUCT, f"{PRODUCT}@1.0")
            nursery.start_soon(self._sample)
            nursery.start_soon(self._break_things)
            with trio.move_on_at(self._began + (self._plan.give_up_s or PATIENCE * bound_s(self._plan))):
                await self._over.wait()
            self._take_stock()
            self.ledger.wasted_bytes = self._dilution * sum(map(_duplicate_bytes, self._fleet.daemons.values()))
            self._remember_meetings()
            nursery.cancel_scope.cancel()

    def _member(self, host: int) -> Member[Any]:
        return self._fleet.members[self._names[host]]

    @property
    def _now(self) -> float:
        return self._fleet.clock.now - self._began

    # -- what is seen at the seams ------------------------------------------------------------------------------

    def _on_write(self, host: int, path: str, offset: int, length: int) -> None:
        if STAGING not in path:
            return
        self._written[host] += length
        if self._written[host] == self._fleet.plan.size_bytes:
            self.ledger.finish_s[host] = self._now
            self._end_if_done()

    def _on_show(self, path: str, source: str) -> None:
        if path == CURRENT:
            self.switched_s = self._now

    def _end_if_done(self) -> None:
        if self.ledger.done + len(self._dead) == len(self._names):
            self._over.set()

    # -- the books ----------------------------------------------------------------------------------------------

    async def _sample(self) -> None:
        every_s = bound_s(self._plan) / SAMPLES
        while True:
            self._take_stock()
            self._tick(min(0.99, self.ledger.progress))
            await trio.sleep(every_s)

    def _take_stock(self) -> None:
        for host, name in enumerate(self._names):
            daemon = self._fleet.daemons[name].running
            for artifact in daemon.store.artifacts.values() if daemon is not None else ():
                sources: Mapping[str, float] = artifact.bytes_by_source
                self.ledger.book(host, {tier: count * self._dilution for tier, count in sources.items()})
        self.ledger.sample(self._now, len(self._dead), self._limit)

    def _limit(self, host: int) -> int | None:
        if host in self._dead:
            return None
        link = self._fleet.plan.accesses[host].down_bytes_per_s
        for membership in _memberships(self._member(host)):
            return limit_of(membership.brain.pace(trio.current_time()), link)
        return limit_of(None, link)

    def _remember_meetings(self) -> None:
        """Since when each node was in the swarm, and since when it knew whom: what tier 2 can be given."""
        numbers = {name: number for number, name in enumerate((*self._names, *self._fleet.seeders))}
        began_s = np.full(len(numbers), np.nan)
        met: list[tuple[float, float, float]] = []
        for name, number in numbers.items():
            for membership in _memberships(self._fleet.members[name]):
                seen = membership.brain.snapshot(trio.current_time())
                began_s[number] = seen.began_at - self._began
                met += [(peer.joined_at - self._began, number, numbers[peer.key]) for peer in seen.peers]
        self.ledger.more |= {"began_s": began_s, "met": np.array(met).reshape(-1, 3)}

    # -- what the scenario does to it ---------------------------------------------------------------------------

    async def _break_things(self) -> None:
        plan = self._plan
        async with trio.open_nursery() as nursery:
            for host in np.flatnonzero(np.isfinite(self._who.dies_s)):
                nursery.start_soon(self._die, int(host))
            if plan.tracker.outage_until_s > plan.tracker.outage_from_s:
                nursery.start_soon(self._take_trackers_away)
            for cut in plan.regions.cuts:
                nursery.start_soon(self._cut, self._fleet.plan.regions[cut.region], cut.from_s, cut.until_s)

    async def _die(self, host: int) -> None:
        await trio.sleep_until(self._began + float(self._who.dies_s[host]))
        self._member(host).crash(power=True)
        if math.isnan(self.ledger.finish_s[host]):
            self._dead.append(host)
            self._end_if_done()

    async def _take_trackers_away(self) -> None:
        outage = self._plan.tracker
        await trio.sleep_until(self._began + outage.outage_from_s)
        for member in self._fleet.trackers.values():
            member.crash(power=True, down_s=outage.outage_until_s - outage.outage_from_s)

    async def _cut(self, region: str, from_s: float, until_s: float) -> None:
        await trio.sleep_until(self._began + from_s)
        self._fleet.network.partition(name for name, home in self._fleet.region_of.items() if home == region)
        await trio.sleep_until(self._began + until_s)
        self._fleet.network.heal()


def _memberships(member: Member[Any]) -> Iterable[Membership]:
    exchange = member.running.exchange if member.running is not None else None
    return exchange.memberships.values() if exchange is not None else ()


def _duplicate_bytes(member: Member[Any]) -> int:
    return sum(one.brain.snapshot(trio.current_time()).duplicate_bytes for one in _memberships(member))


def run(
    plan: SwarmPlan,
    *,
    name: str,
    about: str,
    settings: dict[str, object],
    rng_seed: int,
    tick: Callable[[float], None] = lambda part: None,
) -> Result:
    """Run the plan to its end on real daemons; ScenarioError for what they can't be given."""
    who = population(plan, rng_seed)
    diluted = fleet_plan(plan, who)
    with fleet_of(diluted.fleet, rng_seed) as fleet:
        deployment = Deployment(plan, who, diluted, fleet, tick)
        fleet.clock.run(deployment.run, rng_seed=rng_seed)
        tick(1.0)
        return deployment.ledger.result(
            name=name, engine="fleet", about=about, settings=settings, rng_seed=rng_seed, died=deployment.died,
            more_facts={"dilution": diluted.dilution, "switched_s": deployment.switched_s, "compiled": compiled()},
        )  # fmt: skip
