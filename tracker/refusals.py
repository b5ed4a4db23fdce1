"""How many refused commands of one name are written down: enough to see what is tried, too few to fill a disk. Pure."""

from collections import Counter
from typing import Final

REFUSALS_PER_HOUR_MAX: Final = 30
"""Of one name. Who is refused more often is a script, and its first thirty tries say all there is to say."""
NAMES_MAX: Final = 100
"""Names that are counted apart; all others share one count. Names that nobody proved cost nothing to invent."""


class RefusalBudget:
    """Counts anew every hour."""

    def __init__(self) -> None:
        self._hour = -1
        self._spent: Counter[str] = Counter()

    def spend(self, name: str, utc: float) -> int:
        """How many more may be written down after this one; below 0: not even this."""
        hour = int(utc // 3600)
        if hour != self._hour:
            self._hour = hour
            self._spent.clear()
        if name not in self._spent and len(self._spent) >= NAMES_MAX:
            name = ""
        self._spent[name] += 1
        return REFUSALS_PER_HOUR_MAX - self._spent[name]
