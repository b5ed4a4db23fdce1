"""What came of a pair, as one row, and what ours claims of it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from benchmarks.swarm.rows import GB, Outcome
from benchmarks.swarm.scenarios import SEED

SINK: Final = "sink"
MB: Final = 1e6
RATE_MIN_MB_PER_S: Final = 625.0
"""5 Gbit/s."""
BY_LIBTORRENT_MIN: Final = 3.0
BY_CEILING_MIN: Final = 0.6
CPU_BY_LIBTORRENT_MAX: Final = 1.0
RSS_BYTES_MAX: Final = 150 * 2**20


@dataclass(frozen=True)
class Row:
    """One pair, once. `by_ceiling`, `by_libtorrent`: its rate by theirs in the same run; `cpu_by_libtorrent` alike."""

    system: str
    run: int
    size_bytes: int
    seconds: float | None
    mb_per_s: float | None
    source_cpu_s_per_gb: float
    sink_cpu_s_per_gb: float
    cpu_s_per_gb: float
    source_rss_bytes: int
    sink_rss_bytes: int
    load: float
    other_cores: float
    notes: Mapping[str, object] = field(default_factory=dict)
    by_ceiling: float | None = None
    by_libtorrent: float | None = None
    cpu_by_libtorrent: float | None = None
    missed: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For JSON; what does not apply is left out."""
        return {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
            if value is not None and value not in ({}, ())
        }


def row_of(system: str, run: int, size: int, seen: Outcome) -> Row:
    """The figures, before they are compared."""
    seconds = seen.finished_s.get(SINK)
    source, sink = (seen.cpu_s_by.get(name, 0.0) * GB / size for name in (SEED, SINK))
    return Row(
        system=system,
        run=run,
        size_bytes=size,
        seconds=seconds,
        mb_per_s=size / MB / seconds if seconds else None,
        source_cpu_s_per_gb=source,
        sink_cpu_s_per_gb=sink,
        cpu_s_per_gb=source + sink,
        source_rss_bytes=seen.rss_bytes.get(SEED, 0),
        sink_rss_bytes=seen.rss_bytes.get(SINK, 0),
        load=seen.load,
        other_cores=seen.other_cores,
        notes=seen.notes,
    )


def beside(row: Row, ceiling: Row | None, libtorrent: Row | None) -> Row:
    """The row compared with the ceiling and libtorrent of its own run; ours with its claims."""
    rate = row.mb_per_s or 0.0
    compared = replace(
        row,
        by_ceiling=rate / ceiling.mb_per_s if ceiling and ceiling.mb_per_s else None,
        by_libtorrent=rate / libtorrent.mb_per_s if libtorrent and libtorrent.mb_per_s else None,
        cpu_by_libtorrent=row.cpu_s_per_gb / libtorrent.cpu_s_per_gb if libtorrent else None,
    )
    return replace(compared, missed=tuple(missed(compared))) if row.system == "p2pd" else compared


def missed(row: Row) -> list[str]:
    """Claims of ours that this row does not keep."""
    if row.mb_per_s is None:
        return ["it did not finish"]
    wrong = []
    for name, value, least in (
        ("mb_per_s", row.mb_per_s, RATE_MIN_MB_PER_S),
        ("by_libtorrent", row.by_libtorrent, BY_LIBTORRENT_MIN),
        ("by_ceiling", row.by_ceiling, BY_CEILING_MIN),
    ):
        if value is not None and value < least:
            wrong.append(f"{name} {value:.2f} < {least:g}")
    if row.cpu_by_libtorrent is not None and row.cpu_by_libtorrent > CPU_BY_LIBTORRENT_MAX:
        wrong.append(f"cpu_by_libtorrent {row.cpu_by_libtorrent:.2f} > {CPU_BY_LIBTORRENT_MAX:g}")
    rss = max(row.source_rss_bytes, row.sink_rss_bytes)
    if rss > RSS_BYTES_MAX:
        wrong.append(f"{rss / 2**20:.0f} MiB resident > {RSS_BYTES_MAX / 2**20:.0f}")
    return wrong


def line_of(row: Row) -> str:
    """The figures in words."""
    rate = f"{row.mb_per_s:.0f} MB/s" if row.mb_per_s else "never"
    cells = [
        f"{row.system:12}{rate:>10}",
        f"{row.source_cpu_s_per_gb:.2f} + {row.sink_cpu_s_per_gb:.2f} core-s/GB",
        f"{row.source_rss_bytes / 2**20:.0f} + {row.sink_rss_bytes / 2**20:.0f} MiB",
    ]
    for name, value in (("ceiling", row.by_ceiling), ("libtorrent", row.by_libtorrent)):
        if value is not None and row.system != name:
            cells.append(f"{value:.2f} x {name}")
    if row.cpu_by_libtorrent is not None and row.system != "libtorrent":
        cells.append(f"{row.cpu_by_libtorrent:.2f} x its core-s")
    cells.append(f"others {row.other_cores:.2f} cores")
    return ", ".join([*cells, *(f"MISSED {claim}" for claim in row.missed)])
