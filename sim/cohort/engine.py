"""Run a `cohort` plan: chains and sample side by side, tied by the CDN and the internet peers that they share."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.result import Result, percentile_name

from . import agents, chain
from .plan import CohortPlan
from .presence import chances, online_share, open_share

F64 = npt.NDArray[np.float64]
SOURCES = ("CDN", "internet peers", "peers, same LAN")
OFFER_SUBSTEPS = 64
"""A ring's opening is one moment: small steps keep the share exact where a LAN has several members."""
ATTEMPTS_MAX = 5
"""Times that a step is tried while the CDN binds; the last throttle is the next step's first guess."""
PERCENTS = (50.0, 90.0, 99.0)


@dataclass
class _Totals:
    """What one step needs to know of all parts together, and what a sample of the tape keeps. Devices, bytes per s."""

    asked: float = 0.0
    serving: float = 0.0
    waiting: float = 0.0
    active: float = 0.0
    done: float = 0.0


class _SmallLans:
    """All LANs of one small size, as a chain over [states, zones x lines]."""

    def __init__(self, plan: CohortPlan, row: int) -> None:
        lan = plan.lans[row]
        self.row, self.size, self.parts = row, lan.size, chain.PARTS[lan.size]
        states, self.chain, self.counted = chain.build(self.size, self.parts)
        classes = agents.lines(plan, lan)
        self.zone = np.repeat(np.arange(len(plan.zones)), len(classes))
        self.line = np.tile([rate for rate, _ in classes], len(plan.zones))
        shares = np.outer(plan.zones, [share for _, share in classes]).ravel()
        self.lans = shares * plan.devices.count * lan.share / self.size
        self.mass = np.zeros((len(states), len(self.line)))
        awake = online_share(plan, 0.0)[self.zone]
        for i, members in enumerate(states):
            if max(members) <= 1:  # nobody has been offered anything: only on and off
                self.mass[i] = (
                    math.comb(self.size, sum(members))
                    * awake ** sum(members)
                    * (1.0 - awake) ** (self.size - sum(members))
                )
        self.after = np.empty_like(self.mass)
        self.fetched = 0.0
        self.plan = plan

    def totals(self) -> _Totals:
        """Weighted sums over all states."""
        per_state = self.mass @ self.lans
        asking = (self.counted.asks @ self.mass) * self.lans
        return _Totals(
            asked=float(asking @ self.line),
            serving=float(self.counted.done_on @ per_state),
            waiting=float(self.counted.waiting @ per_state),
            active=float(self.counted.active @ per_state),
            done=float(self.counted.done @ per_state),
        )

    def _pace(self, throttle: float, step_s: float) -> F64:
        size, devices = self.plan.content.size_bytes, self.plan.devices
        pace = np.zeros((6, len(self.line)))
        pace[chain.CHECK_IN] = step_s / devices.check_in_s
        pace[chain.FROM_LAN] = self.plan.lan_bytes_per_s * self.parts / size * step_s
        pace[chain.FROM_WAN] = self.line * throttle * self.parts / size * step_s
        return pace

    def offer(self, share: float) -> None:
        """This share of those not offered yet is offered the release now."""
        pace = np.zeros((6, len(self.line)))
        pace[chain.OFFER] = -np.log1p(-min(share, 1.0 - 1e-9)) / OFFER_SUBSTEPS
        unused, leaving = np.zeros(len(self.line)), np.empty(len(self.line))
        for _ in range(OFFER_SUBSTEPS):
            chain.forward(self.chain, self.mass, pace, unused, leaving)

    def wake(self, come: F64, go: F64) -> None:
        """Members come and go; what follows is tried on `after`."""
        chain.come_and_go(self.chain, self.mass, self.after, np.stack([come[self.zone], go[self.zone]]))
        self.mass, self.after = self.after, self.mass

    def attempt(self, throttle: float, step_s: float) -> float:
        """Try the step with this throttle; the bytes that it would fetch from outside."""
        np.copyto(self.after, self.mass)
        parts, leaving = np.zeros(len(self.line)), np.empty(len(self.line))
        chain.forward(self.chain, self.after, self._pace(throttle, step_s), parts, leaving)
        self.tried = float(parts @ self.lans) * self.plan.content.size_bytes / self.parts
        return self.tried

    def accept(self) -> None:
        """Keep the last attempt."""
        self.mass, self.after = self.after, self.mass
        self.fetched += self.tried


