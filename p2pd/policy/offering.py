"""What an origin shield names to whom: super-seeding, so that it sends no piece twice while another is unsent.

A shield doesn't show its bitfield. It names pieces (`Have`) to each peer, other pieces to each, and watches which of
them its neighbours hold. A piece is due again only when nobody whom the shield knows holds it, or when a peer says that
it misses it and knows nobody who has it (`Want`). Simulated: 1.06 x the bound where a naive source takes 1.22 x.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from p2pd.wire import bits

OFFERS_MIN: Final = 4
"""Pieces named to a peer and not yet asked for: enough to cover a round trip at the start."""
OFFERS_MAX: Final = 64
WANTED_MAX: Final = 8
"""Named in answer to one `Want`; the peer asks again."""
OFFER_WINDOW_S: Final = 0.5
"""Named ahead: half a second of what the peer takes; more would leave unsent pieces with slow peers."""


def offers_wanted(pending: int, rate_bytes_per_s: float, piece_bytes: float) -> int:
    """How many more pieces to name to a peer that has `pending` of them named and not yet received."""
    ahead = int(OFFER_WINDOW_S * rate_bytes_per_s / piece_bytes) if piece_bytes else 0
    return max(0, min(OFFERS_MAX, OFFERS_MIN + ahead) - pending)


def choose_offers(count: int, lacking: int, named: int, held: int) -> list[int]:
    """Up to `count` pieces to name to a peer that lacks the set `lacking`.

    `named`: pieces named to anyone and still on their way. `held`: pieces that some neighbour holds.
    In index order, which keeps the shield's reads sequential; neighbours get different pieces because a named one is
    not due for anybody else.
    """
    due = lacking & ~named & ~held
    chosen: list[int] = []
    while due and len(chosen) < count:
        low = due & -due
        chosen.append(low.bit_length() - 1)
        due ^= low
    return chosen


class Order:
    """In which order pieces go out that nobody was named yet.

    Small ones first, then ever larger ones, then ever smaller ones. A piece goes on when it is whole: while they are
    small all peers soon have something to pass on, and the last one is soon everywhere. And a peer that was named large
    ones has more to send than others, for which they wait while it rests: with sizes that differ by 10 and come as it
    happens a swarm loses 4 % of its time, with neighbours of one size nothing (`docs/policy.md`). Pieces of one size go
    out by number, which keeps reads sequential.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        by_size = sorted(range(len(lengths)), key=lengths.__getitem__)
        alike = len(by_size) < 3 or lengths[by_size[1]] == lengths[by_size[-1]]  # the last is what was left
        self._pieces = sorted(by_size) if alike else by_size[::2] + by_size[1::2][::-1]
        self._first = 0

    def __repr__(self) -> str:
        return f"<Order: {self._first} of {len(self._pieces)} given>"

    def choose(self, count: int, due: int, given: int) -> list[int]:
        """Up to `count` of the set `due`, of which none is in the set `given`; that one only grows."""
        pieces, first = self._pieces, self._first
        while first < len(pieces) and given >> pieces[first] & 1:
            first += 1
        self._first = first
        return list(islice((piece for piece in islice(pieces, first, None) if due >> piece & 1), count)) if due else []


def answer_want(wanted: Sequence[int], have: int, named: int) -> list[int]:
    """Which of the pieces that a peer finds nowhere to name to it: a few that are not on their way to somebody.

    Those will be told of by whoever gets them; and a peer that asks for much at once has only not heard the news yet.
    """
    due = (piece for piece in wanted if have >> piece & 1 and not named >> piece & 1)
    return list(islice(due, WANTED_MAX))


def count_lacking(have: int, theirs: int) -> int:
    """How many of our pieces a peer lacks."""
    return (have & ~theirs).bit_count()


__all__ = ["answer_want", "bits", "choose_offers", "count_lacking", "offers_wanted"]
