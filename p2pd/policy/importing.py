"""Who brings a piece over a link that many share: each piece once, and then from each other.

Behind one link (a home's, an office's, a region's to the others) stands a circle of nodes. A piece that none of them
holds is asked for outside by the one to whom it falls by rendezvous hashing; the others wait for that. No message is
needed, and views of who is in the circle may differ a little: then a few pieces come twice. When a node goes, only what
fell to it falls to others, to each a part.

In a circle too large for everybody to know each other, a tracker names a few importers, and pieces fall to these.

Whoever waits in vain goes on to what falls to it in the second place, then in the third: a node that is stuck, paused
or without a way outside delays its pieces, and no more. (No wall: uber/kraken #244, a far zone starved.)
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from xxhash import xxh3_64_intdigest

BUCKETS: Final = 256
"""Pieces fall to nodes by their number modulo this: a table of constant size, and shares within a fifth of each other
for six nodes."""
STEP_S_MIN: Final = 1.0
"""Waiting for so long with nothing asked for, and nothing new in the circle, opens the next place."""
STEP_S_MAX: Final = 10.0
STEP_GAPS: Final = 3.0
"""And for so many times as long as it usually is between two pieces that are new in the circle: behind a slow link the
wait for a large piece is no sign of anything."""
OPEN_S: Final = 10.0
"""A place stays open for so long: who is stuck now is mostly stuck a while."""
IMPORTERS_MAX: Final = 8
"""Named by a tracker for one swarm of one region, where it has more members: enough to fill a link between regions from
hosts of a tenth of its rate, and few enough that all know each other."""
COPIES: Final = 1.2
"""Of a release, that may come over a link unless an operator says otherwise. The first is needed; the rest is for what
comes twice when places open."""
IMPORTERS_TRIED: Final = 3
"""Places that who is no importer waits for, however many there are: then they bring nothing that reaches us."""
CONNECT_S: Final = 2.0
"""An importer that we are not connected to counts for so long after it was named: it is being dialled."""


@lru_cache(maxsize=4_096)
def weights(node: str) -> tuple[int, ...]:
    """Of a node for each bucket; the highest of a circle gets it."""
    name = node.encode()
    return tuple(xxh3_64_intdigest(name, seed=bucket) for bucket in range(BUCKETS))


def places(own: str, others: Iterable[str]) -> list[int]:
    """For each bucket, how many of the others it falls to before it falls to us."""
    mine, theirs = weights(own), [weights(other) for other in others]
    return [sum(one[bucket] > weight for one in theirs) for bucket, weight in enumerate(mine)]


def pieces_of(open_buckets: Sequence[bool], pieces: int) -> int:
    """The set of a release's pieces that are in these buckets."""
    pattern = sum(1 << bucket for bucket, is_open in enumerate(open_buckets) if is_open)
    repeats = -(-pieces // BUCKETS)
    whole = int.from_bytes(pattern.to_bytes(BUCKETS // 8, "little") * repeats, "little")
    return whole & ((1 << pieces) - 1)


def step_s(gap_s: float, *, budget_left: bool) -> float:
    """How long to wait before the next place opens, where pieces usually come `gap_s` apart."""
    return min(STEP_S_MAX, max(STEP_S_MIN, STEP_GAPS * gap_s)) if budget_left else STEP_S_MAX


def own_share(copies: float, pieces: int, importers: int) -> float:
    """How many pieces one of so many importers may bring in that fall to others, by a budget of so many copies."""
    return max(0.0, copies - 1.0) * pieces / importers
