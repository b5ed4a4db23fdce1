"""The local control socket: one line of JSON asked, one answered. Whoever may open the socket may steer the daemon.

{"command": "status"}     {"command": "pause"}     {"command": "gc", "dry_run": true}
{"ok": true, ...}         or {"ok": false, "error": "..."}
"""

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import trio

REQUEST_BYTES_MAX: Final = 64 * 1024
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
CLIENTS_MAX: Final = 32
REQUEST_S_MAX: Final = 30.0
"""A client that opens the socket and says nothing is closed after this."""

Answer = dict[str, Any]
Command = Callable[[Mapping[str, Any]], Awaitable[Answer]]


class ControlError(Exception):
    """A command that can't be carried out; the message says why. The asker's fault."""


async def serve(
    path: str, commands: Mapping[str, Command], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Answer commands on the Unix socket `path` (mode 0600, replaced if a dead daemon left one) until cancelled."""
    _unlink(path)
    listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        await listening.bind(path)
    finally:
        os.umask(before)
    listening.listen(CLIENTS_MAX)
    limit = trio.CapacityLimiter(CLIENTS_MAX)

    async def handle(stream: trio.SocketStream) -> None:
        async with limit, stream:
            await _converse(stream, commands)

    try:
        listener = trio.SocketListener(listening)
        task_status.started()
        await trio.serve_listeners(handle, [listener])
    finally:
        _unlink(path)


def _unlink(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)


async def _converse(stream: trio.SocketStream, commands: Mapping[str, Command]) -> None:
    try:
        while True:
            with trio.fail_after(REQUEST_S_MAX):
                line = await _read_line(stream, REQUEST_BYTES_MAX)
            if line is None:
                return
            answer = await _answer(line, commands)
            await stream.send_all(json.dumps(answer).encode() + b"\n")
    except (trio.BrokenResourceError, trio.TooSlowError):
        return


async def _answer(line: bytes, commands: Mapping[str, Command]) -> Answer:
    try:
        request = json.loads(line)
        name = request.get("command")
        command = commands.get(name)
        if command is None:
            raise ControlError(f"no command {name!r}; there are: {', '.join(sorted(commands))}")
        return {"ok": True} | await command(request)
    except ControlError as error:
        return {"ok": False, "error": str(error)}
    except (ValueError, AttributeError):
        return {"ok": False, "error": "a command is one line with a JSON object"}


async def _read_line(stream: trio.SocketStream, bytes_max: int) -> bytes | None:
    data = bytearray()
    while not data.endswith(b"\n"):
        part = await stream.receive_some(64 * 1024)
        if not part or len(data) > bytes_max:
            return None
        data += part
    return bytes(data)


async def ask(path: str, request: Mapping[str, Any], timeout_s: float = 30.0) -> Answer:
    """Ask the daemon at `path`; ControlError for its refusal, OSError when none answers there."""
    with trio.fail_after(timeout_s):
        async with await trio.open_unix_socket(path) as stream:
            await stream.send_all(json.dumps(request).encode() + b"\n")
            line = await _read_line(stream, ANSWER_BYTES_MAX)
    if line is None:
        raise ControlError("the daemon closed the connection without an answer")
    answer: Answer = json.loads(line)
    if not answer.pop("ok", False):
        raise ControlError(str(answer.get("error", "refused")))
    return answer
