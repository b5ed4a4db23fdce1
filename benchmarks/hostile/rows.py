"""What one kind of attack does, and what we claim."""

from dataclasses import asdict, dataclass
from typing import Any, Final

LEFT_MIN: Final = 0.8
"""Of the rate of the honest download."""
CPU_SHARE_MAX: Final = 0.2
"""Of a core, however many enemies there are."""
GROWN_BYTES_MAX: Final = 64 * 2**20
ANSWER_S_MAX: Final = 0.25
"""For an honest host's announce at the tracker."""


@dataclass(frozen=True)
class Row:
    """Medians over `runs` pairs. `left`: of the pairs' ratios. `left_by_cpu`: the same, of what the daemon does in a
    second of its processor, whoever else is busy on the machine. `cpu_share`: of a core, taken by the enemies alone.
    `grown_bytes`: resident, over what it was before. `answer_s`: an honest host's announce, from asking to answer."""

    kind: str
    runs: int
    quiet_mb_per_s: float
    attacked_mb_per_s: float
    left: float
    left_by_cpu: float
    cpu_share: float
    grown_bytes: int
    answer_s: float

    @property
    def missed(self) -> tuple[str, ...]:
        """Claims that it does not keep."""
        words = []
        if self.left < LEFT_MIN:
            words.append(f"{self.left:.2f} of the rate is left < {LEFT_MIN:g}")
        if self.cpu_share > CPU_SHARE_MAX:
            words.append(f"{self.cpu_share:.2f} of a core > {CPU_SHARE_MAX:g}")
        if self.grown_bytes > GROWN_BYTES_MAX:
            words.append(f"{self.grown_bytes / 2**20:.0f} MiB more > {GROWN_BYTES_MAX / 2**20:.0f}")
        if self.answer_s > ANSWER_S_MAX:
            words.append(f"an announce takes {self.answer_s:.2f} s > {ANSWER_S_MAX:g}")
        return tuple(words)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"missed": list(self.missed)}


def line_of(row: Row) -> str:
    """For people."""
    line = f"{row.kind:24} {row.quiet_mb_per_s:4.0f} MB/s in peace, {row.attacked_mb_per_s:4.0f} attacked: "
    line += f"{row.left:.2f} ({row.left_by_cpu:.2f} by processor time)"
    line += f", {100 * row.cpu_share:.0f} % of a core, {row.grown_bytes / 2**20:+.0f} MiB"
    return ", ".join((f"{line}, announce {1000 * row.answer_s:.0f} ms", *(f"MISSED {words}" for words in row.missed)))
