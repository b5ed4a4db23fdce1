"""Devices one by one, in explicit LANs: the oracle of the chains, and the model of LANs too large for one."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.scale.compiled import compiled
from sim.scale.dice import chance, new_dice

from .plan import CohortPlan, Lan
from .presence import online_share

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int8]
U64 = npt.NDArray[np.uint64]

UNOFFERED, WAITING, ACTIVE, DONE = 0, 1, 2, 3
ASKED, SERVING, FETCHED, WAIT_N, ACTIVE_N, DONE_N = range(6)


class Sample(NamedTuple):
    """D devices in L LANs; each stands for `weight` devices."""

    first: I32
    """[L + 1] where each LAN's devices begin"""
    zone: I32
    line: F64
    """[L] bytes per second from outside"""
    weight: F64
    size_row: I32
    """[L] which row of the plan's LANs this one is of"""
    on: I8
    stage: I8
    progress: F64
    place: F64
    """[D] 0 to 1: a device is offered the release once the open share exceeds this"""
    totals: F64
    """[6, rows] by LAN row, weighted: see the names above; FETCHED in bytes, cumulative"""
    dice: U64


def lines(plan: CohortPlan, lan: Lan) -> list[tuple[float, float]]:
    """(bytes per second, share) of the lines that LANs of this row have."""
    if lan.wan_bytes_per_s:
        return [(lan.wan_bytes_per_s, 1.0)]
    return [(access.wan_bytes_per_s, access.share) for access in plan.access]


def draw(plan: CohortPlan, rows: list[int], devices: int, rng_seed: int) -> Sample:
    """A sample of about `devices` devices for each of these rows of `plan.lans`, zones and lines in proportion."""
    rng = np.random.default_rng(rng_seed)
    zone: list[int] = []
    line: list[float] = []
    weight: list[float] = []
    row_of: list[int] = []
    sizes: list[int] = []
    for row in rows:
        lan = plan.lans[row]
        count = max(len(plan.zones), round(devices / lan.size))
        classes = lines(plan, lan)
        cut = (np.arange(count) + rng.uniform()) / count
        zones = np.searchsorted(np.cumsum(plan.zones)[:-1], cut, side="right")
        kinds = np.searchsorted(np.cumsum([share for _, share in classes])[:-1], rng.permutation(cut), side="right")
        zone += zones.tolist()
        line += [classes[kind][0] for kind in kinds]
        weight += [plan.devices.count * lan.share / (count * lan.size)] * count
        row_of += [row] * count
        sizes += [lan.size] * count
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    share = np.repeat(online_share(plan, 0.0)[np.array(zone, dtype=np.int64)], sizes)
    total = int(first[-1])
    return Sample(
        first=first,
        zone=np.array(zone, dtype=np.int32),
        line=np.array(line),
        weight=np.array(weight),
        size_row=np.array(row_of, dtype=np.int32),
        on=(rng.uniform(size=total) < share).astype(np.int8),
        stage=np.zeros(total, dtype=np.int8),
        progress=np.zeros(total),
        place=rng.uniform(size=total),
        totals=np.zeros((6, len(plan.lans))),
        dice=new_dice(rng_seed),
    )


@compiled
def offer(sample: Sample, open_share: float) -> None:
    """Devices whose ring is open begin to wait for their next check-in."""
    for d in range(sample.stage.shape[0]):
        if sample.stage[d] == UNOFFERED and sample.place[d] < open_share:
            sample.stage[d] = WAITING


@compiled
def count(sample: Sample) -> None:
    """Bring `totals` up to date, all but FETCHED: what is asked for, and who serves, waits, downloads, is done."""
    for k in (ASKED, SERVING, WAIT_N, ACTIVE_N, DONE_N):
        for row in range(sample.totals.shape[1]):
            sample.totals[k, row] = 0.0
    for lan in range(sample.line.shape[0]):
        row, weight = sample.size_row[lan], sample.weight[lan]
        seeded, active = False, False
        for d in range(sample.first[lan], sample.first[lan + 1]):
            stage, on = sample.stage[d], sample.on[d]
            if stage == DONE:
                sample.totals[DONE_N, row] += weight
                if on:
                    seeded = True
                    sample.totals[SERVING, row] += weight
            elif stage == ACTIVE and on:
                active = True
                sample.totals[ACTIVE_N, row] += weight
            elif stage == WAITING:
                sample.totals[WAIT_N, row] += weight
        if active and not seeded:
            sample.totals[ASKED, row] += weight * sample.line[lan]


@compiled
def move(sample: Sample, size: float, throttle: float, lan_rate: float, step: float) -> None:
    """Bytes flow for one step: the front of each LAN from outside, those behind it from the LAN."""
    for lan in range(sample.line.shape[0]):
        front, active = 0.0, False
        for d in range(sample.first[lan], sample.first[lan + 1]):
            if sample.on[d] and sample.stage[d] >= ACTIVE:
                front = max(front, sample.progress[d])
                active = active or sample.stage[d] == ACTIVE
        if not active:
            continue
        reached = front
        if front < 1.0:
            reached = min(1.0, front + sample.line[lan] * throttle * step / size)
            sample.totals[FETCHED, sample.size_row[lan]] += (reached - front) * size * sample.weight[lan]
        for d in range(sample.first[lan], sample.first[lan + 1]):
            if sample.on[d] and sample.stage[d] == ACTIVE:
                if sample.progress[d] >= front:
                    sample.progress[d] = reached
                else:
                    sample.progress[d] = min(reached, sample.progress[d] + lan_rate * step / size)
                if sample.progress[d] >= 1.0:
                    sample.stage[d] = DONE


@compiled
def live(sample: Sample, come: F64, go: F64, check_in: float) -> None:
    """Devices check in, wake and fall asleep."""
    for lan in range(sample.line.shape[0]):
        zone = sample.zone[lan]
        for d in range(sample.first[lan], sample.first[lan + 1]):
            if sample.on[d]:
                if sample.stage[d] == WAITING and chance(sample.dice) < check_in:
                    sample.stage[d] = ACTIVE
                if chance(sample.dice) < go[zone]:
                    sample.on[d] = 0
            elif chance(sample.dice) < come[zone]:
                sample.on[d] = 1
