"""One direction of a link, as `sim.net.link` has it, at half the cost: flows take turns, one part of a piece each."""

from collections import deque

from .heap import Heap
from .unit import Unit


class Link:
    """Carries units at its rate."""

    __slots__ = ("_busy", "_heap", "_rate", "_turns")

    def __init__(self, heap: Heap, bytes_per_s: float) -> None:
        self._heap, self._rate = heap, bytes_per_s
        self._turns: deque[Unit] = deque()
        """Of each way that waits here its first unit, which knows those behind it."""
        self._busy = False

    def __repr__(self) -> str:
        return f"<Link {self._rate:g} bytes/s, {len(self._turns)} ways wait>"

    def carry(self, unit: Unit) -> None:
        """Its deed is done when it has passed; then call `passed`."""
        if not self._busy:
            self._busy = True
            self._heap.book(self._heap.now + unit.cost / self._rate, unit)
            return
        last_at = unit.way.last_at
        last = last_at[unit.stage]
        if last is None:
            self._turns.append(unit)
        else:
            last.behind = unit
        last_at[unit.stage] = unit

    def passed(self) -> None:
        """One has left it: the next one goes."""
        if not self._turns:
            self._busy = False
            return
        unit = self._turns.popleft()
        if unit.behind is not None:
            self._turns.append(unit.behind)
            unit.behind = None
        else:
            unit.way.last_at[unit.stage] = None
        self._heap.book(self._heap.now + unit.cost / self._rate, unit)
