"""The seam for running a release's health check and the site's restart command."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Exit:
    """How a command ended. `code` is negative for a signal; `output` is the tail of stdout and stderr, bounded."""

    code: int
    output: str
    timed_out: bool = False


class Processes(Protocol):
    """Runs commands."""

    async def run(self, argv: tuple[str, ...], directory: str, environment: dict[str, str], timeout_s: float) -> Exit:
        """Run it to its end, or kill its whole process group at the timeout. OSError when it can't be started."""
        ...
