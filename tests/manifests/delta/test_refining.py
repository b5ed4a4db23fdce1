"""Covers moved to where least changes: of tables above all, whose rows are like each other."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from manifests.delta import codecs
from manifests.delta.patches import Cover
from manifests.delta.refining import refined
from manifests.delta.sharing import patch_of
from tests.manifests.delta.makings import noise

ROW = 24


def relocations(moved: int) -> bytes:
    """A table as ELF has it: where, what kind, and an address; all of them moved by so many bytes."""
    rng, rows = Random(1), []
    for number in range(2000):
        fields = (0x4000 + 8 * number + moved, 8, rng.randrange(0x1000, 0x300000) + moved)
        rows.append(b"".join(field.to_bytes(8, "little") for field in fields))
    return b"".join(rows)


OLD, NEW = relocations(0), relocations(0x1150)


def test_rows_are_patched_from_their_own_and_not_from_others_like_them() -> None:
    first = 100 * ROW
    covers = [Cover(0, 0, first), Cover(first, first - 5 * ROW, len(NEW) - first)]
    assert refined(covers, NEW, OLD) == [Cover(0, 0, len(NEW))]


def test_what_is_alike_stays_where_it_is() -> None:
    piece = OLD[ROW:] + noise(2, 100)
    covers = [Cover(0, ROW, 4000), Cover(4000, 4000 + ROW, len(OLD) - ROW - 4000)]
    assert refined(covers, piece, OLD) == [Cover(0, ROW, len(OLD) - ROW)]
    assert refined([], piece, OLD) == []


@given(st.data())
def test_the_same_bytes_are_covered_within_the_base(data: st.DataObject) -> None:
    base = data.draw(st.binary(min_size=400, max_size=2000))
    piece = data.draw(st.binary(max_size=2000))
    covers, at = [], 0
    while at < len(piece):
        at += data.draw(st.integers(0, 40))
        length = min(data.draw(st.integers(1, 400)), len(base), len(piece) - at)
        if length > 0:
            covers.append(Cover(at, data.draw(st.integers(0, len(base) - length)), length))
            at += length
    moved = refined(covers, piece, base)
    assert _covered(moved) == _covered(covers)
    assert all(0 <= one.old <= len(base) - one.length for one in moved)
    assert codecs.apply(base, patch_of(moved, piece, base), len(piece)) == piece


def _covered(covers: list[Cover]) -> set[int]:
    return {at for one in covers for at in range(one.new, one.new + one.length)}