class World:
    """All devices. `chains=False` makes agents of all of them: the oracle."""

    def __init__(self, plan: CohortPlan, rng_seed: int, *, chains: bool = True) -> None:
        self.plan, self.now_s, self.opened = plan, 0.0, 0.0
        small = [row for row, lan in enumerate(plan.lans) if chains and lan.size <= chain.LAN_SIZE_MAX and lan.share]
        large = [row for row, lan in enumerate(plan.lans) if row not in small and lan.share]
        self.small = [_SmallLans(plan, row) for row in small]
        self.sample = agents.draw(plan, large, plan.sample_devices, rng_seed) if large else None
        self.from_peers = 0.0
        self.from_cdn = 0.0
        self.habit = 1.0

    def totals(self) -> _Totals:
        """Sums over chains and sample."""
        parts = [lans.totals() for lans in self.small]
        if self.sample is not None:
            agents.count(self.sample)
            t = self.sample.totals.sum(axis=1)
            parts.append(
                _Totals(t[agents.ASKED], t[agents.SERVING], t[agents.WAIT_N], t[agents.ACTIVE_N], t[agents.DONE_N])
            )
        return _Totals(
            *(
                float(sum(getattr(part, name) for part in parts))
                for name in ("asked", "serving", "waiting", "active", "done")
            )
        )

    def fetched_by_row(self) -> F64:
        """Bytes that came from outside so far, by row of `plan.lans`."""
        rows = np.zeros(len(self.plan.lans))
        for lans in self.small:
            rows[lans.row] = lans.fetched
        return rows if self.sample is None else np.asarray(rows + self.sample.totals[agents.FETCHED])

    def _open_rings(self) -> None:
        share = open_share(self.plan, self.now_s)
        if share > self.opened:
            for lans in self.small:
                lans.offer((share - self.opened) / (1.0 - self.opened))
            if self.sample is not None:
                agents.offer(self.sample, share)
            self.opened = share

    def step(self) -> _Totals:
        """One step of `plan.step_s`; the totals as they were at its start."""
        plan, step_s = self.plan, self.plan.step_s
        self._open_rings()
        totals = self.totals()
        peers = plan.peers
        uploads = totals.serving * peers.duty * peers.uplink_bytes_per_s
        supply = min(uploads, totals.asked) * peers.reach
        limit = plan.cdn.capacity_bytes_per_s + supply
        throttle = min(1.0, limit / totals.asked) if totals.asked > 0.0 else 1.0
        come, go = chances(plan, self.now_s, step_s)
        before = self.fetched_by_row().sum()
        if self.sample is not None:
            agents.move(self.sample, plan.content.size_bytes, throttle, plan.lan_bytes_per_s, step_s)
            check_in = float(-np.expm1(-step_s / plan.devices.check_in_s))
            agents.live(self.sample, come, go, check_in)
        for lans in self.small:
            lans.wake(come, go)
        self._share_out(limit * step_s - (self.fetched_by_row().sum() - before), throttle)
        fetched = float(self.fetched_by_row().sum() - before)
        # Unthrottled, what was asked for at the start is not all fetched in the step: downloads end within it.
        by_peers = min(uploads * step_s, fetched) * peers.reach if throttle >= 1.0 else min(supply * step_s, fetched)
        self.from_peers += by_peers
        self.from_cdn += fetched - by_peers
        self.now_s += step_s
        return totals

    def _share_out(self, budget_bytes: float, throttle: float) -> None:
        """Step the chains with a throttle that uses no more than the budget, and all of it while it binds."""
        guess, power = min(1.0, throttle * self.habit), 1.0
        for _ in range(ATTEMPTS_MAX):
            wanted = sum(lans.attempt(guess, self.plan.step_s) for lans in self.small)
            fits = wanted <= budget_bytes * 1.002 and (guess >= 1.0 or wanted >= budget_bytes * 0.998)
            if fits or wanted <= 0.0 or budget_bytes <= 0.0:
                break
            better = min(1.0, guess * (budget_bytes / wanted) ** (1.0 / power))
            power = 0.7  # a step fetches less than in proportion: downloads end within it
            guess = better
        self.habit = guess / throttle
        for lans in self.small:
            lans.accept()


