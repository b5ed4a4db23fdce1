"""What the operator's commands do, over the network. Loaded when a command runs."""

import sys
from argparse import Namespace
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import trio

from manifests.console import EXIT_FAILED, EXIT_OK, CommandError, Console, UnreachableError
from p2pd.goals import sign_as_operator
from p2pd.wire.announce import GLOBAL
from p2pd.world.network import Network

from .audit import from_document, verify
from .client import Operator, Sign, connect
from .config import DEFAULT_FLEET
from .display import show_audit, show_goal, show_pauses, show_status, show_swarms, show_verdict
from .waiting import Outlook, outlook

POLL_S: Final = 1.0
"""How often a wait or a watch looks."""
SILENCE_S: Final = 60.0
"""A wait outlasts a tracker that is gone for less than this (it is being restarted)."""


async def deploy(network: Network, arguments: Namespace, console: Console) -> int:
    """Set a goal; with --wait, see it through."""
    sign = _pen(arguments)
    async with _connected(network, arguments) as operator:
        goal = await operator.deploy(
            arguments.service,
            arguments.release,
            scope=arguments.region or GLOBAL,
            allow_older=arguments.allow_older,
            reason=arguments.reason,
            sign=sign,
            deadline_s=arguments.deadline,
        )
    return await _follow(network, arguments, console, goal)


async def rollback(network: Network, arguments: Namespace, console: Console) -> int:
    """Go back; with --wait, see it through."""
    sign = _pen(arguments)
    async with _connected(network, arguments) as operator:
        goal = await operator.rollback(
            arguments.service,
            release=arguments.to,
            scope=arguments.region or GLOBAL,
            reason=arguments.reason,
            sign=sign,
        )
    return await _follow(network, arguments, console, goal)


async def promote(network: Network, arguments: Namespace, console: Console) -> int:
    """What one region runs, elsewhere too; with --wait, see it through."""
    async with _connected(network, arguments) as operator:
        goal = await operator.promote(
            arguments.service,
            arguments.source,
            scope=arguments.region or GLOBAL,
            reason=arguments.reason,
            force=arguments.force,
        )
    return await _follow(network, arguments, console, goal)


async def pause(network: Network, arguments: Namespace, console: Console) -> int:
    """Nobody begins, or goes on."""
    async with _connected(network, arguments) as operator:
        scope = arguments.region or GLOBAL
        answer = await operator.pause(arguments.service, scope=scope, reason=arguments.reason)
    console.result(answer, lambda: show_pauses(console, answer["in_force"]))
    return EXIT_OK


async def resume(network: Network, arguments: Namespace, console: Console) -> int:
    """A pause ends."""
    async with _connected(network, arguments) as operator:
        scope = arguments.region or GLOBAL
        answer = await operator.resume(arguments.service, scope=scope, reason=arguments.reason)
    console.result(answer, lambda: show_pauses(console, answer["in_force"]))
    return EXIT_OK


async def status(network: Network, arguments: Namespace, console: Console) -> int:
    """What should run and what does; with --watch, again and again."""
    async with _connected(network, arguments) as operator:
        while True:
            answer = await operator.status(arguments.service, hosts=arguments.hosts)
            if arguments.watch and sys.stdout.isatty() and not console.json:
                console.say("\x1b[H\x1b[2J")
            console.result(answer, lambda: show_status(console, answer))  # noqa: B023 - called at once
            if not arguments.watch:
                return EXIT_OK
            await trio.sleep(POLL_S)


async def swarms(network: Network, arguments: Namespace, console: Console) -> int:
    """Who is in which swarm of this tracker."""
    async with _connected(network, arguments) as operator:
        answer = await operator.status(swarms=True)
    value = {name: answer[name] for name in ("tracker", "swarms", "swarms_left_out")}
    console.result(value, lambda: show_swarms(console, answer))
    return EXIT_OK


async def audit(network: Network, arguments: Namespace, console: Console) -> int:
    """Who commanded what; with `verify`, whether the chain of records holds (exit code 1 if not)."""
    async with _connected(network, arguments) as operator:
        records = [record async for record in operator.audit()]
    if arguments.what == "show":
        console.result({"records": records}, lambda: show_audit(console, records))
        return EXIT_OK
    try:
        verdict = verify(map(from_document, records), arguments.anchor)
    except ValueError as error:
        raise CommandError(f"{arguments.tracker}: {error}") from None
    console.result(asdict(verdict) | {"ok": not verdict.wrong}, lambda: show_verdict(console, verdict))
    return EXIT_FAILED if verdict.wrong else EXIT_OK


async def _follow(network: Network, arguments: Namespace, console: Console, goal: dict[str, Any]) -> int:
    if not arguments.wait:
        console.result(goal, lambda: show_goal(console, goal))
        return EXIT_OK
    show_goal(console, goal)
    seen = await _wait(network, arguments, console, goal)
    outcome = "timeout" if seen.outcome == "waiting" else seen.outcome
    value = goal | {
        "outcome": outcome,
        "hosts": seen.hosts,
        "settled": seen.settled,
        "failed": seen.failed,
        "stale": seen.stale,
    }
    console.result(value, lambda: console.say(f"{outcome}: {seen}"))
    return EXIT_OK if outcome == "settled" else EXIT_FAILED


async def _wait(network: Network, arguments: Namespace, console: Console, goal: dict[str, Any]) -> Outlook:
    """Look until it is decided or the time is up."""
    seen = Outlook(0, 0, 0, 0, 0.0, superseded=False)
    line = _Line(console)
    ends_at = trio.current_time() + arguments.timeout
    heard_at = trio.current_time()
    while seen.outcome == "waiting" and trio.current_time() < ends_at:
        try:
            async with _connected(network, arguments) as operator:
                while seen.outcome == "waiting" and trio.current_time() < ends_at:
                    seen = outlook(await operator.status(goal["service"]), goal)
                    heard_at = trio.current_time()
                    line.show(str(seen))
                    if seen.outcome == "waiting":
                        await trio.sleep(POLL_S)
        except UnreachableError as error:
            if trio.current_time() - heard_at > SILENCE_S:
                raise
            line.show(str(error))
            await trio.sleep(POLL_S)
    line.end()
    return seen


def _pen(arguments: Namespace) -> Sign | None:
    """How this operator signs, if a key is given; asks for its passphrase if it has one."""
    if not arguments.key:
        return None
    from manifests.cli_keys import signer

    return partial(sign_as_operator, arguments.fleet or DEFAULT_FLEET, signer=signer(arguments, arguments.key))


def _connected(network: Network, arguments: Namespace) -> AbstractAsyncContextManager[Operator]:
    return connect(network, arguments.tracker, by=arguments.by, fleet=arguments.fleet)


OPERATIONS: Final = {
    "deploy": deploy, "rollback": rollback, "promote": promote, "pause": pause, "resume": resume, "status": status,
    "swarms": swarms, "audit": audit,
}  # fmt: skip


class _Line:
    """A line on stderr that changes in place on a terminal, and is written anew when it changes elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._terminal = sys.stderr.isatty() and not console.quiet
        self._shown = ""

    def show(self, text: str) -> None:
        if text == self._shown:
            return
        self._shown = text
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        else:
            self._console.note(text)

    def end(self) -> None:
        if self._terminal and self._shown:
            print(file=sys.stderr, flush=True)
