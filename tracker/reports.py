"""How services do on all hosts: the newest word on each (node, service), and counts that are kept up as words come.

Words come from a node itself or, in batches, from its region's tracker: the *source*. When the source's lease ends its
words are kept as what was last known, marked stale. Bounded: when full, stale words make room, then news is dropped.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from p2pd.wire.announce import ServiceReport

TROUBLE: Final = frozenset({"FAILED", "REFUSED", "BLOCKED"})
"""Lifecycle states that a person should look at."""


class Group(NamedTuple):
    """Hosts that are alike for a status page."""

    region: str
    state: str
    running_release: str
    goal_release: str
    goal_revision: int
    stale: bool


Key = tuple[str, str]


class Reports:
    """All newest reports. `dropped` counts those for which there was no room."""

    def __init__(self, reports_max: int) -> None:
        self.dropped = 0
        self._reports_max = reports_max
        self._reports: dict[Key, ServiceReport] = {}
        self._sources: dict[str, dict[Key, None]] = {}
        self._source_of: dict[Key, str] = {}
        self._stale: dict[Key, None] = {}
        self._troubled: dict[str, dict[Key, None]] = {}
        self._groups: dict[str, Counter[Group]] = {}
        self._progress: dict[str, Counter[Group]] = {}

    def __len__(self) -> int:
        return len(self._reports)

    def __repr__(self) -> str:
        return f"<Reports {len(self)} of {len(self._groups)} services, {len(self._stale)} stale>"

    def services(self) -> list[str]:
        """Services that any host reports, by name."""
        return sorted(self._groups)

    def groups(self, service: str) -> Iterator[tuple[Group, int, float]]:
        """(group, hosts, mean progress) of a service."""
        progress = self._progress.get(service, Counter())
        for group, hosts in self._groups.get(service, {}).items():
            yield group, hosts, progress[group] / hosts / 1000

    def hosts(self, service: str = "") -> Iterator[ServiceReport]:
        """Every host's report on a service ('': on all)."""
        return (report for report in self._reports.values() if service in ("", report.service))

    def troubled(self, service: str) -> Iterator[ServiceReport]:
        """Hosts whose state calls for a person, the longest troubled first."""
        return (self._reports[key] for key in self._troubled.get(service, {}))

    def count_from(self, source: str) -> int:
        """How many reports came from there."""
        return len(self._sources.get(source, ()))

    def put(self, report: ServiceReport, source: str) -> bool:
        """The newest word; by order of arrival, for a node's clock may be wrong. False if there is no room."""
        key = (report.node, report.service)
        if key in self._reports:
            self._forget(key)
        elif len(self._reports) >= self._reports_max and not self._make_room():
            self.dropped += 1
            return False
        self._reports[key] = report
        self._source_of[key] = source
        self._sources.setdefault(source, {})[key] = None
        self._count(report, 1)
        return True

    def expire(self, source: str) -> list[ServiceReport]:
        """The source's lease has ended: its reports are stale now. The ones that changed."""
        changed = []
        for key in list(self._sources.get(source, ())):
            report = self._reports[key]
            if not report.stale:
                stale = msgspec.structs.replace(report, stale=True)
                self.put(stale, source)
                changed.append(stale)
        return changed

    def _make_room(self) -> bool:
        oldest = next(iter(self._stale), None)
        if oldest is None:
            return False
        self._forget(oldest)
        return True

    def _forget(self, key: Key) -> None:
        report, source = self._reports.pop(key), self._source_of.pop(key)
        del self._sources[source][key]
        if not self._sources[source]:
            del self._sources[source]
        self._count(report, -1)

    def _count(self, report: ServiceReport, by: int) -> None:
        key, service = (report.node, report.service), report.service
        group = Group(
            report.region, report.state, report.running_release, report.goal_release, report.goal_revision, report.stale
        )
        _add(self._groups, service, group, by)
        _add(self._progress, service, group, by * round(1000 * report.progress))
        for marked, where in (
            (report.stale, self._stale),
            (report.state in TROUBLE, self._troubled.setdefault(service, {})),
        ):
            if marked and by > 0:
                where[key] = None
            else:
                where.pop(key, None)
        if service not in self._groups:
            del self._troubled[service]


def _add(counters: dict[str, Counter[Group]], service: str, group: Group, by: int) -> None:
    counter = counters.setdefault(service, Counter())
    counter[group] += by
    if not counter[group]:
        del counter[group]
    if not counter:
        del counters[service]


class Unsent:
    """What a regional tracker has still to tell upstream: the newest word of each, in the order of first change."""

    def __init__(self) -> None:
        self._reports: dict[Key, ServiceReport] = {}

    def __len__(self) -> int:
        return len(self._reports)

    def put(self, report: ServiceReport) -> None:
        """One more change."""
        self._reports[(report.node, report.service)] = report

    def take(self, count: int) -> tuple[ServiceReport, ...]:
        """Up to `count` of them, to be sent now."""
        return tuple(self._reports.pop(key) for key in list(islice(self._reports, count)))
