"""What could not be had, remembered for a moment, so that a storm of the same question reaches the store once. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

REMEMBERED_MAX: Final = 10_000
"""About 3 MB. A storm of more different questions reaches the store."""


class Fault(Enum):
    """Whose fault it is that an object can't be had."""

    MISSING = "missing"
    """Nobody's: there is no such object (yet)."""
    CORRUPT = "corrupt"
    """The store's: its bytes are not what the name says."""
    UNAVAILABLE = "unavailable"
    """The world's: the store does not answer."""


MEMORY_S: Final = {Fault.MISSING: 2.0, Fault.CORRUPT: 10.0, Fault.UNAVAILABLE: 1.0}
"""How long each is believed. Short for what a publisher or the network may mend at any moment."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an object can't be had; `message` is for a person."""

    fault: Fault
    message: str


class Failures:
    """The failures of the last moments, by path."""

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._until: dict[str, tuple[float, Failure]] = {}

    def __repr__(self) -> str:
        return f"<Failures {len(self._until)} remembered>"

    def remember(self, path: str, failure: Failure, now: float) -> None:
        """It failed just now."""
        self._until.pop(path, None)
        while len(self._until) >= self._remembered_max:
            del self._until[next(iter(self._until))]
        self._until[path] = (now + MEMORY_S[failure.fault], failure)

    def recall(self, path: str, now: float) -> Failure | None:
        """The failure, if it is recent."""
        until, failure = self._until.get(path, (0.0, None))
        if failure is not None and until <= now:
            del self._until[path]
            return None
        return failure
