"""Which requests to take on, and to how many peers to send at once. Pieces that wait for one uplink are pieces that
another would have brought, and pieces that share it all come late.

Queues are bounded in time. When one is full, what helps the swarm least makes room: the piece that most neighbours
hold, of the peer that has most waiting. Worth 1.20 x the bound instead of 1.79 x where every second uplink is slow
(`docs/policy.md`).
"""

from typing import Final

PEER_QUEUE_PIECES_MAX: Final = 1024
"""Requests of one peer waiting: 64 MiB in 64 KiB pieces; more is not how our own daemon asks."""
QUEUE_S_MAX: Final = 1.0
QUEUE_PIECES_FREE: Final = 2
"""Always taken, whatever the rate. In pieces: so all here stays as it is when sizes and rates are divided alike."""
SENDS_MAX: Final = 4
"""Peers at once. With one the uplink rests whenever that peer's downlink is shared; with 16 a piece takes 16 times as
long, and so does its whole way through the swarm."""
AGEING_S: Final = 0.1
"""Whoever waits so long goes before a piece that one neighbour more holds: or who is behind, and so asks only for what
all others hold, would be served last for ever (S3 of `benchmarks.swarm`: 1.32 x the bound instead of 1.10)."""
STUCK_S_MIN: Final = 1.0
STUCK_FACTOR: Final = 4.0


def accepts_request(*, peer_queue_pieces: int, queue_bytes: int, piece_bytes: int, upload_bytes_per_s: float) -> bool:
    """True if one more piece for a peer with so many waiting fits into a queue of `queue_bytes`."""
    if peer_queue_pieces >= PEER_QUEUE_PIECES_MAX:
        return False
    return queue_bytes <= QUEUE_PIECES_FREE * piece_bytes + QUEUE_S_MAX * upload_bytes_per_s


def stuck_after_s(typical_s: float) -> float:
    """A piece that is sent for so long, where one typically takes `typical_s`, goes to somebody who doesn't read: it
    is not counted among the SENDS_MAX any more, or a few such peers would keep our uplink from all others."""
    return max(STUCK_S_MIN, STUCK_FACTOR * typical_s)
