"""An operator's connection to a tracker: one command at a time, each answered or given up in time."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any, Final

import msgspec
import trio

from manifests.console import CommandError, UnreachableError
from p2pd.tracker_stream import TrackerStream
from p2pd.wire.announce import (
    GLOBAL,
    AuditRequest,
    Deploy,
    Done,
    Goal,
    Invite,
    Order,
    Pause,
    Promote,
    Refused,
    Register,
    Resume,
    Revoke,
    Rollback,
    StatusRequest,
)
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.messages import PROTOCOL_VERSION
from p2pd.world.network import Identity, Network

from .permissions import Command

ANSWER_TIMEOUT_S: Final = 10.0
"""A deploy is one fsync; whatever takes longer than this is broken."""
CLOSE_TIMEOUT_S: Final = 1.0
Sign = Callable[[Goal], Goal]


class CommandRefused(CommandError):
    """The tracker did not do it; the message is its reason. Nothing has changed."""


class Operator:
    """Commands over one connection; made by `connect`. Every one raises CommandRefused or UnreachableError."""

    def __init__(self, stream: TrackerStream, address: str, by: str, timeout_s: float) -> None:
        self._stream = stream
        self._address = address
        self._by = by
        self._timeout_s = timeout_s
        self._numbers = count(1)

    def __repr__(self) -> str:
        return f"<Operator at {self._address}>"

    async def deploy(
        self,
        service: str,
        release: str,
        *,
        scope: str = GLOBAL,
        allow_older: bool = False,
        reason: str = "",
        sign: Sign | None = None,
        deadline_s: float = 0.0,
    ) -> dict[str, Any]:
        """The service should run this release: the goal as a plain value, durable, with `previous` and `hosts`.

        `deadline_s`: hosts should have it within so many seconds, and fetch for money what peers bring too late.
        `sign` puts an operator's signature on the goal, which hosts of a fleet with a director want to see before they
        go back.
        """
        number, draft = next(self._numbers), sign is not None
        command = Deploy(number, service, release, scope, allow_older, self._by, reason, draft, deadline_s)
        return await self._set(command, sign)

    async def rollback(
        self, service: str, *, release: str = "", scope: str = GLOBAL, reason: str = "", sign: Sign | None = None
    ) -> dict[str, Any]:
        """Back to a release, or ('') to what came before the present one; the rest as of `deploy`."""
        number, draft = next(self._numbers), sign is not None
        return await self._set(Rollback(number, service, scope, release, self._by, reason, draft), sign)

    async def promote(
        self,
        service: str,
        source: str,
        *,
        scope: str = GLOBAL,
        reason: str = "",
        force: bool = False,
    ) -> dict[str, Any]:
        """What runs in the region `source` should run in `scope` too: the goal, as of `deploy`. `force`: also where
        not all hosts do well."""
        return await self._command(Promote(next(self._numbers), service, source, scope, self._by, reason, force))

    async def pause(self, service: str = "", *, scope: str = GLOBAL, reason: str = "") -> dict[str, Any]:
        """No host begins with a release of the service ('': of any), or goes on with one, until `resume`."""
        return await self._command(Pause(next(self._numbers), service, scope, self._by, reason))

    async def resume(self, service: str = "", *, scope: str = GLOBAL, reason: str = "") -> dict[str, Any]:
        """That pause ends."""
        return await self._command(Resume(next(self._numbers), service, scope, self._by, reason))

    async def invite(
        self, token: bytes, who: Identity, *, uses: int, expires_s: float, life_s: float = 0.0, reason: str = ""
    ) -> dict[str, Any]:
        """Whoever has the join token with this public key may become `who` ('': a node of any name). The answer has the
        `fleet` and its `root` (DER, hex)."""
        number, rest = next(self._numbers), (life_s, uses, expires_s, self._by, reason)
        command = Invite(number, token, who.role, who.region, who.node, who.products, who.attestation, *rest)
        return await self._command(command)

    async def revoke(self, node: str = "", *, serial: str = "", reason: str = "") -> dict[str, Any]:
        """A node's certificates, or one by its serial number in hex, count no more: those that were `revoked`."""
        return await self._command(Revoke(next(self._numbers), node, serial, self._by, reason))

    async def _set(self, command: Deploy | Rollback, sign: Sign | None) -> dict[str, Any]:
        answer = await self._command(command)
        if sign is None:
            return answer
        goal = _drafted(answer, command)
        return await self._command(Order(next(self._numbers), sign(goal)))

    async def status(self, service: str = "", *, hosts: bool = False, swarms: bool = False) -> dict[str, Any]:
        """What should run and what does: see `Tracker.status`."""
        return await self._command(StatusRequest(next(self._numbers), service, hosts, swarms))

    async def audit(self) -> AsyncIterator[dict[str, Any]]:
        """Every record of who commanded what, the oldest first."""
        after = 0
        while True:
            answer = await self._command(AuditRequest(next(self._numbers), after))
            records = answer.get("records")
            if not isinstance(records, list) or not records:
                return
            for record in records:
                yield record
            after += len(records)

    async def _command(self, command: Command | StatusRequest | AuditRequest) -> dict[str, Any]:
        with _reachable(self._address), trio.fail_after(self._timeout_s):
            await self._stream.send(command)
            while True:
                answer = await self._stream.receive()
                if isinstance(answer, Refused) and answer.number in (0, command.number):
                    raise CommandRefused(answer.error)
                if isinstance(answer, Done) and answer.number == command.number:
                    return answer.result


def _drafted(answer: dict[str, Any], command: Deploy | Rollback) -> Goal:
    """The draft, if it is what the operator asked for: nobody signs what a tracker made of it."""
    try:
        said = answer | {"signatures": ()}
        goal = msgspec.convert([said.get(name) for name in Goal.__struct_fields__], Goal)
    except msgspec.ValidationError as error:
        raise CommandRefused(f"the tracker's draft is no goal: {error}") from error
    rollback = not isinstance(command, Deploy) or command.rollback
    due = goal.at + command.deadline_s if isinstance(command, Deploy) and command.deadline_s else 0.0
    asked = (command.service, command.scope, command.release, rollback, due)
    if (goal.service, goal.scope, goal.release, goal.rollback, goal.due) == asked:
        return goal
    if not command.release:
        raise CommandRefused(f"the tracker would go back to {goal.release}: sign for that with --to {goal.release}")
    raise CommandRefused(f"the tracker's draft ({goal.release} in {goal.scope}) is not what was asked for")


@asynccontextmanager
async def connect(
    network: Network,
    address: str,
    *,
    by: str,
    fleet: str = "",
    timeout_s: float = ANSWER_TIMEOUT_S,
) -> AsyncIterator[Operator]:
    """Connect as the operator `by`; `fleet` guards against a wrong tracker ('': any). UnreachableError if it can't."""
    with _reachable(address), trio.fail_after(timeout_s):
        stream = TrackerStream(await network.dial(address))
    try:
        with _reachable(address), trio.fail_after(timeout_s):
            await stream.send(Register(PROTOCOL_VERSION, fleet, by or "operator", "", "operator", ""))
        yield Operator(stream, address, by, timeout_s)
    finally:
        with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await stream.aclose()


@contextmanager
def _reachable(address: str) -> Iterator[None]:
    """Translates what the network raises."""
    try:
        yield
    except trio.TooSlowError as error:
        raise UnreachableError(f"the tracker at {address} does not answer") from error
    except OSError as error:
        raise UnreachableError(f"no tracker at {address}: {error}") from error
    except RemoteProtocolError as error:
        raise UnreachableError(f"what answers at {address} is no tracker: {error}") from error
