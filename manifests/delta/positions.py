"""Where a new piece that resembles nothing would have been in the old release, by its neighbours that do.

Tables of addresses (relocations, unwind tables) change in every entry when code moves, so no 16 bytes of them are the
same, and yet a patch against the old table is a tenth of the new one (measured on duckdb: 6 % of the whole pack).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


class Positions:
    """`new`, `old`: where each piece starts in its release's stream, one more than there are pieces. `alike`: pairs of
    a new piece and the old one that it is, or resembles most; ascending by the new one.
    """

    def __init__(self, new: Sequence[int], old: Sequence[int], alike: Sequence[tuple[int, int]]) -> None:
        self._new = new
        self._old = old
        self._alike = alike

    def around(self, piece: int, bytes_max: int) -> tuple[int, ...]:
        """Old pieces, nearest first, of at most `bytes_max` bytes together."""
        middle = self._expected(piece) + (self._new[piece + 1] - self._new[piece]) // 2
        count, left = len(self._old) - 1, bytes_max
        right = min(max(bisect_left(self._old, middle, 0, count + 1) - 1, 0), count)
        before, found = right - 1, []
        while before >= 0 or right < count:
            take_right = before < 0 or (right < count and self._gap(right, middle) <= self._gap(before, middle))
            nearest, right, before = (right, right + 1, before) if take_right else (before, right, before - 1)
            left -= self._old[nearest + 1] - self._old[nearest]
            if left < 0:
                break
            found.append(nearest)
        return tuple(found)

    def place(self, piece: int) -> tuple[int, int] | None:
        """The old piece in which it would begin, and where in that; None where there is none."""
        expected = self._expected(piece)
        if not 0 <= expected < self._old[-1]:
            return None
        number = bisect_right(self._old, expected) - 1
        return number, expected - self._old[number]

    def _gap(self, piece: int, middle: int) -> int:
        return max(self._old[piece] - middle, middle - self._old[piece + 1], 0)

    def _expected(self, piece: int) -> int:
        """Where in the old stream the piece would start."""
        after = bisect_left(self._alike, (piece, 0))
        near = min(self._alike[max(after - 1, 0) : after + 1], key=lambda pair: abs(pair[0] - piece), default=None)
        if near is None:
            return self._new[piece]
        return self._old[near[1]] + self._new[piece] - self._new[near[0]]
