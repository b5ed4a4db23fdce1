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
QUEUE_BYTES_FREE: Final = 512 * 1024
"""Always taken, whatever the rate."""
FRESH_S: Final = 1.0
"""So long after it was empty a queue may hold more: refusals would keep a fast uplink idle while it is found out."""
FRESH_BYTES_FREE: Final = 4 * 1024 * 1024
FRESH_QUEUE_S_MAX: Final = 8.0


def accepts_request(*, peer_queue_pieces: int, queue_bytes: int, upload_bytes_per_s: float, busy_s: float) -> bool:
    """True if one more request of a peer with so many waiting fits into a queue of `queue_bytes`.

    `busy_s`: since the queue was last empty.
    """
    if peer_queue_pieces >= PEER_QUEUE_PIECES_MAX:
        return False
    if peer_queue_pieces < PEER_QUEUE_PIECES_FREE:
        return True
    if busy_s < FRESH_S:
        return queue_bytes <= FRESH_BYTES_FREE + FRESH_QUEUE_S_MAX * upload_bytes_per_s
    return queue_bytes <= QUEUE_BYTES_FREE + QUEUE_S_MAX * upload_bytes_per_s
