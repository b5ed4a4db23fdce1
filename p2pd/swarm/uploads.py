"""What we owe to others: one queue of promised pieces a peer, bounded in time by what our uplink carries."""

from collections import deque
from dataclasses import dataclass, field

from p2pd.policy.pacing import Rate
from p2pd.policy.serving import accepts_request


@dataclass(frozen=True, slots=True)
class Owed:
    """A piece promised to a peer."""

    swarm: bytes
    piece: int
    length: int


@dataclass(slots=True)
class Uploads:
    """All queues of this node. A body per connection takes from its own peer's queue with `next`."""

    rate: Rate = field(default_factory=Rate)
    queued_bytes: int = 0
    _queues: dict[str, deque[Owed]] = field(default_factory=dict)

    def add(self, peer: str, owed: Owed, now: float) -> bool:
        """Promise a piece, once; False when the queue is full (the peer is told `busy`)."""
        queue = self._queues.setdefault(peer, deque())
        if owed in queue:
            return True
        fits = accepts_request(
            peer_queue_pieces=len(queue), queue_bytes=self.queued_bytes, upload_bytes_per_s=self.rate.per_s(now)
        )
        if fits:
            queue.append(owed)
            self.queued_bytes += owed.length
        return fits

    def withdraw(self, peer: str, swarm: bytes, piece: int) -> None:
        """The peer no longer wants it; nothing if it has left already."""
        queue = self._queues.get(peer)
        if not queue:
            return
        for owed in queue:
            if owed.piece == piece and owed.swarm == swarm:
                queue.remove(owed)
                self.queued_bytes -= owed.length
                return

    def next(self, peer: str) -> Owed | None:
        """The next piece to send to this peer."""
        queue = self._queues.get(peer)
        if not queue:
            return None
        owed = queue.popleft()
        self.queued_bytes -= owed.length
        return owed

    def sent(self, count: int, now: float) -> None:
        """`count` bytes left."""
        self.rate.add(count, now)

    def forget(self, peer: str) -> None:
        """The peer is gone."""
        self.queued_bytes -= sum(owed.length for owed in self._queues.pop(peer, ()))

    def forget_swarm(self, swarm: bytes) -> None:
        """We left a swarm: nothing of it is owed any more."""
        for peer, queue in self._queues.items():
            kept = deque(owed for owed in queue if owed.swarm != swarm)
            self.queued_bytes -= sum(owed.length for owed in queue) - sum(owed.length for owed in kept)
            self._queues[peer] = kept
