"""What came of a run, as one row, and what ours claims of it. Pure."""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from benchmarks.links import Counters

from .scenarios import SEED, Scenario

GB: Final = 1e9


@dataclass
class Outcome:
    """What was seen. `finished_s`: of each peer that finished. `links`: bytes in the time that was measured.

    `cpu_s_by`: of each process. `other_cores`: how many cores other work on this machine kept busy meanwhile.
    """

    finished_s: dict[str, float] = field(default_factory=dict)
    links: dict[str, Counters] = field(default_factory=dict)
    cpu_s_by: dict[str, float] = field(default_factory=dict)
    rss_bytes: dict[str, int] = field(default_factory=dict)
    other_cores: float = 0.0
    load: float = 0.0
    events: dict[str, float] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def cpu_s(self) -> float:
        """Of all processes together."""
        return sum(self.cpu_s_by.values())


@dataclass(frozen=True)
class Row:
    """One run. Copies are bytes over the link by the size of the content; the kernel counts headers once for
    up to 9,000 bytes, so these alone make 1.01 of one.

    `slowest_s` and `ratio` are None when somebody did not finish. `site_copies`: into the site that took most.
    `others_s`: the slowest peer but for the odd one, `slowdown` that by the same without the odd one.
    """

    scenario: str
    system: str
    run: int
    size_bytes: int
    peers: int
    finished: int
    bound_s: float
    slowest_s: float | None
    median_s: float | None
    ratio: float | None
    origin_copies: float
    received_copies: float
    cpu_s_per_gb: float | None
    rss_seed_bytes: int
    rss_peer_bytes: int
    load: float
    other_cores: float
    site_copies: float | None = None
    others_s: float | None = None
    others_without_s: float | None = None
    slowdown: float | None = None
    events: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)
    missed: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For JSON; what does not apply is left out, floats are rounded to what was really measured."""
        return {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
            if value is not None and value not in ({}, ())
        }


def row_of(scenario: Scenario, system: str, run: int, size: int, seen: Outcome, without: Row | None = None) -> Row:
    """The figures. `without`: the same system's row of the scenario without its odd peer."""
    times = sorted(seen.finished_s.values())
    peers, bound = scenario.counted, scenario.bound_s(size)
    whole = len(times) == len(peers)
    slowest = times[-1] if whole else None
    others = without.slowest_s if without else None
    row = Row(
        scenario=scenario.name,
        system=system,
        run=run,
        size_bytes=size,
        peers=len(peers),
        finished=len(times),
        bound_s=bound,
        slowest_s=slowest,
        median_s=statistics.median(times) if times else None,
        ratio=slowest / bound if slowest else None,
        origin_copies=seen.links[SEED].sent / size,
        received_copies=statistics.fmean(seen.links[peer].received for peer in peers) / size,
        cpu_s_per_gb=seen.cpu_s * GB / (len(peers) * size) if whole else None,
        rss_seed_bytes=seen.rss_bytes.get(SEED, 0),
        rss_peer_bytes=max(seen.rss_bytes.get(peer, 0) for peer in peers),
        load=seen.load,
        other_cores=seen.other_cores,
        site_copies=max((seen.links[site.name].received for site in scenario.sites), default=0) / size or None,
        others_s=slowest if without else None,
        others_without_s=others,
        slowdown=slowest / others if slowest and others else None,
        events=seen.events,
        notes=seen.notes,
    )
    return replace(row, missed=tuple(missed(row))) if system == "p2pd" else row


RATIO_MAX: Final = {"S1": 1.15, "S2": 1.15, "S3": 1.15, "S4": 1.25, "S6": 1.4}
ORIGIN_COPIES_MAX: Final = {"S1": 1.15, "S2": 1.15, "S3": 1.15}
SITE_COPIES_MAX: Final = {"S4": 1.25}
SLOWDOWN_MAX: Final = {"S8": 1.05}


def missed(row: Row) -> list[str]:
    """Claims of ours that this row does not keep; how the others do beside it is for the reader."""
    wrong = [] if row.finished == row.peers else [f"{row.finished} of {row.peers} finished"]
    for name, value, limits in (
        ("ratio", row.ratio, RATIO_MAX),
        ("origin_copies", row.origin_copies, ORIGIN_COPIES_MAX),
        ("site_copies", row.site_copies, SITE_COPIES_MAX),
        ("slowdown", row.slowdown, SLOWDOWN_MAX),
    ):
        limit = limits.get(row.scenario)
        if limit is not None and value is not None and value > limit:
            wrong.append(f"{name} {value:.3f} > {limit}")
    refetched = row.notes.get("refetched_bytes")
    if row.scenario == "S6" and refetched:
        wrong.append(f"{refetched} verified bytes were fetched twice")
    return wrong
