"""What should run, what does run, and who is in which swarm, as one plain value for pages and `--json`."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from p2pd.wire.announce import GLOBAL, Goal, ServiceReport

from .goals.goals import Goals
from .reports import Reports
from .swarms.registry import Registry

SETTLED: Final = "VERIFIED"
"""The lifecycle state of a host that runs what it should, and whose health check agrees."""
GIVEN_UP: Final = frozenset({"FAILED", "REFUSED"})
"""Those of a host that will not run what it should until there is a new goal."""
TROUBLED_MAX: Final = 20
"""Hosts in trouble that are named for each service, without asking for all hosts."""
SWARMS_MAX: Final = 500
HOSTS_TEXT_BYTES_MAX: Final = 512 * 1024
"""An answer must fit one control frame, whatever hosts say of themselves."""
Status = dict[str, Any]


def services_status(goals: Goals, reports: Reports, service: str) -> list[Status]:
    """Goals and progress of a service ('': of all that have goals or reports)."""
    known = dict.fromkeys([*goals.services(), *reports.services()])
    return [_service(goals, reports, name) for name in sorted(known) if service in ("", name)]


def hosts_status(reports: Reports, service: str) -> tuple[list[Status], int]:
    """Every host's report, and how many more there was no room for."""
    rows, left_out, room = [], 0, HOSTS_TEXT_BYTES_MAX
    for report in reports.hosts(service):
        room -= _text_bytes(report)
        if room >= 0:
            rows.append(msgspec.structs.asdict(report))
        else:
            left_out += 1
    return rows, left_out


def swarms_status(registry: Registry) -> tuple[list[Status], int]:
    """Every swarm's size, and how many more there was no room for."""
    rows: list[Status] = [
        {
            "swarm": swarm_id.hex(),
            "members": len(swarm.progress),
            "complete": swarm.complete_count,
            "pieces": max(status.pieces for status in swarm.progress.values()),
            "regions": {region: len(members) for region, members in swarm.regions.items()},
        }
        for swarm_id, swarm in registry.swarms()
    ]
    rows.sort(key=lambda row: (-row["members"], row["swarm"]))
    return rows[:SWARMS_MAX], len(rows[SWARMS_MAX:])


def region_status(goal: Goal | None, reports: Reports, service: str, region: str) -> Status:
    """Counts of hosts. `settled`: run the goal and are verified; `failed`: gave it up; stale ones count apart."""
    row: Status = {"region": region, "goal": goal.release if goal else "", "revision": goal.revision if goal else 0}
    row |= {"hosts": 0, "settled": 0, "failed": 0, "stale": 0, "progress": 0.0, "states": {}, "releases": {}}
    moving = 0.0
    for group, hosts, progress in _in_region(reports, service, region):
        row["hosts"] += hosts
        _count(row["releases"], group.running_release, hosts)
        if group.stale:
            row["stale"] += hosts
            continue
        _count(row["states"], group.state, hosts)
        heard = goal is not None and group.goal_revision >= goal.revision
        settled = heard and group.running_release == row["goal"] and group.state == SETTLED
        row["settled"] += hosts if settled else 0
        row["failed"] += hosts if heard and not settled and group.state in GIVEN_UP else 0
        moving += hosts * (1.0 if settled else progress if heard else 0.0)
    fresh = row["hosts"] - row["stale"]
    row["progress"] = round(moving / fresh, 4) if fresh else 0.0
    return row


def _service(goals: Goals, reports: Reports, service: str) -> Status:
    regions = dict.fromkeys(goal.scope for goal in goals.scopes(service) if goal.scope != GLOBAL)
    regions |= dict.fromkeys(group.region for group, _, _ in reports.groups(service))
    troubled = list(reports.troubled(service))
    return {
        "service": service,
        "goals": [msgspec.structs.asdict(goal) for goal in goals.scopes(service)],
        "paused": [msgspec.structs.asdict(one) for one in goals.pauses.over(service, GLOBAL)],
        "regions": [
            region_status(goals.effective(service, region), reports, service, region) for region in sorted(regions)
        ],
        "troubled": [
            {name: getattr(report, name) for name in ("node", "region", "state", "goal_release", "error", "waits_for")}
            for report in troubled[:TROUBLED_MAX]
        ],
    }


def _in_region(reports: Reports, service: str, region: str) -> Iterator[Any]:
    return (found for found in reports.groups(service) if found[0].region == region)


def _count(counts: dict[str, int], name: str, hosts: int) -> None:
    counts[name] = counts.get(name, 0) + hosts


def _text_bytes(report: ServiceReport) -> int:
    texts: Iterable[object] = msgspec.structs.astuple(report)
    return sum(len(str(text).encode()) for text in texts) + 256
