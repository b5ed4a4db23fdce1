"""Whether to take a peer's request into our upload queue.

Queues are bounded in time: one that holds more than a few seconds of our uplink makes pieces wait at every hop
(simulated: slow hosts cost 1.28 x with queues bounded in count, 1.04 x bounded in time).
"""

from typing import Final

PEER_QUEUE_PIECES_MAX: Final = 1024
"""Requests of one peer waiting: 64 MiB in 64 KiB pieces; more is not how our own daemon asks."""
PEER_QUEUE_PIECES_FREE: Final = 1
"""Of every peer always taken: one that asks for much and reads nothing must not shut out the others."""
QUEUE_S_MAX: Final = 8.0
QUEUE_BYTES_FREE: Final = 4 * 1024 * 1024
"""Always taken, whatever the rate: before anything was sent the rate is unknown."""


def accepts_request(*, peer_queue_pieces: int, queue_bytes: int, upload_bytes_per_s: float) -> bool:
    """True if one more request of a peer with so many waiting fits into a queue of `queue_bytes`."""
    if peer_queue_pieces >= PEER_QUEUE_PIECES_MAX:
        return False
    if peer_queue_pieces < PEER_QUEUE_PIECES_FREE:
        return True
    return queue_bytes <= QUEUE_BYTES_FREE + QUEUE_S_MAX * upload_bytes_per_s
