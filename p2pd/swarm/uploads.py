"""What we owe to others: one queue of promised pieces a peer, bounded in time by what our uplink carries."""

from collections import OrderedDict
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
    _busy_since: float = 0.0
    _queues: dict[str, OrderedDict[tuple[bytes, int], Owed]] = field(default_factory=dict)
    """Of each peer: owed pieces by swarm and piece, oldest first."""

    def add(self, peer: str, owed: Owed, now: float) -> bool:
        """Promise a piece, once; False when the queue is full (the peer is told `busy`)."""
        queue = self._queues.setdefault(peer, OrderedDict())
        if (owed.swarm, owed.piece) in queue:
            return True
        fits = accepts_request(
            peer_queue_pieces=len(queue),
            queue_bytes=self.queued_bytes,
            piece_bytes=owed.length,
            upload_bytes_per_s=self.rate.per_s(now),
            busy_s=now - self._busy_since if self.queued_bytes else 0.0,
        )
        if fits:
            if not self.queued_bytes:
                self._busy_since = now
            queue[owed.swarm, owed.piece] = owed
            self.queued_bytes += owed.length
        return fits

    def withdraw(self, peer: str, swarm: bytes, piece: int) -> None:
        """The peer no longer wants it; nothing if it has left already."""
        owed = self._queues.get(peer, OrderedDict()).pop((swarm, piece), None)
        if owed is not None:
            self.queued_bytes -= owed.length

    def next(self, peer: str) -> Owed | None:
        """The next piece to send to this peer."""
        queue = self._queues.get(peer)
        if not queue:
            return None
        _, owed = queue.popitem(last=False)
        self.queued_bytes -= owed.length
        return owed

    def sent(self, count: int, now: float) -> None:
        """`count` bytes left."""
        self.rate.add(count, now)

    def forget(self, peer: str) -> None:
        """The peer is gone."""
        self.queued_bytes -= sum(owed.length for owed in self._queues.pop(peer, OrderedDict()).values())

    def forget_swarm(self, swarm: bytes, peer: str | None = None) -> None:
        """We left a swarm, or this peer did: nothing of it is owed any more."""
        for one in list(self._queues) if peer is None else [peer]:
            for of, piece in list(self._queues.get(one, ())):
                if of == swarm:
                    self.withdraw(one, of, piece)
