"""How many neighbours hold each piece, and which pieces at least one of them holds."""

from p2pd.wire import bits as bitset


class Availability:
    """Counts of one group of neighbours. `counts[i]`: how many hold piece i; `held`: the set with a count above 0."""

    def __init__(self, pieces: int) -> None:
        self.counts = [0] * pieces
        self.held = 0

    def add(self, pieces: int) -> None:
        """A neighbour turns out to hold this set (none of it counted for it before)."""
        counts = self.counts
        for piece in bitset.iterate(pieces):
            counts[piece] += 1
        self.held |= pieces

    def add_named(self, pieces: tuple[int, ...], as_set: int) -> None:
        """The same for pieces that are named one by one, each once."""
        counts = self.counts
        for piece in pieces:
            counts[piece] += 1
        self.held |= as_set

    def remove(self, pieces: int) -> None:
        """A neighbour that was counted for this set is gone or lost it."""
        counts, gone = self.counts, 0
        for piece in bitset.iterate(pieces):
            counts[piece] -= 1
            if not counts[piece]:
                gone |= 1 << piece
        self.held &= ~gone

    def __repr__(self) -> str:
        return f"<Availability {self.held.bit_count()} of {len(self.counts)} pieces held>"
