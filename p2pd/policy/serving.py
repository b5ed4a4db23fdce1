"""Whether to take a peer's request into our upload queue.

Queues are bounded in time: pieces that wait for one uplink are pieces that another would have brought. A queue of 8 s
cost a swarm whose every second uplink is slow 1.87 x the bound, one of 1 s 1.10 x (`docs/policy.md`). A queue that was
empty a moment ago tells nothing of the uplink yet, so it may fill faster than it is known to drain.
"""

from typing import Final

PEER_QUEUE_PIECES_MAX: Final = 1024
"""Requests of one peer waiting: 64 MiB in 64 KiB pieces; more is not how our own daemon asks."""
PEER_QUEUE_PIECES_FREE: Final = 1
"""Of every peer always taken: one that asks for much and reads nothing must not shut out the others."""
QUEUE_S_MAX: Final = 1.0
QUEUE_PIECES_FREE: Final = 2
"""Always taken, whatever the rate. In pieces: so all here stays as it is when sizes and rates are divided alike."""
FRESH_S: Final = 1.0
"""So long after it was empty a queue may hold more: refusals would keep a fast uplink idle while it is found out."""
FRESH_PIECES_FREE: Final = 16
FRESH_QUEUE_S_MAX: Final = 8.0


def accepts_request(
    *, peer_queue_pieces: int, queue_bytes: int, piece_bytes: int, upload_bytes_per_s: float, busy_s: float
) -> bool:
    """True if one more piece for a peer with so many waiting fits into a queue of `queue_bytes`.

    `busy_s`: since the queue was last empty.
    """
    if peer_queue_pieces >= PEER_QUEUE_PIECES_MAX:
        return False
    if peer_queue_pieces < PEER_QUEUE_PIECES_FREE:
        return True
    if busy_s < FRESH_S:
        return queue_bytes <= FRESH_PIECES_FREE * piece_bytes + FRESH_QUEUE_S_MAX * upload_bytes_per_s
    return queue_bytes <= QUEUE_PIECES_FREE * piece_bytes + QUEUE_S_MAX * upload_bytes_per_s
