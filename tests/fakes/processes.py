"""Commands that are not run but answered by a script."""

from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from p2pd.world.processes import Exit


@dataclass(frozen=True)
class Ran:
    """One command as it was asked for."""

    argv: tuple[str, ...]
    directory: str
    environment: dict[str, str]
    timeout_s: float


def succeed(_: Ran) -> Exit:
    """Every command ends well."""
    return Exit(0, "")


@dataclass
class ScriptedProcesses:
    """`p2pd.world.processes.Processes`: `answer` says how each command ends (or raises OSError); `ran` has them all.

    Each takes `seconds`, on trio's clock.
    """

    answer: Callable[[Ran], Exit] = succeed
    seconds: float = 0.1
    ran: list[Ran] = field(default_factory=list)

    async def run(self, argv: tuple[str, ...], directory: str, environment: dict[str, str], timeout_s: float) -> Exit:
        """Take some time and answer; a command that takes longer than its timeout is killed."""
        command = Ran(argv, directory, environment, timeout_s)
        self.ran.append(command)
        ended = self.answer(command)
        await trio.sleep(min(self.seconds, timeout_s))
        return Exit(-15, ended.output, timed_out=True) if self.seconds > timeout_s else ended
