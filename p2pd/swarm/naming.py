"""The shield's half of the brain: super-seeding. Which pieces to name to whom, see `policy/offering.py`.

named       we named it to a peer that we don't know to hold it yet: it is on its way
unspread    we named it to a peer and have not seen it at another: its further way is that peer's uplink
"""

from itertools import islice
from typing import Final

from p2pd.policy.offering import OFFERS_MIN, WANTED_MAX, Order, answer_want, choose_offers, offers_wanted
from p2pd.wire import bits as bitset
from p2pd.wire.messages import HAVES_MAX, Have, Lost

from .actions import Send
from .books import Books
from .peerview import PeerView
from .spreading import Spreading

NAMED_S_MAX: Final = 10.0
"""A piece sent to a peer that still lacks it after this may be named to another."""
QUEUED_S_MAX: Final = 60.0
"""And one that it asked for and that waits for our uplink: large pieces for many peers take their time."""

WANTED_S: Final = 2.0
"""After this it is named to a peer that asks for it."""

SPARE_SHARE: Final = 0.1
"""Of all pieces: so many may leave us again, while our uplink would rest: because who has them is slow, or because all
have left once and somebody is behind."""
BEHIND_PEERS: Final = 4
"""So many of those who are behind are named what has left before, when all has left once."""
AGAIN_MAX: Final = 16
"""Of that named to one of them: it asks for those that are not on their way to it from others."""
AGAIN_S: Final = 0.25
"""What it does not ask for in this time it gets from others, and need not tell us of."""
KEPT_MAX: Final = 2
"""Who should have passed on so many pieces and has not, is named no more meanwhile."""
ASLEEP_S: Final = 3.0
"""A peer that asks for nothing of what it was named for so long keeps it from others: paused, stuck, or hostile."""


