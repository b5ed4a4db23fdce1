"""One direction of a link: flows take turns, a quantum each. Over all links on the way that comes to max-min fairness
(within a few percent; `fairness.py` has the exact solution, and a test compares)."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from sim.clock import SimClock


class Link:
    """Carries quanta at its rate; `carried_bytes` counts them. What costs nothing still keeps its place in its flow."""

    def __init__(self, clock: SimClock, bytes_per_s: float) -> None:
        self.bytes_per_s = bytes_per_s
        self.carried_bytes = 0.0
        self._clock = clock
        self._waiting: dict[Any, deque[tuple[float, Callable[[], object]]]] = {}
        self._turns: deque[Any] = deque()
        self._busy = False

    def __repr__(self) -> str:
        return f"<Link {self.bytes_per_s:g} bytes/s, {len(self._turns)} flows wait>"

    def carry(self, flow: Any, cost_bytes: float, done: Callable[[], object]) -> None:
        """Call `done` when the quantum has passed."""
        waiting = self._waiting.get(flow)
        if waiting is None:
            waiting = self._waiting[flow] = deque()
            self._turns.append(flow)
        waiting.append((cost_bytes, done))
        if not self._busy:
            self._next()

    def _next(self) -> None:
        flow = self._turns.popleft()
        waiting = self._waiting[flow]
        cost_bytes, done = waiting.popleft()
        if waiting:
            self._turns.append(flow)
        else:
            del self._waiting[flow]
        self._busy = True
        self._clock.at(self._clock.now + cost_bytes / self.bytes_per_s, partial(self._passed, cost_bytes, done))

    def _passed(self, cost_bytes: float, done: Callable[[], object]) -> None:
        self._busy = False
        self.carried_bytes += cost_bytes
        if self._turns:
            self._next()
        done()
