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