class Naming:
    """Names pieces to peers. `named`: the set of pieces on their way to somebody."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._piece_bytes = sum(books.lengths) / len(books.lengths) if books.lengths else 1.0
        self.named = self._given = self._left = 0
        self._order = Order(books.lengths)
        self._spreading = Spreading(books.lengths)
        self._spare = round(SPARE_SHARE * len(books.lengths))

    def offer(self, peer: PeerView, now: float) -> None:
        """Name as many more pieces to `peer` as it can use and pass on soon."""
        if peer.asleep or self._spreading.kept(peer, now) >= KEPT_MAX:
            return
        rate = self._spreading.rate_per_s(peer, now)
        self._offer(peer, offers_wanted(peer.unspread, rate, self._piece_bytes), now)

    def _offer(self, peer: PeerView, count: int, now: float) -> None:
        if count <= 0:
            return
        lacking, held = self._books.present & ~peer.bits, self._books.by_peers.held
        again = choose_offers(count, lacking & self._given, self.named, held)
        fresh = lacking & ~self._given & ~held
        self._name(peer, again + self._order.choose(count - len(again), fresh, self._given), now)

    def _would_rest(self, now: float) -> bool:
        """Nobody waits for our uplink, or only those who are slow to take what they asked for."""
        peers = self._books.peers.values()
        waiting = (peer for peer in peers if any(map(self._spreading.giver, peer.named_unsent)))
        return all(self._is_slow(peer, now) for peer in waiting)

    def _offer_when_idle(self, now: float) -> None:
        """Better a slow peer gets more to pass on than our uplink rests, or a fast one what a slow one keeps."""
        if not self._would_rest(now):
            return
        awake = [one for one in self._books.peers.values() if not one.asleep]
        if not awake:
            return
        if self._books.present & ~self.named & ~self._books.by_peers.held:
            self._offer(min(awake, key=lambda one: one.unspread), OFFERS_MIN, now)
            return
        self._offer_slow(awake, now)
        if self._spare > 0 and not self._books.present & ~self._left:
            self._offer_again(awake, now)

    def _is_slow(self, peer: PeerView, now: float) -> bool:
        """It takes what we have for it much later than is usual."""
        return any(self._spreading.is_slow(piece, now) for piece in peer.named_unsent)

    def _offer_slow(self, awake: list[PeerView], now: float) -> None:
        """Of what slow peers keep, to who passes most on."""
        for piece, giver in list(islice(self._spreading.slow(now), max(0, min(OFFERS_MIN, self._spare)))):
            lacking = [one for one in awake if one is not giver and not one.bits >> piece & 1]
            if lacking:
                self._name(max(lacking, key=self._spreading.peak_per_s), [piece], now)

    def _offer_again(self, awake: list[PeerView], now: float) -> None:
        """Whatever they lack, to those who are behind, as long as it can be spared."""
        for one in awake:
            self._take_back_unasked(one, now)
        spare = self._spare - sum(len(one.named_unsent) for one in self._books.peers.values())
        lacking = [(self._books.present & ~(one.bits | one.sent), one) for one in awake if not _waits(one)]
        lacking.sort(key=lambda pair: pair[0].bit_count(), reverse=True)
        for lacks, peer in lacking[:BEHIND_PEERS]:
            pieces = choose_offers(min(AGAIN_MAX - len(peer.named_unsent), spare), lacks, self.named, 0)
            spare -= len(pieces)
            self._name(peer, pieces, now)

    def _take_back_unasked(self, peer: PeerView, now: float) -> None:
        """Take back what it does not ask for, and do not name it again: others have room for as much."""
        in_vain = sorted(piece for piece in peer.named_unasked if now - peer.named.get(piece, now) > AGAIN_S)
        self._unname(peer, in_vain)
        peer.sent |= bitset.of(in_vain)

    def want(self, peer: PeerView, pieces: tuple[int, ...], now: float) -> None:
        """`peer` finds these nowhere: name those that we have."""
        peer.asleep = False
        late = sum(1 << piece for piece in set(pieces) if self._is_late(piece, now))
        due = answer_want(pieces, self._books.present, self.named & ~late)
        first = [piece for piece in due if not (self._given | self._books.by_peers.held) >> piece & 1]
        kept_back = first[self._first_wanted(peer) :]
        due = [piece for piece in due if piece not in kept_back]
        # Wanting without asking must not keep more and more of them from the others.
        self._name(peer, due[: max(0, WANTED_MAX - len(peer.named_unasked))], now)

    def _first_wanted(self, peer: PeerView) -> int:
        """How many pieces that nobody was named yet `peer` may have for the asking. The others come in their turn, to
        those who pass them on, if our uplink is busy."""
        if not any(_waits(other) for other in self._books.peers.values()):
            return WANTED_MAX
        return max(0, OFFERS_MIN - peer.unspread + (0 if _waits(peer) else len(peer.named_unasked)))

    def _is_late(self, piece: int, now: float) -> bool:
        """It was named to somebody who should have it by now."""
        giver = self._spreading.giver(piece)
        if giver is None or self._is_queued(giver, piece):
            return False
        return now - giver.named.get(piece, now) > WANTED_S

    def _is_queued(self, peer: PeerView, piece: int) -> bool:
        """We have not sent it, and `peer` asked for it, or will when it gets what else it asked us for: if it is slow
        to come, that is our own uplink's doing."""
        return piece in peer.named_unsent and (piece not in peer.named_unasked or _waits(peer))

    def asked(self, peer: PeerView, pieces: tuple[int, ...], now: float) -> None:
        """`peer` asks for these: it is awake."""
        peer.named_unasked.difference_update(pieces)
        peer.asked_at, peer.asleep = now, False

    def cancelled(self, peer: PeerView, piece: int) -> None:
        """`peer` takes its request back."""
        if piece in peer.named_unsent:
            peer.named_unasked.add(piece)

    def _name(self, peer: PeerView, pieces: list[int], now: float) -> None:
        if not peer.named_unasked:
            peer.asked_at = now
        peer.named_unasked.update(pieces)
        for piece in pieces:
            self.named |= 1 << piece
            self._given |= 1 << piece
            peer.named[piece] = now
            self._spreading.named(piece, peer, now)
        peer.named_unsent.update(pieces)
        for start in range(0, len(pieces), HAVES_MAX):
            self._books.act(Send(peer.key, Have(0, tuple(pieces[start : start + HAVES_MAX]))))

    def sent(self, peer: PeerView, piece: int, now: float) -> None:
        """A piece went out to `peer`."""
        self._spare -= self._left >> piece & 1
        self._left |= 1 << piece
        peer.sent |= 1 << piece
        if piece in peer.named:
            peer.named[piece] = now
            peer.named_unsent.discard(piece)
            self._spreading.sent(piece, peer, now)
        self.offer(peer, now)
        self._offer_when_idle(now)

    def holds(self, peer: PeerView, pieces: tuple[int, ...], now: float) -> None:
        """`peer` told us that it holds these now."""
        for piece in pieces:
            if peer.named.pop(piece, None) is not None:
                self.named &= ~(1 << piece)
            if (giver := self._spreading.seen(piece, peer, now)) is not None:
                self.offer(giver, now)
        peer.named_unasked.difference_update(pieces)
        peer.named_unsent.difference_update(pieces)
        self.offer(peer, now)

    def forget(self, peer: PeerView) -> None:
        """`peer` is gone: what was on its way to it may be named to another."""
        for piece in peer.named:
            self.named &= ~(1 << piece)
        peer.named.clear()
        self._spreading.forget_peer(peer)

    def tick(self, now: float) -> None:
        """Take back what was named long ago, and name what is due."""
        for peer in self._books.peers.values():
            if peer.named_unasked and now - peer.asked_at > ASLEEP_S and not _waits(peer):
                self._put_to_sleep(peer)
            self._take_back(peer, [piece for piece in peer.named if self._is_overdue(peer, piece, now)])
            self.offer(peer, now)
        self._offer_when_idle(now)

    def _is_overdue(self, peer: PeerView, piece: int, now: float) -> bool:
        limit_s = QUEUED_S_MAX if self._is_queued(peer, piece) else NAMED_S_MAX
        return now - peer.named[piece] > limit_s

    def _put_to_sleep(self, peer: PeerView) -> None:
        """It shall not ask for what others are named now; it can still say that it wants it."""
        self._unname(peer, sorted(peer.named_unasked))
        peer.asleep = True

    def _unname(self, peer: PeerView, pieces: list[int]) -> None:
        """It may not ask for them any more."""
        self._take_back(peer, pieces)
        for start in range(0, len(pieces), HAVES_MAX):
            self._books.act(Send(peer.key, Lost(0, tuple(pieces[start : start + HAVES_MAX]))))

    def _take_back(self, peer: PeerView, pieces: list[int]) -> None:
        for piece in pieces:
            if peer.named.pop(piece, None) is not None:
                self.named &= ~(1 << piece)
        peer.named_unasked.difference_update(pieces)
        peer.named_unsent.difference_update(pieces)


def _waits(peer: PeerView) -> bool:
    """It asked us for something that we have not sent."""
    return len(peer.named_unsent) > len(peer.named_unasked)
