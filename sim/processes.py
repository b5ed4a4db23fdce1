"""The seam for health checks and restart commands, simulated: a release answers as its publisher's mistake has it."""

from collections.abc import Callable
from random import Random
from typing import Final

import trio

from p2pd.world.processes import Exit

SECONDS: Final = (0.05, 1.5)
"""How long a command takes, at least and at most."""


class SimProcesses:
    """Commands of one host. `answer(argv, environment)` says how each ends; it is asked when the command starts."""

    def __init__(self, rng: Random, answer: Callable[[tuple[str, ...], dict[str, str]], Exit]) -> None:
        self._rng, self._answer = rng, answer

    async def run(self, argv: tuple[str, ...], directory: str, environment: dict[str, str], timeout_s: float) -> Exit:
        """Take some time and answer."""
        ended = self._answer(argv, environment)
        seconds = self._rng.uniform(*SECONDS)
        await trio.sleep(min(seconds, timeout_s))
        return ended if seconds <= timeout_s else Exit(-15, ended.output, timed_out=True)
