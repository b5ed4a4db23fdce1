"""What a tracker bore, as one row, and what ours claims of it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

ANNOUNCES_PER_CORE_S_MIN: Final = 10_000.0
P99_MS_MAX: Final = 50.0
IDLE_HOST_BYTES_MAX: Final = 45 * 1000
STORM_S_MAX: Final = 30.0
"""Of 10,000 hosts: a core shakes hands with one in 2 ms, and some of their patience ends before it is their turn."""


@dataclass(frozen=True)
class Row:
    """One tracker, once. What was not measured is None.

    `announces_per_core_s`: answered in a second of the tracker's own processor time, by a fleet that lacks nothing;
    `handouts_per_core_s`: by one that is half-way, each answer naming 32 peers. `p99_ms`: at `rate` announces a second.
    `storm_s`: from all hosts' losing their connection at once until the last one is back and was answered.
    """

    system: str
    transport: str
    run: int
    hosts: int
    connect_s: float | None = None
    connect_cpu_ms: float | None = None
    idle_host_bytes: float | None = None
    announces_per_s: float | None = None
    announces_per_core_s: float | None = None
    handouts_per_core_s: float | None = None
    rate: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    storm_s: float | None = None
    storm_cpu_s: float | None = None
    storm_failures: float | None = None
    storm_peak_rss_bytes: float | None = None
    generator_cores: float | None = None
    load: float = 0.0
    other_cores: float = 0.0
    notes: Mapping[str, object] = field(default_factory=dict)
    missed: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For JSON; what was not measured is left out."""
        return {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
            if value is not None and value not in ({}, ())
        }


def judged(row: Row) -> Row:
    """The row with those of our claims that it does not keep."""
    wrong = []
    per_core, p99, idle = row.announces_per_core_s, row.p99_ms, row.idle_host_bytes
    if per_core is not None and per_core < ANNOUNCES_PER_CORE_S_MIN:
        wrong.append(f"{per_core:.0f} announces a core-second < {ANNOUNCES_PER_CORE_S_MIN:.0f}")
    if p99 is not None and p99 > P99_MS_MAX:
        wrong.append(f"p99 {p99:.0f} ms > {P99_MS_MAX:.0f}")
    if idle is not None and idle > IDLE_HOST_BYTES_MAX:
        wrong.append(f"{idle / 1000:.1f} KB an idle host > {IDLE_HOST_BYTES_MAX / 1000:.0f}")
    if row.storm_s is not None and row.storm_s > STORM_S_MAX:
        wrong.append(f"a storm of {row.storm_s:.0f} s > {STORM_S_MAX:.0f}")
    return replace(row, missed=tuple(wrong))


def line_of(row: Row) -> str:
    """The figures in words."""
    cells = [f"{row.system:12}{row.transport:6}{row.hosts} hosts"]
    for value, words in (
        (row.connect_s, "connected in {:.1f} s"),
        (row.connect_cpu_ms, "{:.2f} ms of a core each"),
        (row.idle_host_bytes and row.idle_host_bytes / 1000, "{:.1f} KB an idle host"),
        (row.announces_per_s, "{:.0f} announces/s"),
        (row.announces_per_core_s, "{:.0f} a core-second"),
        (row.handouts_per_core_s, "{:.0f} with 32 peers named"),
        (row.p50_ms, "p50 {:.1f} ms"),
        (row.p99_ms, "p99 {:.1f} ms"),
        (row.rate, "at {:.0f}/s"),
        (row.storm_s, "storm over in {:.1f} s"),
        (row.storm_failures, "{:.0f} attempts in vain"),
        (row.storm_peak_rss_bytes and row.storm_peak_rss_bytes / 2**20, "peak {:.0f} MiB"),
        (row.generator_cores, "generator {:.2f} cores"),
        (row.other_cores, "others {:.2f}"),
    ):
        if value is not None:
            cells.append(words.format(value))
    return ", ".join([*cells, *(f"MISSED {claim}" for claim in row.missed)])
