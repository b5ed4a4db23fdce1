"""The tracker's answers for a person's eyes. What hosts say of themselves is cleaned of control characters first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from manifests.console import Console, human_duration

from .audit import Verdict

Status = dict[str, Any]
SERVICE_COLUMNS: Final = ("service", "region", "goal", "#rev", "#running", "#failed", "#silent", "#done", "states")
AUDIT_COLUMNS: Final = ("#", "when", "who", "from", "did", "what", "change", "reason", "refused")
HOST_COLUMNS: Final = ("host", "region", "service", "goal", "runs", "state", "#done", "waits for")


def clean(text: str, chars_max: int = 100) -> str:
    """One line without control characters, not too long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= chars_max else line[: chars_max - 1] + "…"


def show_goal(console: Console, goal: Status) -> None:
    """What a deploy or a rollback set."""
    where = "everywhere" if goal["scope"] == "global" else f"in {goal['scope']}"
    console.say(f"{goal['service']} should run {goal['release'] or 'nothing'} {where}: revision {goal['revision']}, "
                f"before: {goal['previous'] or 'nothing'}, hosts known: {goal['hosts']}"
                + (f", due {_when(goal['due'])}" if goal.get("due") else ""))  # fmt: skip
    if goal["warning"]:
        console.note(f"warning: {goal['warning']}")


def _when(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def show_pauses(console: Console, pauses: Sequence[Status]) -> None:
    """A line for each pause in force."""
    for pause in pauses:
        where = "everywhere" if pause["scope"] == "global" else f"in {clean(pause['scope'])}"
        when = _when(pause["at"])
        reason = f": {clean(pause['reason'])}" if pause["reason"] else ""
        what = clean(pause["service"]) or "every service"
        console.say(f"PAUSED: {what} {where}, by {clean(pause['by']) or 'somebody'} at {when}{reason}")
    if not pauses:
        console.say("nothing is paused")


def show_audit(console: Console, records: Sequence[Status]) -> None:
    """A line each."""
    rows = [
        (
            record["number"],
            _when(record["at"]),
            f"{clean(record['who'])}, {record['role'] if record['proven'] else 'unproven'}",
            clean(record["where"]),
            clean(record["action"]),
            f"{clean(record['service']) or 'every service'} {clean(record['scope'])}",
            f"{clean(record['before']) or 'nothing'} -> {clean(record['after']) or 'nothing'}",
            clean(record["reason"]),
            clean(record["refused"]),
        )
        for record in records
    ]
    console.table("", AUDIT_COLUMNS, rows)


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Whether the chain holds."""
    if verdict.wrong:
        console.say(f"BROKEN: {verdict.wrong}")
    console.say(f"{verdict.records} records hold; the last one's seal is {verdict.last}")


def show_status(console: Console, status: Status) -> None:
    """Who answers; a table of services by region; hosts in trouble; every host if it was asked for."""
    console.say(_heading(status["tracker"]))
    if status["paused"]:
        show_pauses(console, status["paused"])
    if not status["services"]:
        console.say("no service has a goal or a host yet")
        return
    console.table("", SERVICE_COLUMNS, [row for service in status["services"] for row in _service_rows(service)])
    for service in status["services"]:
        for host in service["troubled"]:
            why = clean(host["error"] or host["waits_for"])
            console.say(f"{clean(host['node'])} ({host['region']}): {service['service']} {clean(host['state'])}: {why}")
    if "hosts" in status:
        console.table("", HOST_COLUMNS, map(_host_row, status["hosts"]))
        _left_out(console, status["hosts_left_out"], "hosts")


def show_swarms(console: Console, status: Status) -> None:
    """A table of swarms, the largest first."""
    console.say(_heading(status["tracker"]))
    rows = (
        (row["swarm"][:16], row["members"], row["complete"], row["pieces"],
         ", ".join(f"{clean(region)} {count}" for region, count in row["regions"].items()))
        for row in status["swarms"]
    )  # fmt: skip
    console.table("", ("swarm", "#members", "#complete", "#pieces", "regions"), rows)
    _left_out(console, status["swarms_left_out"], "swarms")


def _heading(tracker: Status) -> str:
    line = f"{clean(tracker['node'])}: revision {tracker['revision']}, {tracker['nodes']} nodes"
    if tracker["upstream"]:
        age_s = tracker["upstream_age_s"]
        age = human_duration(age_s) if age_s < 1e9 else "never heard"
        line += f"; follows {tracker['upstream']}, last heard: {age}"
    return line


def _service_rows(service: Status) -> list[tuple[object, ...]]:
    """The global goal, then each region with what is in force there."""
    everywhere = [goal for goal in service["goals"] if goal["scope"] == "global"]
    rows = [
        (service["service"], "global", goal["release"] or "nothing", goal["revision"], "", "", "", "", "")
        for goal in everywhere
    ]
    return rows + [_region_row(service["service"], row) for row in service["regions"]]


def _region_row(service: str, row: Status) -> tuple[object, ...]:
    states = " ".join(f"{clean(state)} {count}" for state, count in sorted(row["states"].items()))
    running, done = f"{row['settled']}/{row['hosts'] - row['stale']}", f"{100 * row['progress']:.0f} %"
    return (service, clean(row["region"]), row["goal"] or "nothing", row["revision"], running, row["failed"],
            row["stale"], done, states)  # fmt: skip


def _host_row(host: Status) -> tuple[object, ...]:
    state = f"{host['state']} (silent)" if host["stale"] else host["state"]
    return (clean(host["node"]), clean(host["region"]), host["service"], host["goal_release"], host["running_release"],
            clean(state), f"{100 * host['progress']:.0f} %", clean(host["error"] or host["waits_for"]))  # fmt: skip


def _left_out(console: Console, count: int, what: str) -> None:
    if count:
        console.note(f"{count} more {what} are not shown")
