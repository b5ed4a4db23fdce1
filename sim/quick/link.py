"""One direction of a link, as `sim.net.link` has it, at half the cost: flows take turns, one part of a piece each."""

from collections import deque
from heapq import heappush
from typing import Protocol

from .heap import Heap
from .unit import Unit


class Flow(Protocol):
    """Whose units take turns."""

    def passed(self, unit: Unit) -> None:
        """A unit has left the link."""
        ...


class Link:
    """Carries units at its rate."""

    __slots__ = ("_busy", "_heap", "_rate", "_turns", "_waiting")

    def __init__(self, heap: Heap, bytes_per_s: float) -> None:
        self._heap, self._rate = heap, bytes_per_s
        self._waiting: dict[Flow, deque[Unit]] = {}
        self._turns: deque[Flow] = deque()
        self._busy = False

    def __repr__(self) -> str:
        return f"<Link {self._rate:g} bytes/s, {len(self._turns)} flows wait>"

    def carry(self, flow: Flow, unit: Unit) -> None:
        """Call `flow.passed(unit)` when it has passed."""
        if not self._busy:
            self._busy = True
            heap = self._heap
            heappush(heap.queue, (heap.now + unit.cost / self._rate, heap.next_place(), self._passed, (flow, unit)))
            return
        waiting = self._waiting.get(flow)
        if waiting is None:
            self._waiting[flow] = deque((unit,))
            self._turns.append(flow)
        else:
            waiting.append(unit)

    def _passed(self, flow: Flow, unit: Unit) -> None:
        turns = self._turns
        if turns:
            following = turns.popleft()
            waiting = self._waiting[following]
            first = waiting.popleft()
            if waiting:
                turns.append(following)
            else:
                del self._waiting[following]
            heap = self._heap
            when = heap.now + first.cost / self._rate
            heappush(heap.queue, (when, heap.next_place(), self._passed, (following, first)))
        else:
            self._busy = False
        flow.passed(unit)
