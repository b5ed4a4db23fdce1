"""From a scenario to a fleet: what of it real daemons can be given, and by how much bytes are diluted."""

import math
from dataclasses import dataclass
from typing import Final

from sim.disk import DiskSpeed
from sim.errors import ScenarioError
from sim.plan import UNLIMITED, Policy, SwarmPlan
from sim.population import Population

from .plan import Access, FleetPlan

DAEMONS_MAX: Final = 2_000
"""0.4 MB and some ten connections each; more is a matter of hours."""
PIECE_BYTES: Final = 4096
"""What a piece is diluted to, unless the scenario says by how much."""
PIECE_BYTES_MIN: Final = 1024
"""Smaller ones can't be told from messages, which are not diluted."""


@dataclass(frozen=True)
class Diluted:
    """A fleet, and by how much its bytes and rates were divided."""

    fleet: FleetPlan
    dilution: float


FREE: Final = DiskSpeed(bytes_per_s=math.inf, call_s=0.0, fsync_s=0.0)
"""A call on a disk would not be diluted; the other engines have no disks."""


def fleet_plan(plan: SwarmPlan, who: Population) -> Diluted:
    """The fleet that a scenario describes; ScenarioError names what real daemons can't be given."""
    refuse(plan, "fleet")
    dilution = plan.daemons.dilution or max(1.0, plan.chunk_bytes / PIECE_BYTES)
    piece_bytes = round(plan.chunk_bytes / dilution)
    if piece_bytes < PIECE_BYTES_MIN:
        raise ScenarioError(
            f"daemons.dilution: pieces of {piece_bytes} bytes are too small; {PIECE_BYTES_MIN} at least"
        )
    hosts, regions = plan.hosts, plan.regions
    outside = bool(plan.origin.uplink_bytes_per_s)
    up, down = hosts.uplink_bytes_per_s / dilution, hosts.downlink_bytes_per_s / dilution
    rack, feed = plan.racks.uplink_bytes_per_s / dilution, regions.feed_bytes_per_s / dilution
    each = -(-hosts.count // regions.count)
    fleet = FleetPlan(
        pieces=plan.chunks,
        piece_bytes=piece_bytes,
        diluted=True,
        parts=plan.parts,
        dilution=dilution,
        daemons=hosts.count,
        regions=tuple(f"region-{number}" for number in range(regions.count)),
        zones=int(plan.racks.named),
        copies_per_rack_link=plan.racks.copies,
        racks=-(-each // plan.racks.hosts) if plan.racks.hosts else 1,
        seeders=1 if outside else regions.count * plan.seeders.per_region,
        seeders_outside=outside,
        daemon=Access(up, down, hosts.latency_s / 2),
        accesses=tuple(
            Access(up * speed, down * speed, latency_s)
            for speed, latency_s in zip(who.speed.tolist(), who.latency_s.tolist(), strict=True)
        ),
        seeder=Access(
            (plan.origin.uplink_bytes_per_s or plan.seeders.uplink_bytes_per_s) / dilution,
            latency_s=regions.latency_s / 2 if outside else hosts.latency_s / 2,
        ),
        rack=Access(rack, rack, 0.0),
        backbone=Access(feed, feed, regions.latency_s / 2),
        announce_s=plan.tracker.announce_s,
        disk=FREE,
    )
    return Diluted(fleet, dilution)


def refuse(plan: SwarmPlan, engine: str) -> None:
    """What only the arrays can do, since there the policy is a parameter: ScenarioError."""
    hosts, words = plan.hosts, f"engine {engine} runs the daemon's own code, which has no such switch; "
    if engine == "fleet" and hosts.count > DAEMONS_MAX:
        raise ScenarioError(
            f"hosts.count: {hosts.count:,} real daemons are too many, {DAEMONS_MAX:,} at most; "
            "set hosts.count, or take the engine quick or scale"
        )
    if plan.policy != Policy():
        raise ScenarioError(f"policy: {words}take the engine scale to vary it")
    if hosts.stay_s != UNLIMITED:
        raise ScenarioError("hosts.stay_s: a daemon stays; take the engine scale for hosts that leave")
    if plan.origin.uplink_bytes_per_s and (plan.regions.count > 1 or plan.seeders.per_region):
        raise ScenarioError(
            f"origin: in the engine {engine} it is one seeder, and every region has its own; "
            "set origin.uplink_bytes_per_s to 0 and seeders.per_region and seeders.uplink_bytes_per_s, or take scale"
        )
    if len(plan.regions.cuts) > 1:
        raise ScenarioError(f"regions.cuts: the engine {engine} cuts off one region once; take scale for more")
    if plan.tracker.outage_until_s > plan.tracker.outage_from_s and math.isinf(plan.tracker.outage_until_s):
        raise ScenarioError(f"tracker.outage_until_s: an outage must end; the engine {engine} waits for it")
