"""What we owe to others: a queue of promised pieces for each peer, and whose turn it is to be sent one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Final

from p2pd.policy.pacing import Rate
from p2pd.policy.serving import PEER_QUEUE_PIECES_MAX, accepts_request, ageing_s, sends_at_once, stuck_after_s, urgency

PEERS_LOOKED_AT: Final = 16
PIECES_LOOKED_AT: Final = 4
"""Of each of these peers, when the most or the least useful of all that is queued is sought: all of a short queue, and
a bounded time for a long one, where the order matters little."""
TYPICAL_STEP: Final = 1.2
"""What is typical follows the median of how long pieces take: eight that crawl among sixteen, at 2 Mbit/s where the
others have 50, must not make crawling typical, or they are sent to and nobody else (simulated: 53 s instead of 16)."""
SLOW_FACTOR: Final = 3.0
"""Of what is typical: a piece that took longer gives its peer no earlier turn, or who is slow would have them all."""


class Owed:
    """A piece promised to a peer, which lacked this share of all pieces when it asked; never changed."""

    __slots__ = ("lacks", "length", "piece", "swarm")

    def __init__(self, swarm: bytes, piece: int, length: int, lacks: float = 0.0) -> None:
        self.swarm, self.piece, self.length, self.lacks = swarm, piece, length, lacks

    def __repr__(self) -> str:
        return f"<Owed piece {self.piece} of {self.swarm.hex()[:8]}, {self.length} bytes>"


class _Queue:
    """What one peer was promised and not sent, oldest first. `since`: when its last turn began, or it began to wait.

    Counted from when it ended, whose connection is slow for a while would get fewer turns than others, and less to pass
    on: of eight peers of one shield one got half as much as the others for ten seconds on end (S1 of
    `benchmarks.swarm`), while its uplink rested and theirs did not.
    """

    __slots__ = ("_known", "order", "since")

    def __init__(self) -> None:
        self.order: list[Owed] = []
        self._known: dict[tuple[bytes, int], Owed] = {}
        self.since = 0.0

    def __repr__(self) -> str:
        return f"<_Queue {self.order}>"

    def find(self, swarm: bytes, piece: int) -> Owed | None:
        """The promise of this piece, if there is one."""
        return self._known.get((swarm, piece))

    def add(self, owed: Owed) -> None:
        """One more promise."""
        self._known[owed.swarm, owed.piece] = owed
        self.order.append(owed)

    def remove(self, owed: Owed) -> None:
        """It is kept, or taken back."""
        del self._known[owed.swarm, owed.piece]
        at, order = 0, self.order
        while order[at] is not owed:
            at += 1
        order.pop(at)


_NOTHING: Final = _Queue()


@dataclass(slots=True)
class Uploads:
    """All queues of this node. A body per connection takes from its own peer's queue with `next`, which gives nothing
    while enough others are being sent to; `turns` says who may take now. `spread(swarm)`: how many neighbours hold each
    piece of a swarm that something is owed of."""

    spread: Callable[[bytes], list[int]]
    rate: Rate = field(default_factory=Rate)
    queued_bytes: int = 0
    _queues: dict[str, _Queue] = field(default_factory=dict)
    """Of each peer that is owed something."""
    _waiting: dict[str, _Queue] = field(default_factory=dict)
    """Of those whose bodies asked for a piece and got none; who waits longest first."""
    _sending: dict[str, float] = field(default_factory=dict)
    """Peers that a piece is being sent to, and since when."""
    _granted: set[str] = field(default_factory=set)
    """Those of them whose bodies have not taken it yet."""
    _given: dict[bytes, list[int]] = field(default_factory=dict)
    """How often we gave each piece of a swarm away: whoever got it may not have told us yet."""
    _took_s: dict[str, float] = field(default_factory=dict)
    """How long the last piece to each peer was on its way, as far as that counts."""
    _typical_s: float = 0.0
    _looked_up: bytes = b""
    """Of which swarm the following two are: looked up once for all that one choice looks at."""
    _held_by: list[int] = field(default_factory=list)
    _given_to: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Uploads of {self.queued_bytes} bytes to {len(self._queues)} peers, {len(self._sending)} at once>"

    # -- promises -----------------------------------------------------------------------------------------------

    def add(self, peer: str, owed: Owed, now: float) -> tuple[str, Owed] | None:
        """Promise a piece, once. Where there is no room: who is to be told that we are busy, and for which piece."""
        queue = self._queues.get(peer)
        promised = 0
        if queue is not None:
            promised = len(queue.order)
            if queue.find(owed.swarm, owed.piece) is not None:
                return None
        refused = None
        if not accepts_request(
            peer_queue_pieces=promised,
            queue_bytes=self.queued_bytes,
            piece_bytes=owed.length,
            upload_bytes_per_s=self.rate.per_s(now),
        ):
            refused = self._least_useful(self._spread(owed) + promised)
            if refused is None or promised >= PEER_QUEUE_PIECES_MAX:
                return peer, owed
            self.withdraw(refused[0], refused[1].swarm, refused[1].piece)
            queue = self._queues.get(peer)
        if queue is None:
            queue = self._queues[peer] = _Queue()
        queue.add(owed)
        self.queued_bytes += owed.length
        return refused

    def _least_useful(self, than: int) -> tuple[str, Owed] | None:
        """Of what is queued, if it is less useful than something of that measure: a piece counts for the less the more
        neighbours hold it, and the more of its peer's pieces stand before it."""
        worst, least = than, None
        for peer, queue in islice(self._queues.items(), PEERS_LOOKED_AT):
            last = len(queue.order) - 1
            for at in range(last, max(-1, last - PIECES_LOOKED_AT), -1):
                owed = queue.order[at]
                measure = self._spread(owed) + at
                if measure > worst:
                    worst, least = measure, (peer, owed)
        return least

    def _spread(self, owed: Owed) -> int:
        self._look_up(owed.swarm)
        return self._held_by[owed.piece] + self._given_to[owed.piece]

    def _look_up(self, swarm: bytes) -> None:
        self._looked_up, self._held_by = swarm, self.spread(swarm)
        given = self._given.get(swarm)
        if given is None:
            given = self._given[swarm] = [0] * len(self._held_by)
        self._given_to = given

    def _scarcest(self, queue: _Queue, looked_at: int) -> tuple[int, Owed]:
        """Of the first so many of a queue: the piece that fewest hold, and how many do."""
        found, fewest, order = queue.order[0], -1, queue.order
        for at in range(min(looked_at, len(order))):
            owed = order[at]
            if owed.swarm is not self._looked_up:
                self._look_up(owed.swarm)
            spread = self._held_by[owed.piece] + self._given_to[owed.piece]
            if spread < fewest or fewest < 0:
                fewest, found = spread, owed
        return fewest, found

    def withdraw(self, peer: str, swarm: bytes, piece: int) -> None:
        """The peer no longer wants it; nothing if it has left already."""
        queue = self._queues.get(peer)
        owed = queue.find(swarm, piece) if queue is not None else None
        if queue is None or owed is None:
            return
        queue.remove(owed)
        self.queued_bytes -= owed.length
        if queue.order:
            return
        del self._queues[peer]
        self._waiting.pop(peer, None)
        if peer in self._granted:
            self._granted.remove(peer)
            del self._sending[peer]

    def forget(self, peer: str) -> None:
        """The peer is gone."""
        self._sending.pop(peer, None)
        self._granted.discard(peer)
        self._waiting.pop(peer, None)
        self._took_s.pop(peer, None)
        self.queued_bytes -= sum(owed.length for owed in self._queues.pop(peer, _NOTHING).order)

    def forget_swarm(self, swarm: bytes, peer: str | None = None) -> None:
        """We left a swarm, or this peer did: nothing of it is owed any more."""
        for one in list(self._queues) if peer is None else [peer]:
            for owed in [*self._queues.get(one, _NOTHING).order]:
                if owed.swarm == swarm:
                    self.withdraw(one, swarm, owed.piece)
        if peer is None:
            self._given.pop(swarm, None)

    def owes(self, peer: str) -> bool:
        """Is anything promised to this peer?"""
        return peer in self._queues

    # -- turns --------------------------------------------------------------------------------------------------

    def next(self, peer: str, now: float) -> Owed | None:
        """The next piece to send to this peer, whose former one has left, or (who reads ahead) is about to; None: wait
        to be named by `turns`."""
        if peer in self._granted:
            self._granted.remove(peer)
        else:
            self._sending.pop(peer, None)
            queue = self._queues.get(peer)
            if queue is None:
                return None
            if peer not in self._waiting:
                queue.since = now - self._took_s.get(peer, 0.0)
                self._waiting[peer] = queue
            if peer not in self._choose(now):
                return None
            del self._waiting[peer]
        queue = self._queues.pop(peer)
        self._looked_up = b""
        _, owed = self._scarcest(queue, PEERS_LOOKED_AT)
        queue.remove(owed)
        self.queued_bytes -= owed.length
        if queue.order:
            self._queues[peer] = queue  # now the last that is looked at
        self._sending[peer] = now
        self._given[owed.swarm][owed.piece] += 1
        return owed

    def turns(self, now: float) -> list[str]:
        """Whose bodies may take a piece now, each named once: a turn is kept for it, in whichever order bodies run."""
        chosen = self._choose(now)
        for peer in chosen:
            del self._waiting[peer]
            self._sending[peer] = now
            self._granted.add(peer)
        return chosen

    def _choose(self, now: float) -> list[str]:
        """Who is owed the piece that fewest hold, lacks most, or waits for too long."""
        waiting = self._waiting
        if not waiting:
            return []
        free = sends_at_once(len(self._took_s), self._typical_s) - len(self._sending)
        if self._sending:
            patience_s = stuck_after_s(self._typical_s)
            for since in self._sending.values():
                free += now >= since + patience_s
        if free <= 0:
            return []
        if len(waiting) <= free:
            return list(waiting)
        self._looked_up = b""
        ranked: list[tuple[float, str]] = []
        first, least = "", inf
        waits_s = ageing_s(self._typical_s)
        candidates = list(islice(waiting.items(), PEERS_LOOKED_AT))
        least_lacks = min([queue.order[-1].lacks for _, queue in candidates])
        for peer, queue in candidates:
            fewest, _ = self._scarcest(queue, PIECES_LOOKED_AT)
            urgent = urgency(queue.order[-1].lacks - least_lacks, self._typical_s)
            measure = fewest - urgent - (now - queue.since) / waits_s
            if free > 1:
                ranked.append((measure, peer))
            elif measure < least or (measure == least and peer < first):
                first, least = peer, measure
        return [first] if free == 1 else [peer for _, peer in sorted(ranked)[:free]]

    def next_timer(self, now: float) -> float:
        """When `turns` may name somebody though nothing was sent; infinite while nobody waits."""
        soonest = inf
        if self._waiting:
            patience_s = stuck_after_s(self._typical_s)
            for since in self._sending.values():
                if now < since + patience_s < soonest:
                    soonest = since + patience_s
        return soonest

    def sent(self, peer: str, count: int, now: float) -> None:
        """A piece of `count` bytes has left to this peer."""
        self.rate.add(count, now)
        if peer in self._granted:
            return  # it reads ahead, and its turn for the next one is kept
        since = self._sending.pop(peer, None)
        if since is not None:
            self._took(peer, now - since)

    def _took(self, peer: str, took_s: float) -> None:
        """A whole piece to this peer took so long."""
        typical_s = self._typical_s or took_s
        self._typical_s = typical_s * TYPICAL_STEP if took_s > typical_s else typical_s / TYPICAL_STEP
        self._took_s[peer] = min(took_s, SLOW_FACTOR * self._typical_s)
