"""`p2pd status | list | pause | resume | gc`: ask the running daemon over its control socket."""

import os
import time
from argparse import Namespace
from typing import Any, Final

import trio

from manifests.console import (
    EXIT_OK,
    CommandError,
    Console,
    UnreachableError,
    human_bytes,
    human_duration,
    human_rate,
)
from p2pd import control
from p2pd.config import Config

WATCH_S: Final = 1.0


def ask(arguments: Namespace, console: Console) -> int:
    """Exit 4 when no daemon answers at the socket."""
    path = arguments.socket or os.environ.get("P2PD_CONTROL_SOCKET") or Config().control_socket
    request: dict[str, Any] = {"command": arguments.command}
    if arguments.command == "gc":
        request["dry_run"] = arguments.dry_run
    while True:
        answer = _ask(path, request)
        console.result(answer, lambda answer=answer: _SHOW[arguments.command](console, answer))  # type: ignore[misc]
        if not getattr(arguments, "watch", False):
            return EXIT_OK
        time.sleep(WATCH_S)  # noqa: TID251 - a command for people, not part of the daemon
        console.say("")


def _ask(path: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return trio.run(control.ask, path, request)
    except control.ControlError as error:
        raise CommandError(str(error)) from error
    except (OSError, trio.TooSlowError) as error:
        raise UnreachableError(f"no daemon answers at {path}: {str(error) or 'it does not answer in time'}") from error


def _show_status(console: Console, answer: dict[str, Any]) -> None:
    tracker = answer["tracker"]
    link = (
        f"tracker {tracker['address']}"
        if tracker["connected"]
        else f"no tracker ({tracker['last_error'] or 'none set'})"
    )
    paused = ", PAUSED" if answer["paused"] else ""
    console.say(
        f"{answer['node']} in {answer['region']}, up {human_duration(answer['uptime_s'])}, {link}, "
        f"{answer['connections']} connections{paused}"
    )
    if answer["services"]:
        rows = [
            (
                one["service"],
                one["state"],
                one["running_release"] or "-",
                one["goal_release"] or "-",
                one["error"] or one["waits_for"],
            )
            for one in answer["services"]
        ]
        console.table("services", ("service", "state", "runs", "should run", "because"), rows)
    if answer["limits"]["probe_problem"]:
        console.say(f"not known where this machine is: {answer['limits']['probe_problem']}")
    for side, link in answer["background"].items():
        if link["upload_yields"] or link["download_yields"]:
            left = f"{human_rate(link['upload_bytes_per_s'])} up, {human_rate(link['download_bytes_per_s'])} down"
            where = "on the LAN" if side == "lan" else "outside the LAN"
            console.say(f"yields to others {where}: {left} (their queue takes {1000 * link['queue_s']:.0f} ms)")
    console.table(
        "releases", ("release", "step", "verified", "rate", "ETA", "from", "waits for"), map(_row, answer["downloads"])
    )
    for one in answer["downloads"]:
        if words := _progress(one):
            console.say(f"{one['release']}: {words}")


def _progress(one: dict[str, Any]) -> str:
    """How near it is to the best possible rate, where from, and why it did not move."""
    parts = []
    if one["step"] not in ("kept", "stopped") and one.get("share_of_bound") is not None:
        rates = ", ".join(f"{name} {human_rate(rate)}" for name, rate in one["rate_by_source"].items())
        bound, eta = human_rate(one["bound_bytes_per_s"]), human_duration(one["eta_at_bound_s"])
        parts.append(f"{one['share_of_bound']:.0%} of the best possible {bound} ({eta} left at that): {rates}")
    return "; ".join([*parts, *filter(None, [one.get("standstill", ""), pace_words(one)])])


def pace_words(one: dict[str, Any]) -> str:
    """When it is due, and what HTTP was used for."""
    due_s, paid = one.get("due_in_s"), one.get("http_bytes_by_reason", {})
    parts = []
    if due_s is not None and one["step"] not in ("kept", "stopped"):
        parts.append(f"due in {human_duration(due_s)}" if due_s >= 0 else f"due {human_duration(-due_s)} ago")
    if paid:
        parts.append("by HTTP " + ", ".join(f"{human_bytes(count)} ({why})" for why, count in paid.items()))
    return ", ".join(parts)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    size = one["size_bytes"]
    share = f"{human_bytes(one['verified_bytes'])} of {human_bytes(size)}" if size else "-"
    sources = one.get("bytes_by_source", {})
    eta = one.get("eta_s")
    moving = one["step"] not in ("kept", "stopped")
    return (
        one["release"],
        one["step"],
        share,
        human_rate(one.get("rate_bytes_per_s", 0)) if moving else "",
        human_duration(eta) if moving and eta is not None else "",
        ", ".join(f"{name} {human_bytes(count)}" for name, count in sources.items()),
        one["waits_for"],
    )


def _show_list(console: Console, answer: dict[str, Any]) -> None:
    rows = [
        (
            one["release"],
            human_bytes(one["present_bytes"]),
            "whole" if one["finished"] else "partial",
            one["why"],
            one["directory"],
        )
        for one in answer["releases"]
    ]
    console.table("releases on this disk", ("release", "size", "state", "in use", "directory"), rows)


def _show_paused(console: Console, answer: dict[str, Any]) -> None:
    console.say("paused: nothing is fetched until `p2pd resume`" if answer["paused"] else "downloads go on")


def _show_gc(console: Console, answer: dict[str, Any]) -> None:
    verb = "would remove" if answer["dry_run"] else "removed"
    freed = sum(one["bytes"] for one in answer["removed"])
    names = ", ".join(one["release"] for one in answer["removed"]) or "nothing"
    console.say(f"{verb} {names} ({human_bytes(freed)})")


_SHOW: Final = {
    "status": _show_status,
    "list": _show_list,
    "pause": _show_paused,
    "resume": _show_paused,
    "gc": _show_gc,
}
