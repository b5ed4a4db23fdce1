"""Base pieces are read once while they are needed, in bounded memory."""

from p2pd.patching.patch import BASE_KEPT_BYTES, BASES_KEPT_BYTES, Kept

SIZE = BASES_KEPT_BYTES // 4


def kept() -> tuple[Kept, list[int]]:
    """Pieces of SIZE bytes, but for 7, which is not to be had; and what was read."""
    asked: list[int] = []

    def read(piece: int) -> bytes | None:
        asked.append(piece)
        return None if piece == 7 else bytes([piece]) * SIZE

    return Kept(read), asked


def test_a_piece_is_read_once_while_it_is_needed_again_and_again() -> None:
    bases, asked = kept()
    for piece in (1, 2, 1, 3, 1, 4, 1, 5, 1):
        assert bases.read(piece) == bytes([piece]) * SIZE
    assert asked == [1, 2, 3, 4, 5]


def test_what_was_needed_longest_ago_is_given_up_for_more() -> None:
    bases, asked = kept()
    for piece in (1, 2, 3, 4, 5, 1):
        bases.read(piece)
    assert asked == [1, 2, 3, 4, 5, 1]


def test_what_is_not_to_be_had_is_looked_for_once() -> None:
    bases, asked = kept()
    assert bases.read(7) is None
    assert bases.read(7) is None
    assert asked == [7]


def test_a_large_one_is_not_kept_and_puts_nothing_out() -> None:
    asked: list[int] = []

    def read(piece: int) -> bytes:
        asked.append(piece)
        return bytes(BASE_KEPT_BYTES + (piece == 9))

    bases = Kept(read)
    for piece in (1, 9, 9, 1):
        bases.read(piece)
    assert asked == [1, 9, 9]