def simulate(
    plan: CohortPlan, rng_seed: int, *, chains: bool = True, tick: Callable[[float], None] = lambda part: None
) -> tuple[World, dict[str, F64]]:
    """Run to `plan.span_s`; the world at the end, and what was noted at each step."""
    world = World(plan, rng_seed, chains=chains)
    steps = round(plan.span_s / plan.step_s)
    tape = np.zeros((steps + 1, 9))
    for k in range(steps + 1):
        moved = (world.from_cdn, world.from_peers)
        now = world.now_s
        totals = world.step() if k < steps else world.totals()
        tape[k] = (now, *moved, totals.waiting, totals.active, totals.done, world.opened, totals.asked, totals.serving)
        tick(k / steps)
    names = ("time_s", "cdn", "peers", "waiting", "active", "done", "opened", "asked", "serving")
    return world, {name: tape[:, i] for i, name in enumerate(names)}


def run(
    plan: CohortPlan,
    *,
    name: str,
    about: str,
    settings: dict[str, object],
    rng_seed: int,
    tick: Callable[[float], None] = lambda part: None,
) -> Result:
    """Simulate the plan; `tick` is told the share that is done, once a step."""
    world, tape = simulate(plan, rng_seed, tick=tick)
    size, count = plan.content.size_bytes, plan.devices.count
    lan_bytes = np.maximum.accumulate(np.maximum(tape["done"] * size - tape["cdn"] - tape["peers"], 0.0))
    by_source = np.stack([tape["cdn"], tape["peers"], lan_bytes], axis=1)
    completed = tape["done"] / count
    fetched = world.fetched_by_row()
    wanted = np.array([lan.share for lan in plan.lans]) * count * size * max(completed[-1], 1e-12)
    cdn_rate = np.diff(tape["cdn"], prepend=0.0) / plan.step_s
    facts: dict[str, float] = {
        "devices": count,
        "completed": float(completed[-1]),
        "offered": float(tape["opened"][-1]),
        "cdn_bytes": float(tape["cdn"][-1]),
        "share_from_cdn": float(tape["cdn"][-1] / max(by_source[-1].sum(), 1.0)),
        "share_from_peers": float(by_source[-1, 1:].sum() / max(by_source[-1].sum(), 1.0)),
        "downloading_max": float(tape["active"].max()),
        "cdn_bytes_per_s_max": float(cdn_rate.max()),
        "cdn_capacity_used_max": float(cdn_rate.max() / plan.cdn.capacity_bytes_per_s),
        "bound_s": plan.rings[-1].opens_s + size / max(access.wan_bytes_per_s for access in plan.access),
    }
    for percent in PERCENTS:
        reached = np.flatnonzero(completed >= percent / 100)
        if len(reached):
            facts[percentile_name(percent) + "_s"] = float(tape["time_s"][reached[0]])
    arrays = {
        "time_s": tape["time_s"],
        "completed": completed,
        "offered": tape["opened"],
        "downloading": tape["active"],
        "waiting": tape["waiting"],
        "cdn_bytes_per_s": cdn_rate,
        "bytes_by_source": by_source,
        "outside_share_by_lan": fetched / wanted,
        "lan_sizes": np.array([lan.size for lan in plan.lans]),
    }
    return Result(
        scenario=name,
        engine="cohort",
        rng_seed=rng_seed,
        about=about,
        settings=settings,
        facts=facts,
        arrays=arrays,
        labels={"bytes_by_source": SOURCES},
    )
