"""From a plan to the kernel's arrays. Rates become chunks per step, times become steps."""

import math
from typing import Any

import numpy as np

from sim.errors import ScenarioError
from sim.facts import SOURCES
from sim.plan import SwarmPlan
from sim.population import Population

from . import graph
from .dice import new_dice
from .state import ACTIVE, AWAY, F32, GONE, I32, I64, LIMITS, U64, Rules, Swarm

RING_MAX = 4096
"""Chunk times that a chunk may travel; lists of arrivals take 13 bytes a host each."""


def _events(plan: SwarmPlan, who: Population) -> tuple[I64, bool]:
    """Joins and deaths by step; and whether everybody is there at the start."""
    at_once = not who.join_s.any()
    rows = [(int((plan.policy.begin_s + at) / plan.step_s), ACTIVE, host) for host, at in enumerate(who.join_s)]
    rows += [
        (int(who.dies_s[host] / plan.step_s) + 1, GONE, int(host)) for host in np.flatnonzero(np.isfinite(who.dies_s))
    ]
    return np.array(sorted(rows), dtype=np.int64), at_once


def _speeds(plan: SwarmPlan, who: Population) -> tuple[F32, F32]:
    """Uplinks and downlinks, chunks per step."""
    down = who.speed * plan.hosts.downlink_bytes_per_s / plan.hosts.uplink_bytes_per_s
    return who.speed.astype(np.float32), down.astype(np.float32)


