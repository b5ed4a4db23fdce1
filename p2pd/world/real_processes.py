"""Commands behind the seam: each in a session of its own, so that all it started can be ended with it."""

import os
import signal
import subprocess
from typing import Final

import trio

from .processes import Exit

OUTPUT_BYTES_MAX: Final = 8 * 1024
"""The end of the output is kept: that is where a failing check says why."""
TERMINATE_GRACE_S: Final = 2.0
"""From SIGTERM to SIGKILL."""
OUTPUT_GRACE_S: Final = 0.2
"""For the last output after the command's end: what it left running in the background may hold the pipe for ever."""


class RealProcesses:
    """`p2pd.world.processes.Processes` on the machine."""

    async def run(self, argv: tuple[str, ...], directory: str, environment: dict[str, str], timeout_s: float) -> Exit:
        """Run it to its end, or end its whole process group at the timeout or when cancelled.

        What a command that ended by itself left running is left alone (a restart command starts a service), but
        loses its standard output. OSError when it can't be started.
        """
        process = await trio.lowlevel.open_process(
            list(argv),
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        output = bytearray()
        try:
            with trio.move_on_after(timeout_s):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_keep_tail, process.stdout, output)
                    await process.wait()
                    nursery.cancel_scope.deadline = trio.current_time() + OUTPUT_GRACE_S
            timed_out = process.returncode is None
        finally:
            with trio.CancelScope(shield=True):
                await _end(process)
        assert process.returncode is not None
        return Exit(process.returncode, output.decode(errors="replace"), timed_out)


async def _keep_tail(source: trio.abc.ReceiveStream, output: bytearray) -> None:
    async with source:
        async for data in source:
            output += data
            del output[:-OUTPUT_BYTES_MAX]


async def _end(process: trio.Process) -> None:
    """Nothing of it runs on, unless it had ended by itself."""
    if process.returncode is not None:
        return
    _signal_group(process, signal.SIGTERM)
    with trio.move_on_after(TERMINATE_GRACE_S):
        await process.wait()
    _signal_group(process, signal.SIGKILL)
    await process.wait()


def _signal_group(process: trio.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass  # all of it ended in the meantime
