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
SENDS_MIN: Final = 4
SENDS_MAX: Final = 8
"""Peers at once, half of those that we send to. With one the uplink rests whenever that peer's downlink is shared; with
16 a piece takes 16 times as long, and so does its whole way through the swarm. The more peers there are, the more often
all of a few have downlinks that others fill already: with four of 15, uplinks stood at 81 % while everybody had pieces
to send, with eight at 88 (S2 of `benchmarks.swarm`: 1.20 to 1.23 x the bound instead of 1.32). And with more
than half of them there is no choice left: with eight of eight S1 takes 1.18 instead of 1.15, S3 1.30 and not 1.19."""
QUICK_S: Final = 0.8
"""Where a piece takes longer, more at once would only be later: that uplink is narrow (simulated, 16 peers, every
second with a tenth of the others' uplink: 1.25 x the bound without this, 1.18 with it)."""
AGEING: Final = 0.4
"""Whoever waits for so much of what a piece typically takes goes before a piece that one neighbour more holds: or who
is behind, and so asks only for what all others hold, would be served last for ever (S3 of `benchmarks.swarm`: 1.32 x
the bound instead of 1.10). 0.1 s for everybody was too long for fast uplinks, and 0.03 s too short for slow ones."""
AGEING_S: Final = 0.1
"""The same, before it is known how long a piece takes."""
BEHIND: Final = 50.0
"""Who lacks a fiftieth of all pieces more than another is served as if its piece had one holder less: who is behind
asks for what all others hold, and else would end last. A connection may be slow for reasons that nobody at its ends
sees (with minimal round trips of 26 ms and not 0.02 a kernel kept a third as much in its queue for the same link), and
then others must make up for it (S3 of `benchmarks.swarm`: 1.15 to 1.17 x the bound instead of 1.17 to 1.25). Not where
the uplink is narrow: that is for what only we hold (simulated, half of 16 with a twentieth: 1.41 and not 1.34)."""
BEHIND_MAX: Final = 0.1
"""No more counts: who has just come, or says that it lacks all, goes before nobody for long."""
STUCK_S_MIN: Final = 1.0
STUCK_FACTOR: Final = 4.0


def accepts_request(*, peer_queue_pieces: int, queue_bytes: int, piece_bytes: int, upload_bytes_per_s: float) -> bool:
    """True if one more piece for a peer with so many waiting fits into a queue of `queue_bytes`."""
    if peer_queue_pieces >= PEER_QUEUE_PIECES_MAX:
        return False
    return queue_bytes <= QUEUE_PIECES_FREE * piece_bytes + QUEUE_S_MAX * upload_bytes_per_s


def sends_at_once(peers: int, typical_s: float) -> int:
    """To how many to send at once, of so many that are sent to, where a piece typically takes `typical_s`."""
    return max(SENDS_MIN, min(SENDS_MAX, (peers + 1) // 2)) if typical_s < QUICK_S else SENDS_MIN


def ageing_s(typical_s: float) -> float:
    """For how long to wait weighs as much as one neighbour more that holds a piece; `typical_s`: 0 while unknown."""
    return AGEING * typical_s or AGEING_S


def urgency(behind: float, typical_s: float) -> float:
    """What it weighs to lack this share of all pieces more than others do, in neighbours that hold a piece."""
    return BEHIND * min(behind, BEHIND_MAX) if typical_s < QUICK_S else 0.0


def stuck_after_s(typical_s: float) -> float:
    """A piece that is sent for so long, where one typically takes `typical_s`, goes to somebody who doesn't read: it
    is not counted among those any more, or a few such peers would keep our uplink from all others."""
    return max(STUCK_S_MIN, STUCK_FACTOR * typical_s)
