"""Run a scenario on the brains alone, without tasks, sockets or bytes: what it says happens, and the books are kept.

The command to deploy comes when it does in the engine `fleet`, and results count from it. Hosts have the names, the
links and the dice that they have there.
"""

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from p2pd.wire import bits
from p2pd.world import root_of, stream
from sim.bounds import bound_s
from sim.fleet.mapping import refuse
from sim.fleet.releases import PRODUCT
from sim.ledger import SAMPLES, Ledger
from sim.limits import limit_of
from sim.native import compiled
from sim.net import Place
from sim.plan import COMMAND_S, SwarmPlan
from sim.population import Population, population
from sim.result import Result
from sim.world import host_dice

from .crowd import Crowd
from .heap import uncollected
from .history import History
from .meeting import Meetings
from .node import Node

PATIENCE: Final = 20.0
"""A run is given up at this many times its bound, unless the scenario says when."""
RELEASE: Final = f"{PRODUCT}@1.0"
ANNOUNCE_S: Final = 5.0
"""The tracker's own default for nodes that miss pieces."""


class Deployment:
    """One release to one crowd."""

    def __init__(
        self,
        plan: SwarmPlan,
        who: Population,
        rng_seed: int,
        tick: Callable[[float], None],
        like: Mapping[str, Any] | None,
    ) -> None:
        self.ledger = Ledger(plan, who)
        self.crowd = Crowd([round(plan.chunk_bytes)] * plan.chunks, plan.parts)
        self.died = 0
        self._plan, self._who, self._seed, self._tick, self._like = plan, who, rng_seed, tick, like
        self._world = Place("world")
        feed = plan.regions.feed_bytes_per_s
        self._regions = [
            Place(f"region-{number}", self._world, feed, feed, plan.regions.latency_s / 2)
            for number in range(plan.regions.count)
        ]
        self._racks: dict[tuple[int, int], Place] = {}
        self.shields = [self._shield(number) for number in range(self._count_shields())]
        self.hosts = [self._host(number) for number in range(plan.hosts.count)]
        self._numbers = {node: number for number, node in enumerate(self.hosts)}
        for node in (*self.shields, *self.hosts):
            self.crowd.add(node)

    def _count_shields(self) -> int:
        plan = self._plan
        return 1 if plan.origin.uplink_bytes_per_s else plan.regions.count * plan.seeders.per_region

    def _shield(self, number: int) -> Node:
        plan, key = self._plan, f"seeder-{number + 1}"
        if plan.origin.uplink_bytes_per_s:
            place = Place(key, self._world, plan.origin.uplink_bytes_per_s, math.inf, plan.regions.latency_s / 2)
            return Node(key, place, 0, shield=True)
        region = number % plan.regions.count
        rate, latency_s = plan.seeders.uplink_bytes_per_s, plan.hosts.latency_s / 2
        return Node(key, Place(key, self._regions[region], rate, math.inf, latency_s), region, shield=True)

    def _host(self, number: int) -> Node:
        plan, key = self._plan, f"d{number + 1:03d}"
        region, speed = number % plan.regions.count, float(self._who.speed[number])
        up, down = plan.hosts.uplink_bytes_per_s * speed, plan.hosts.downlink_bytes_per_s * speed
        rack, inside = self._rack(region, number)
        place = Place(key, inside, up, down, float(self._who.latency_s[number]))
        return Node(key, place, region, rack=rack if plan.racks.named else "")

    def _rack(self, region: int, number: int) -> tuple[str, Place]:
        racks = self._plan.racks
        if not racks.hosts:
            return "", self._regions[region]
        each = -(-self._plan.hosts.count // self._plan.regions.count)
        key = (region, number // self._plan.regions.count % -(-each // racks.hosts))
        if key not in self._racks:
            rate = racks.uplink_bytes_per_s
            self._racks[key] = Place(f"rack-{key}", self._regions[region], rate, rate)
        return f"zone-1/rack-{key[1] + 1}", self._racks[key]

    # -- the run ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until all that live have it, or patience ends."""
        plan, heap = self._plan, self.crowd.heap
        meetings = Meetings(
            self.crowd,
            Random(f"meetings/{self._seed}"),
            plan.tracker.announce_s or ANNOUNCE_S,
            copies_per_rack=plan.racks.copies,
        )
        if self._like is None:
            for node in self.shields:
                heap.at(COMMAND_S, self._begin, node, meetings)
            for node, join_s in zip(self.hosts, self._who.join_s.tolist(), strict=True):
                heap.at(COMMAND_S + join_s + plan.policy.begin_s, self._begin, node, meetings)
        else:
            self._follow(self._like)
        self._book_troubles(meetings)
        heap.at(COMMAND_S, self._sample, bound_s(plan) / SAMPLES)
        heap.run(COMMAND_S + (plan.give_up_s or PATIENCE * bound_s(plan)))
        self._take_stock()

    def _follow(self, like: Mapping[str, Any]) -> None:
        nodes = [*self.hosts, *self.shields]
        history = History(self.crowd, nodes, like)
        for number, node in enumerate(nodes):
            if not math.isnan(history.began_at(number)):
                self.crowd.heap.at(history.began_at(number), self._begin, node, None)
        history.book()

    def _begin(self, node: Node, meetings: Meetings | None) -> None:
        if not node.dead:
            rng, _ = host_dice(str(self._seed), node.key, 1)
            present = bits.full(self._plan.chunks) if node.shield else 0
            self.crowd.begin(node, present, stream(root_of(rng), RELEASE))
            if meetings is not None:
                meetings.come(node)

    def _book_troubles(self, meetings: Meetings) -> None:
        heap, tracker = self.crowd.heap, self._plan.tracker
        for node, dies_s in zip(self.hosts, self._who.dies_s.tolist(), strict=True):
            if dies_s < math.inf:
                heap.at(COMMAND_S + dies_s, self._die, node, meetings)
        if tracker.outage_until_s > tracker.outage_from_s:
            heap.at(COMMAND_S + tracker.outage_from_s, setattr, meetings, "away", True)
            heap.at(COMMAND_S + tracker.outage_until_s, setattr, meetings, "away", False)
        for cut in self._plan.regions.cuts:
            heap.at(COMMAND_S + cut.from_s, self.crowd.cut, frozenset((cut.region,)))
            heap.at(COMMAND_S + cut.until_s, self.crowd.cut, frozenset())

    def _die(self, node: Node, meetings: Meetings) -> None:
        meetings.die(node)
        if math.isnan(node.finish_s):
            self.died += 1
            self.crowd.finished()

    # -- the books ----------------------------------------------------------------------------------------------

    def _sample(self, every_s: float) -> None:
        self._take_stock()
        self._tick(min(0.99, self.ledger.progress))
        self.crowd.heap.at(self.crowd.heap.now + every_s, self._sample, every_s)

    def _take_stock(self) -> None:
        for node in self.crowd.changed:
            host = self._numbers.get(node)
            if host is not None:
                self.ledger.book(host, node.received)
                self.ledger.finish_s[host] = node.finish_s - COMMAND_S
        self.crowd.changed.clear()
        self.ledger.wasted_bytes = float(self.crowd.wasted_bytes)
        self.ledger.sample(self.crowd.heap.now - COMMAND_S, self.died, self._limit)

    def _limit(self, host: int) -> int | None:
        node = self.hosts[host]
        if node.dead:
            return None
        seen = node.brain.pace(self.crowd.heap.now) if node.brain is not None else None
        return limit_of(seen, node.place.down_bytes_per_s)


def run(
    plan: SwarmPlan,
    *,
    name: str,
    about: str,
    settings: dict[str, object],
    rng_seed: int,
    tick: Callable[[float], None] = lambda part: None,
    like: Mapping[str, Any] | None = None,
) -> Result:
    """Run the plan to its end on brains; ScenarioError for what they can't be given.

    `like`: arrays of a run of the same plan on real daemons; hosts then begin, and meet, exactly as there.
    """
    refuse(plan, "quick")
    with uncollected():
        deployment = Deployment(plan, population(plan, rng_seed), rng_seed, tick, like)
        deployment.run()
    tick(1.0)
    return deployment.ledger.result(
        name=name, engine="quick", about=about, settings=settings, rng_seed=rng_seed, died=deployment.died,
        more_facts={"messages": float(deployment.crowd.messages), "compiled": compiled()},
    )  # fmt: skip