def _full_words(words: int, chunks: int) -> U64:
    """A row that has every chunk, padding bits clear."""
    row = np.zeros(words, dtype=np.uint64)
    row[: chunks // 64] = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    if chunks % 64:
        row[-1] = np.uint64((1 << (chunks % 64)) - 1)
    return row


def _sources(plan: SwarmPlan) -> tuple[I32, list[float], list[float]]:
    """Region, rate and budget of each source."""
    per_s, copies = plan.hosts.uplink_bytes_per_s, plan.origin.copies_max
    regions: list[int] = []
    rates: list[float] = []
    budgets: list[float] = []
    if plan.origin.uplink_bytes_per_s:
        regions.append(-1)
        rates.append(plan.origin.uplink_bytes_per_s / per_s)
        budgets.append(max(0.0, copies - 1.0) * plan.chunks * plan.regions.count)
    for region in range(plan.regions.count):
        for _ in range(plan.seeders.per_region):
            regions.append(region)
            rates.append(plan.seeders.uplink_bytes_per_s / per_s)
            spare = max(0.0, plan.seeders.copies_max - 1.0) * plan.chunks
            budgets.append(spare / plan.seeders.per_region)
    return np.array(regions, dtype=np.int32), rates, budgets


def _groups(plan: SwarmPlan) -> tuple[I32, I32]:
    """Region and rack of each host. Regions take turns: hosts pull in order of number, and none may always be last."""
    number = np.arange(plan.hosts.count, dtype=np.int64)
    region = (number % plan.regions.count).astype(np.int32)
    if plan.racks.named:
        raise ScenarioError("racks.named: arrays always know their racks, by policy.rack_degree; leave it out")
    if not plan.racks.hosts:
        return region, np.zeros(plan.hosts.count, dtype=np.int32)
    racks_each = -(-plan.hosts.count // plan.regions.count) // plan.racks.hosts + 1
    rack = number // plan.regions.count // plan.racks.hosts
    return region, (region * racks_each + rack).astype(np.int32)


def _neighbours(
    plan: SwarmPlan, region: I32, rack: I32, at_once: bool, rng: np.random.Generator
) -> tuple[I32, I32, int]:
    degree = plan.policy.degree // 2 * 2
    near = min(plan.policy.rack_degree, degree) // 2 * 2 if plan.racks.hosts else 0
    remotes = graph.across(region, plan.policy.remote_degree // 2 * 2, rng)
    if plan.regions.count < 2:
        remotes = np.empty((plan.hosts.count, 0), dtype=np.int32)
    if at_once:
        columns = [graph.circles(region, degree - near, rng)]
    else:
        columns = [np.full((plan.hosts.count, 2 * degree - near), -1, dtype=np.int32)]
    if near:
        columns.insert(0, graph.circles(rack, near, rng))
    return np.ascontiguousarray(np.hstack(columns)), remotes, near


def _delays(plan: SwarmPlan, up: F32) -> I32:
    """Steps from the start of a transfer until the chunk can be served on: it travels, the news of it travels, and
    then the request for it."""
    travel = plan.policy.sends_at_once / up + (3 * plan.hosts.latency_s + plan.policy.tell_delay_s) / plan.step_s
    return np.asarray(np.maximum(1.0, np.round(travel)), dtype=np.int32)


def rules_of(plan: SwarmPlan, near: int, at_once: bool, delays: I32) -> Rules:
    """The run's constants, in steps."""
    step = plan.step_s
    announce = plan.tracker.announce_s or (0.0 if at_once else 30.0)
    down = plan.hosts.downlink_bytes_per_s / plan.hosts.uplink_bytes_per_s
    return Rules(
        hosts=plan.hosts.count,
        chunks=plan.chunks,
        words=(plan.chunks + 63) // 64,
        rack_degree=near,
        dial=plan.policy.degree // 2 * 2,
        sample=plan.policy.rarest_of,
        delay=int(delays[0]) if delays.min() == delays.max() else 0,
        exact=plan.policy.exact_picking,
        wan_delay=round(plan.regions.latency_s / step),
        timeout=max(1, round(plan.policy.request_timeout_s / step)),
        passes=min(8, math.ceil(down)),
        handout_every=max(1, round(announce / step)) if announce else 0,
        outage_start=round(plan.tracker.outage_from_s / step),
        outage_end=round(plan.tracker.outage_until_s / step),
        leave_chance=0.0 if math.isinf(plan.hosts.stay_s) else min(1.0, step / plan.hosts.stay_s),
    )


def _of_hosts(plan: SwarmPlan, up: F32, down: F32, full: U64, sources: int) -> dict[str, Any]:
    """What the kernel keeps about each host."""
    hosts, words = plan.hosts.count, len(full)
    taken = np.zeros((hosts, words), dtype=np.uint64)
    taken[:, -1] = ~full[-1]
    has = np.zeros((hosts + sources, words), dtype=np.uint64)
    has[hosts:] = full
    return {
        "has": has,
        "taken": taken,
        "first": np.zeros(hosts, dtype=np.int32),
        "has_count": np.zeros(hosts, dtype=np.int32),
        "taken_count": np.zeros(hosts, dtype=np.int32),
        "state": np.full(hosts, AWAY, dtype=np.int8),
        "up_rate": up,
        "down_rate": down,
        "up_credit": np.zeros(hosts, dtype=np.float32),
        "down_credit": np.zeros(hosts, dtype=np.float32),
        "whole": np.zeros(hosts, dtype=np.int8),
        "free": np.zeros(hosts, dtype=np.int8),
        "delay": _delays(plan, up),
        "finish": np.full(hosts, -1, dtype=np.int32),
    }


def _of_regions(plan: SwarmPlan, full: U64, racks: int) -> dict[str, Any]:
    """What the kernel keeps about each region and rack."""
    regions, per_s, step = plan.regions.count, plan.hosts.uplink_bytes_per_s, plan.step_s
    held = np.zeros((regions, len(full)), dtype=np.uint64)
    held[:, -1] = ~full[-1]
    cuts = [(cut.region, cut.from_s / step, cut.until_s / step) for cut in plan.regions.cuts]
    return {
        "counts": np.zeros((regions, len(full) * 64), dtype=np.int32),
        "held": held,
        "lack_count": np.full(regions, plan.chunks, dtype=np.int32),
        "newest": np.full(regions, -1, dtype=np.int32),
        "feed_rate": np.full((2, regions), plan.regions.feed_bytes_per_s / per_s),
        "feed_credit": np.zeros((2, regions)),
        "cuts": np.array(cuts, dtype=np.float64).reshape(-1, 3),
        "spare": np.full(regions, plan.policy.spare_copies * plan.chunks),
        "rack_rate": np.full((2, racks), plan.racks.uplink_bytes_per_s / per_s),
        "rack_credit": np.zeros((2, racks)),
        "present": np.zeros((regions, plan.hosts.count), dtype=np.int32),
        "present_count": np.zeros(regions, dtype=np.int32),
        "crossed": np.zeros(regions, dtype=np.int64),
        "tries": np.zeros(regions, dtype=np.int64),
    }


def _of_sources(plan: SwarmPlan, words: int) -> dict[str, Any]:
    """What the kernel keeps about origin and seeders."""
    region, rates, budgets = _sources(plan)
    return {
        "source_region": region,
        "source_rate": np.array(rates),
        "source_credit": np.zeros(len(rates)),
        "source_budget": np.array(budgets),
        "sent": np.zeros((len(rates), words * 64), dtype=np.int32),
    }


def _in_flight(plan: SwarmPlan, slowest: int, wan_delay: int, fastest_down: float) -> dict[str, Any]:
    """Room for chunks on their way: `slowest` steps at most within a region."""
    hosts = plan.hosts.count
    ring = 1 << (slowest + wan_delay + 2).bit_length()
    if ring > RING_MAX:
        raise ScenarioError(f"latency or slow hosts span {ring} chunk times; use larger chunks or smaller latencies")
    capacity = hosts * (math.ceil(fastest_down) + 1) + 1
    return {
        "arrivals": np.empty((ring, capacity, 3), dtype=np.int32),
        "arrival_count": np.zeros(ring, dtype=np.int64),
        "lost": np.empty((max(1024, hosts), 3), dtype=np.int32),
    }


def build(plan: SwarmPlan, who: Population, rng_seed: int) -> tuple[Swarm, Rules]:
    """A swarm at step 0. The same plan and seed give the same arrays."""
    rng = np.random.default_rng(rng_seed)
    region, rack = _groups(plan)
    up, down = _speeds(plan, who)
    events, at_once = _events(plan, who)
    peers, remotes, near = _neighbours(plan, region, rack, at_once, rng)
    rules = rules_of(plan, near, at_once, _delays(plan, up))
    full = _full_words(rules.words, plan.chunks)
    sources = _of_sources(plan, rules.words)
    hosts = _of_hosts(plan, up, down, full, len(sources["source_rate"]))
    swarm = Swarm(
        **hosts,
        **_of_regions(plan, full, int(rack.max()) + 1 if plan.racks.hosts else 0),
        **sources,
        **_in_flight(plan, int(hosts["delay"].max()), rules.wan_delay, float(down.max())),
        region=region,
        rack=rack,
        peers=peers,
        remotes=remotes,
        events=events,
        moved=np.zeros(len(SOURCES), dtype=np.int64),
        limits=np.zeros(len(LIMITS), dtype=np.int64),
        cursor=np.zeros(8, dtype=np.int64),
        dice=new_dice(rng_seed),
    )
    return swarm, rules
