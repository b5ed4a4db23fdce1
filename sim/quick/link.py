"""One direction of a link, as `sim.net.link` has it, at half the cost: flows take turns, one part of a piece each."""

from collections import deque
from typing import TYPE_CHECKING

from .heap import Heap
from .unit import Unit

if TYPE_CHECKING:
    from .way import Way


class Link:
    """Carries units at its rate."""

    __slots__ = ("_busy", "_heap", "_rate", "_turns", "_waiting")

    def __init__(self, heap: Heap, bytes_per_s: float) -> None:
        self._heap, self._rate = heap, bytes_per_s
        self._waiting: dict[Way, list[Unit]] = {}
        self._turns: deque[Way] = deque()
        self._busy = False

    def __repr__(self) -> str:
        return f"<Link {self._rate:g} bytes/s, {len(self._turns)} ways wait>"

    def carry(self, unit: Unit) -> None:
        """Its deed is done when it has passed; then call `passed`."""
        if not self._busy:
            self._busy = True
            self._heap.book(self._heap.now + unit.cost / self._rate, unit)
            return
        waiting = self._waiting.get(unit.way)
        if waiting is None:
            self._waiting[unit.way] = [unit]
            self._turns.append(unit.way)
        else:
            waiting.append(unit)

    def passed(self) -> None:
        """One has left it: the next one goes."""
        if not self._turns:
            self._busy = False
            return
        way = self._turns.popleft()
        waiting = self._waiting[way]
        unit = waiting.pop(0)
        if waiting:
            self._turns.append(way)
        else:
            del self._waiting[way]
        self._heap.book(self._heap.now + unit.cost / self._rate, unit)
