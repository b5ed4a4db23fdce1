"""Whether a deploy is through: what `deploy --wait` makes of the tracker's status. Pure."""

from dataclasses import dataclass
from typing import Any

from p2pd.wire.announce import GLOBAL


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a goal fares in its scope. `stale` hosts were not heard of lately and are not waited for."""

    hosts: int
    settled: int
    failed: int
    stale: int
    progress: float
    superseded: bool

    @property
    def outcome(self) -> str:
        """`settled`, `failed` or `superseded`; `waiting` while it may still change."""
        if self.superseded:
            return "superseded"
        if not self.hosts or self.settled + self.failed < self.hosts:
            return "waiting"
        return "failed" if self.failed else "settled"

    def __str__(self) -> str:
        if not self.hosts:
            return "no host has reported yet" if not self.stale else f"all {self.stale} hosts are silent"
        parts = [f"{self.settled} of {self.hosts} hosts run it"]
        if self.failed:
            parts.append(f"{self.failed} gave up")
        if self.stale:
            parts.append(f"{self.stale} silent")
        return ", ".join(parts) + f" ({100 * self.progress:.0f} %)"


def outlook(status: dict[str, Any], goal: dict[str, Any]) -> Outlook:
    """`status`: the tracker's answer; `goal`: what `deploy` or `rollback` answered."""
    services = [found for found in status["services"] if found["service"] == goal["service"]]
    rows = [row for found in services for row in found["regions"] if goal["scope"] in (GLOBAL, row["region"])]
    ours = [row for row in rows if row["revision"] <= goal["revision"]]
    hosts = sum(row["hosts"] - row["stale"] for row in ours)
    moved = sum((row["hosts"] - row["stale"]) * row["progress"] for row in ours)
    newer = any(
        other["revision"] > goal["revision"] and other["scope"] in (GLOBAL, goal["scope"])
        for found in services
        for other in found["goals"]
    )
    return Outlook(
        hosts,
        sum(row["settled"] for row in ours),
        sum(row["failed"] for row in ours),
        sum(row["stale"] for row in ours),
        moved / hosts if hosts else 0.0,
        superseded=newer,
    )
