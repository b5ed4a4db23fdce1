"""What we owe to others: a queue of promised pieces for each peer, and whose turn it is to be sent one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Final, Protocol

import msgspec

from p2pd.policy.pacing import Rate
from p2pd.policy.serving import AGEING_S, PEER_QUEUE_PIECES_MAX, SENDS_MAX, accepts_request, stuck_after_s

PEERS_LOOKED_AT: Final = 16
PIECES_LOOKED_AT: Final = 4
"""Of each of these peers, when the most or the least useful of all that is queued is sought: all of a short queue, and
a bounded time for a long one, where the order matters little."""
TYPICAL_WEIGHT: Final = 0.2


class Owed(msgspec.Struct, frozen=True, gc=False):
    """A piece promised to a peer."""

    swarm: bytes
    piece: int
    length: int


class Counts(Protocol):
    """Of each piece of a swarm."""

    def __getitem__(self, piece: int, /) -> int:
        """How many neighbours hold it."""
        ...


_Queue = dict[tuple[bytes, int], Owed]
_NONE: Final[dict[int, int]] = {}


@dataclass(slots=True)
class Uploads:
    """All queues of this node. A body per connection takes from its own peer's queue with `next`, which gives nothing
    while enough others are being sent to; `turns` says who may take now. `spread(swarm)`: how many neighbours hold each
    piece of a swarm that something is owed of."""

    spread: Callable[[bytes], Counts]
    rate: Rate = field(default_factory=Rate)
    queued_bytes: int = 0
    _queues: dict[str, _Queue] = field(default_factory=dict)
    """Of each peer that is owed something: pieces by swarm and number, oldest first."""
    _waiting: dict[str, float] = field(default_factory=dict)
    """Peers whose bodies asked for a piece and got none, and since when; longest first."""
    _sending: dict[str, float] = field(default_factory=dict)
    """Peers that a piece is being sent to, and since when."""
    _granted: set[str] = field(default_factory=set)
    """Those of them whose bodies have not taken it yet."""
    _given: dict[bytes, dict[int, int]] = field(default_factory=dict)
    """How often we gave each piece of a swarm away: whoever got it may not have told us yet."""
    _typical_s: float = 0.0

    def __repr__(self) -> str:
        return f"<Uploads of {self.queued_bytes} bytes to {len(self._queues)} peers, {len(self._sending)} at once>"

    # -- promises -----------------------------------------------------------------------------------------------

    def add(self, peer: str, owed: Owed, now: float) -> tuple[str, Owed] | None:
        """Promise a piece, once. Where there is no room: who is to be told that we are busy, and for which piece."""
        queue = self._queues.get(peer, {})
        key = (owed.swarm, owed.piece)
        if key in queue:
            return None
        refused = None
        if not accepts_request(
            peer_queue_pieces=len(queue),
            queue_bytes=self.queued_bytes,
            piece_bytes=owed.length,
            upload_bytes_per_s=self.rate.per_s(now),
        ):
            refused = self._least_useful(self._spread(owed) + len(queue))
            if refused is None or len(queue) >= PEER_QUEUE_PIECES_MAX:
                return peer, owed
            self.withdraw(refused[0], refused[1].swarm, refused[1].piece)
        self._queues.setdefault(peer, queue)[key] = owed
        self.queued_bytes += owed.length
        return refused

    def _least_useful(self, than: int) -> tuple[str, Owed] | None:
        """Of what is queued, if it is less useful than something of that measure: a piece counts for the less the more
        neighbours hold it, and the more of its peer's pieces stand before it."""
        worst, least = than, None
        for peer, queue in islice(self._queues.items(), PEERS_LOOKED_AT):
            for behind, owed in enumerate(islice(reversed(queue.values()), PIECES_LOOKED_AT)):
                measure = self._spread(owed) + len(queue) - 1 - behind
                if measure > worst:
                    worst, least = measure, (peer, owed)
        return least

    def _spread(self, owed: Owed) -> int:
        return self.spread(owed.swarm)[owed.piece] + self._given.get(owed.swarm, _NONE).get(owed.piece, 0)

    def _scarcest(self, queue: _Queue, looked_at: int) -> tuple[int, tuple[bytes, int]]:
        """Of the first so many of a queue: how many hold the piece that fewest hold, and its key."""
        looked_up, fewest, found = b"", 0, None
        held: Counts = _NONE
        given = _NONE
        for key in queue:
            if not looked_at:
                break
            looked_at -= 1
            swarm, piece = key
            if swarm is not looked_up:
                looked_up, held, given = swarm, self.spread(swarm), self._given.get(swarm, _NONE)
            spread = held[piece] + given.get(piece, 0)
            if spread < fewest or found is None:
                fewest, found = spread, key
        if found is None:
            raise ValueError("an empty queue")
        return fewest, found

    def withdraw(self, peer: str, swarm: bytes, piece: int) -> None:
        """The peer no longer wants it; nothing if it has left already."""
        queue = self._queues.get(peer, {})
        owed = queue.pop((swarm, piece), None)
        if owed is not None:
            self.queued_bytes -= owed.length
        if not queue:
            self._queues.pop(peer, None)
            self._waiting.pop(peer, None)
            self._give_up_turn(peer)

    def _give_up_turn(self, peer: str) -> None:
        if peer in self._granted:
            self._granted.remove(peer)
            del self._sending[peer]

    def forget(self, peer: str) -> None:
        """The peer is gone."""
        self._sending.pop(peer, None)
        self._granted.discard(peer)
        self._waiting.pop(peer, None)
        self.queued_bytes -= sum(owed.length for owed in self._queues.pop(peer, {}).values())

    def forget_swarm(self, swarm: bytes, peer: str | None = None) -> None:
        """We left a swarm, or this peer did: nothing of it is owed any more."""
        for one in list(self._queues) if peer is None else [peer]:
            for of, piece in list(self._queues.get(one, ())):
                if of == swarm:
                    self.withdraw(one, of, piece)
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
            if peer not in self._queues:
                return None
            self._waiting.setdefault(peer, now)
            if peer not in self._choose(now):
                return None
            del self._waiting[peer]
        queue = self._queues.pop(peer)
        self._queues[peer] = queue  # now the last that is looked at
        _, found = self._scarcest(queue, PEERS_LOOKED_AT)
        owed = queue[found]
        self.withdraw(peer, owed.swarm, owed.piece)
        self._sending[peer] = now
        given = self._given.setdefault(owed.swarm, {})
        given[owed.piece] = given.get(owed.piece, 0) + 1
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
        """Who is owed the piece that fewest hold, or waits for too long."""
        waiting = self._waiting
        if not waiting:
            return []
        free = SENDS_MAX - len(self._sending)
        if free < SENDS_MAX:
            patience_s = stuck_after_s(self._typical_s)
            for since in self._sending.values():
                free += now >= since + patience_s
        if free <= 0:
            return []
        if len(waiting) <= free:
            return list(waiting)
        ranked = []
        for peer, since in islice(waiting.items(), PEERS_LOOKED_AT):
            fewest, _ = self._scarcest(self._queues[peer], PIECES_LOOKED_AT)
            ranked.append((fewest - (now - since) / AGEING_S, peer))
        return [min(ranked)[1]] if free == 1 else [peer for _, peer in sorted(ranked)[:free]]

    def _stuck_at(self) -> list[float]:
        patience_s = stuck_after_s(self._typical_s)
        return [since + patience_s for since in self._sending.values()]

    def next_timer(self, now: float) -> float:
        """When `turns` may name somebody though nothing was sent; infinite while nobody waits."""
        if not self._waiting:
            return inf
        return min((stuck_at for stuck_at in self._stuck_at() if stuck_at > now), default=inf)

    def sent(self, peer: str, count: int, now: float) -> None:
        """A piece of `count` bytes has left to this peer."""
        self.rate.add(count, now)
        if peer in self._granted:
            return  # it reads ahead, and its turn for the next one is kept
        since = self._sending.pop(peer, None)
        if since is not None:
            self._typical_s += TYPICAL_WEIGHT * (now - since - self._typical_s)
