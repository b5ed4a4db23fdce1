"""Who is awake: chances of coming and going in one step, by time zone and hour."""

import math

import numpy as np
import numpy.typing as npt

from .plan import CohortPlan

DAY_S = 86400.0
F64 = npt.NDArray[np.float64]


def rates(plan: CohortPlan, now_s: float) -> tuple[F64, F64]:
    """Per zone, per second: coming online while off, going off while on."""
    zones = len(plan.zones)
    hours = (now_s / 3600.0 + 24.0 * np.arange(zones) / zones - plan.devices.peak_hour) * (2 * math.pi / 24.0)
    wave = plan.devices.swing * np.cos(hours)
    return (1.0 + wave) / plan.devices.offline_s, (1.0 - wave) / plan.devices.online_s


def chances(plan: CohortPlan, now_s: float, step_s: float) -> tuple[F64, F64]:
    """Per zone: that one who is off (on) at the start of a step is on (off) at its end."""
    come, go = rates(plan, now_s + step_s / 2)
    both = come + go
    settled = -np.expm1(-both * step_s) / both
    return come * settled, go * settled


def online_share(plan: CohortPlan, now_s: float, warm_up_s: float = 3 * DAY_S) -> F64:
    """Per zone: the share that is online at `now_s`, after days of the same habit."""
    come, go = rates(plan, now_s - warm_up_s)
    share = come / (come + go)
    step_s = 600.0
    for k in range(int(warm_up_s / step_s)):
        on, off = chances(plan, now_s - warm_up_s + k * step_s, step_s)
        share = share + (1.0 - share) * on - share * off
    return np.asarray(share)


def open_share(plan: CohortPlan, now_s: float) -> float:
    """The share of all devices whose ring is open."""
    return max([ring.share for ring in plan.rings if ring.opens_s <= now_s], default=0.0)
