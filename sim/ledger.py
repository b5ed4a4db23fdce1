"""What a run of the daemon's own code leaves for a report: when each host finished, and samples over time."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from .facts import HTTP, ORIGIN, RACK, REGION, REMOTE, SEEDER, SOURCES, swarm_facts
from .limits import LIMITS, LOOKED_AT_MAX, LOOKS
from .plan import SwarmPlan
from .population import Population
from .result import Result

F64 = npt.NDArray[np.float64]
SAMPLES: Final = 200
"""Over time, of a run that takes as long as its bound."""
_COLUMNS: Final = {"lan": REGION, "rack": RACK, "zone": REGION, "region": REGION, "remote": REMOTE, "origin": HTTP}


class Ledger:
    """Bytes are those of the scenario, not of its diluted form. Hosts by number, `finish_s` nan until they have all."""

    def __init__(self, plan: SwarmPlan, who: Population) -> None:
        self.plan, self._who = plan, who
        self.finish_s: F64 = np.full(plan.hosts.count, np.nan)
        self.received: F64 = np.zeros((plan.hosts.count, len(SOURCES)))
        """[hosts, sources] bytes of verified pieces."""
        self.wasted_bytes = 0.0
        self.more: dict[str, F64] = {}
        """Further arrays."""
        self._limits: F64 = np.zeros(len(LIMITS))
        self._look_at = 0.0
        self._region = np.arange(plan.hosts.count) % plan.regions.count
        self._outside = bool(plan.origin.uplink_bytes_per_s)
        self._rows: list[tuple[float, float, float, float, F64, F64, F64]] = []

    @property
    def done(self) -> int:
        """Hosts that have everything."""
        return int(np.isfinite(self.finish_s).sum())

    @property
    def progress(self) -> float:
        """Share of all bytes that were delivered."""
        return float(self.received.sum() / (self.plan.hosts.count * self.plan.chunks * self.plan.chunk_bytes))

    def book(self, host: int, bytes_by_tier: Mapping[str, float]) -> None:
        """What a host has received so far, by the daemon's names of sources."""
        row = [0.0] * len(SOURCES)
        for tier, count in bytes_by_tier.items():
            if tier == "shield":
                row[ORIGIN if self._outside else SEEDER] += count
            elif tier in _COLUMNS:
                row[_COLUMNS[tier]] += count
        self.received[host] = row

    def _lacking(self, now: float) -> list[int]:
        """Hosts that have come and miss pieces; of many, LOOKED_AT_MAX of them, evenly spread."""
        hosts = np.flatnonzero((self._who.join_s <= now) & ~np.isfinite(self.finish_s))
        return hosts[:: -(-len(hosts) // LOOKED_AT_MAX)].tolist() if len(hosts) else []

    def _look(self, now: float, limit: Callable[[int], int | None]) -> None:
        """Ask who misses pieces what limits it; the more are asked, the longer until the next time."""
        if now < self._look_at:
            return
        found = [place for host in self._lacking(now) if (place := limit(host)) is not None]
        self._limits = np.bincount(np.array(found, dtype=np.int64), minlength=len(LIMITS)) / max(1, len(found))
        self._look_at = now * (1 + len(found) / LOOKS)

    def sample(self, now: float, died: int, limit: Callable[[int], int | None]) -> None:
        """Keep how things stand. `died`: before they had everything; `limit`: of a host that misses pieces, what limits
        it (None: it is dead)."""
        downloading = float(((self._who.join_s <= now) & ~np.isfinite(self.finish_s)).sum() - died)
        self._look(now, limit)
        self._rows.append(
            (now, self.done / self.plan.hosts.count, self.progress, downloading, self.received.sum(axis=0),
             self._crossed(), self._limits)
        )  # fmt: skip

    def _crossed(self) -> F64:
        columns = [ORIGIN, REMOTE] if self._outside else [REMOTE]
        inwards = self.received[:, columns].sum(axis=1)
        return np.bincount(self._region, weights=inwards, minlength=self.plan.regions.count).astype(np.float64)

    def result(
        self, *, name: str, engine: str, about: str, settings: Mapping[str, object], rng_seed: int, died: int,
        more_facts: Mapping[str, float],
    ) -> Result:  # fmt: skip
        """The run, told as every engine does."""
        columns = map(np.array, zip(*self._rows, strict=True))
        time_s, completed, progress, downloading, sources, crossed, limits = columns
        arrays = {
            "time_s": time_s,
            "completed": completed,
            "progress": progress,
            "downloading": downloading,
            "bytes_by_source": sources,
            "crossed_bytes": crossed,
            "limits": limits,
            "finish_s": self.finish_s,
            "region": self._region,
            **self.more,
        }
        facts = swarm_facts(
            self.plan, self.finish_s, died=died, bytes_by_source=sources[-1], crossed_bytes=crossed[-1],
            wasted_bytes=self.wasted_bytes,
        )  # fmt: skip
        labels = {
            "bytes_by_source": SOURCES,
            "limits": LIMITS,
            "crossed_bytes": tuple(f"region {number}" for number in range(self.plan.regions.count)),
        }
        return Result(name, engine, rng_seed, about, dict(settings), facts | dict(more_facts), arrays, labels)
