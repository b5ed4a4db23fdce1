"""What the neighbours have yet to be told: pieces that are new here."""

from itertools import compress
from math import inf

from p2pd.policy.telling import tell_after_s
from p2pd.wire import bits as bitset
from p2pd.wire.messages import HAVES_MAX, Have

from .actions import Send
from .books import Books


class Telling:
    """Gathers pieces, and tells each neighbour of those that it is not known to hold. `due_at`: when to `tell`."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._untold: list[int] = []
        self._since = 0.0
        self.due_at = inf

    def __repr__(self) -> str:
        return f"<Telling {len(self._untold)} pieces at {self.due_at:.3f}>"

    def stored(self, piece: int, now: float) -> None:
        """A piece is here that was not."""
        if not self._untold:
            self._since = now
        self._untold.append(piece)
        self.due_at = self._since + tell_after_s(
            untold=len(self._untold),
            held=self._books.present.bit_count(),
            pieces=len(self._books.lengths),
            neighbours=len(self._books.peers),
        )

    def tell(self) -> None:
        """Say it all."""
        told = [piece for piece in self._untold if self._books.present >> piece & 1]
        self._untold, self.due_at = [], inf
        if not told:
            return
        told_bits, short, act = bitset.named(tuple(told)), len(told) <= HAVES_MAX, self._books.act
        width = (told_bits.bit_length() + 7) >> 3
        to_most = Have(0, tuple(told[:HAVES_MAX]))
        for peer in self._books.peers.values():
            known = peer.bits & told_bits
            if short and not known:
                act(Send(peer.key, to_most))
            elif known != told_bits:
                octets = known.to_bytes(width, "little")  # a shift of the set for each piece would copy it each time
                lacking = [not octets[piece >> 3] >> (piece & 7) & 1 for piece in told]
                news = tuple(compress(told, lacking))
                for start in range(0, len(news), HAVES_MAX):
                    act(Send(peer.key, Have(0, news[start : start + HAVES_MAX])))
