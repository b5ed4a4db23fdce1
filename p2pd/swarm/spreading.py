"""Where the pieces are that a shield gave away: each on its way to one peer, or in its hands until another has it too.

Both take a usual time. What takes much longer is with somebody slow, and may be given to another if our uplink would
rest otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from p2pd.policy.pacing import Rate

from .peerview import PeerView

SLOW_S_MIN: Final = 0.25
SLOW_FACTOR: Final = 1.5
OUTLIER_FACTOR: Final = 4.0
"""A longer time counts as so many times the usual one: else one slow peer would make slowness usual."""
WEIGHT: Final = 0.1


class Usual:
    """How long something takes usually."""

    def __init__(self) -> None:
        self._s = 0.0

    def add(self, took_s: float) -> None:
        """Once more."""
        usual_s = self._s or took_s
        self._s = usual_s + WEIGHT * (min(took_s, OUTLIER_FACTOR * usual_s) - usual_s)

    @property
    def slow_s(self) -> float:
        """From here on it is slow; never while nothing is known."""
        return max(SLOW_S_MIN, SLOW_FACTOR * self._s) if self._s else inf


@dataclass(slots=True)
class _Gift:
    peer: PeerView
    since: float
    sent: bool = False


class Spreading:
    """`PeerView.unspread` is kept here."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._lengths = lengths
        self._gifts: dict[int, _Gift] = {}
        self._of: dict[str, dict[int, _Gift]] = {}
        """The same by peer."""
        self._rates: dict[str, Rate] = {}
        self._sending, self._passing_on = Usual(), Usual()

    def __repr__(self) -> str:
        return f"<Spreading {len(self._gifts)} pieces>"

    def named(self, piece: int, peer: PeerView, now: float) -> None:
        """This piece is on its way to `peer`, to nobody else."""
        self.forget(piece)
        self._gifts[piece] = self._of.setdefault(peer.key, {})[piece] = _Gift(peer, now)
        peer.unspread += 1

    def sent(self, piece: int, peer: PeerView, now: float) -> None:
        """It is in its hands."""
        gift = self._gifts.get(piece)
        if gift is not None and gift.peer is peer and not gift.sent:
            self._sending.add(now - gift.since)
            gift.since, gift.sent = now, True

    def seen(self, piece: int, at: PeerView, now: float) -> PeerView | None:
        """`at` holds the piece: who has passed it on, if somebody has now."""
        gift = self._gifts.get(piece)
        if gift is None or gift.peer is at:
            return None
        self.forget(piece)
        self._rates.setdefault(gift.peer.key, Rate()).add(self._lengths[piece], now)
        if gift.sent:
            self._passing_on.add(now - gift.since)
        return gift.peer

    def forget(self, piece: int) -> None:
        """It is nobody's any more."""
        gift = self._gifts.pop(piece, None)
        if gift is not None:
            del self._of[gift.peer.key][piece]
            gift.peer.unspread -= 1

    def forget_peer(self, peer: PeerView) -> None:
        """It is gone."""
        for piece in list(self._of.get(peer.key, ())):
            self.forget(piece)
        self._of.pop(peer.key, None)
        self._rates.pop(peer.key, None)

    def rate_per_s(self, peer: PeerView, now: float) -> float:
        """Bytes a second that it passes on."""
        rate = self._rates.get(peer.key)
        return rate.per_s(now) if rate else 0.0

    def peak_per_s(self, peer: PeerView) -> float:
        """The most that it ever passed on."""
        rate = self._rates.get(peer.key)
        return rate.peak_per_s if rate else 0.0

    def giver(self, piece: int) -> PeerView | None:
        """Who is to pass it on."""
        gift = self._gifts.get(piece)
        return gift.peer if gift else None

    def is_slow(self, piece: int, now: float) -> bool:
        """It is with somebody slow."""
        gift = self._gifts.get(piece)
        return gift is not None and self._is_slow(gift, now)

    def kept(self, peer: PeerView, now: float) -> int:
        """How many pieces it should have passed on by now."""
        return sum(self._is_slow(gift, now) for gift in self._of.get(peer.key, {}).values())

    def slow(self, now: float) -> Iterator[tuple[int, PeerView]]:
        """All such pieces, and with whom they are."""
        return ((piece, gift.peer) for piece, gift in self._gifts.items() if self._is_slow(gift, now))

    def _is_slow(self, gift: _Gift, now: float) -> bool:
        return now - gift.since > (self._passing_on if gift.sent else self._sending).slow_s
