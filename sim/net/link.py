"""One direction of a link: flows take turns, a quantum each. Over all links on the way that comes to max-min fairness
(within a few percent; `fairness.py` has the exact solution, and a test compares)."""

from typing import Final

from sim.clock import Deed, SimClock

QUEUE_S: Final = 0.5
"""What a router holds of what a link carries. TCP is told to slow down above it: the windows of a hundred connections
would be a queue of a minute, and whoever waits for a piece or for metadata would give up before it comes, and again."""


class Sender:
    """Whose quanta take turns. `queues`: what waits at each stage of its way, the first of it first.

    (Lists, although their first is taken: they are short, and machine code knows them; a deque it has to ask.)
    """

    __slots__ = ("queues",)

    def __init__(self, stages: int) -> None:
        self.queues: list[list[Quantum]] = [[] for _ in range(stages)]

    def passed(self, quantum: "Quantum") -> None:
        """A link or the latency is behind it."""
        raise NotImplementedError


class Quantum(Deed):
    """Bytes that are on their way, and how far they came: past so many links (and the place where the latency is).
    It is booked for when it will have passed the one that it is at.

    `data` is None in all but the last part of a piece that comes as a whole.
    `riders`: what was sent behind it and stays right behind it: it pays nothing and waits for no turn.
    """

    __slots__ = ("cost_bytes", "data", "riders", "sender", "stage")

    def __init__(self, sender: Sender, data: bytes | None, cost_bytes: float) -> None:
        self.sender, self.data, self.cost_bytes, self.stage = sender, data, cost_bytes, 0
        self.riders: list[bytes] = []

    def __repr__(self) -> str:
        return f"<Quantum of {self.cost_bytes:g} bytes, stage {self.stage}>"

    def do(self) -> None:
        """It has passed."""
        self.sender.passed(self)


class Link:
    """Carries quanta at its rate; `carried_bytes` counts them. What costs nothing still keeps its place in its flow."""

    __slots__ = ("_busy", "_clock", "_turns", "bytes_per_s", "carried_bytes")

    def __init__(self, clock: SimClock, bytes_per_s: float) -> None:
        self.bytes_per_s = bytes_per_s
        self.carried_bytes = 0.0
        self._clock = clock
        self._turns: list[list[Quantum]] = []
        """Queues of those who wait, each once."""
        self._busy = False

    def __repr__(self) -> str:
        return f"<Link {self.bytes_per_s:g} bytes/s, {len(self._turns)} flows wait>"

    def is_full(self, queue: list[Quantum]) -> bool:
        """What waits here in this queue takes more than QUEUE_S of turns."""
        if not queue:
            return False
        return len(queue) * queue[0].cost_bytes * len(self._turns) > QUEUE_S * self.bytes_per_s

    def carry(self, quantum: Quantum) -> None:
        """Its sender will be told when it has passed, and must `release` the link then."""
        if not self._busy:
            self._busy = True
            self._clock.book(self._clock.now + quantum.cost_bytes / self.bytes_per_s, quantum)
            return
        queue = quantum.sender.queues[quantum.stage]
        if not queue:
            self._turns.append(queue)
        queue.append(quantum)

    def release(self, quantum: Quantum) -> None:
        """It has passed: the next one's turn."""
        self.carried_bytes += quantum.cost_bytes
        turns = self._turns
        if turns:
            queue = turns.pop(0)
            first = queue.pop(0)
            if queue:
                turns.append(queue)
            self._clock.book(self._clock.now + first.cost_bytes / self.bytes_per_s, first)
        else:
            self._busy = False
