"""A small pack is applied from bases that are read by position: each verified once, wherever covers go."""

from collections.abc import Callable

import pytest

from manifests.delta import small
from manifests.delta.applying import DAMAGED, NO_BASE
from manifests.delta.patches import Cover
from manifests.delta.rebuilding import BLOCK_BYTES, BLOCKS_KEPT, READ_BYTES, Rebuilt, apply_small
from manifests.manifest import Profile

from .makings import noise, release

LARGE = Profile("large", 2**20, 2**21, 2**22)
OLD = release(noise(1, 6 * 2**20), LARGE)
BASES = range(OLD.manifest.pieces)
STEP = 500
TO_AND_FRO = [Cover(STEP * at, (at % 2) * 5 * 2**20 + STEP * at, STEP) for at in range(600)]
NEW = release(b"".join(bytes(noise(1, 6 * 2**20)[one.old : one.old + STEP]) for one in TO_AND_FRO), LARGE)


class Lying:
    """Bases that keep count, of which some are not sound, and some change, or go, once they were looked at."""

    def __init__(self, *, unsound: int = -1, then: Callable[[bytes], bytes | None] = lambda data: data) -> None:
        self.asked: list[int] = []
        self.read_bytes: list[int] = []
        self._unsound, self._then = unsound, then

    def sound(self, piece: int) -> bool:
        self.asked.append(piece)
        return piece != self._unsound

    def read(self, piece: int, offset: int, length: int) -> bytes | None:
        data = OLD.read(piece)[offset : offset + length]
        self.read_bytes.append(len(data))
        return self._then(data)


def applied(bases: Lying, covers: list[Cover] = TO_AND_FRO, literals: bytes = b"") -> list[Rebuilt]:
    pieces, made = list(range(NEW.manifest.pieces)), NEW.manifest
    pack = small.decode(small.encode(pieces, list(BASES), covers, [], literals, b""))
    small.check(pack, made, OLD.manifest)
    return list(apply_small(pack, made, OLD.manifest, bases))


def test_covers_to_and_fro_make_the_piece() -> None:
    assert [one.data for one in applied(Lying())] == [NEW.read(piece) for piece in range(NEW.manifest.pieces)]


def test_each_base_is_looked_at_once() -> None:
    bases = Lying()
    applied(bases)
    assert len(bases.asked) == len(set(bases.asked)) > 1


def test_covers_to_and_fro_read_little_more_than_they_take() -> None:
    bases = Lying()
    applied(bases)
    touched = {one.old // BLOCK_BYTES for one in TO_AND_FRO}
    assert sum(bases.read_bytes) <= 2 * len(touched) * BLOCK_BYTES
    assert max(bases.read_bytes) <= BLOCK_BYTES


def test_of_a_long_cover_no_more_is_in_memory_at_once_than_so_much() -> None:
    whole = Cover(0, 0, NEW.manifest.size)
    bases = Lying()
    applied(bases, [whole])
    assert max(bases.read_bytes) <= max(READ_BYTES, BLOCK_BYTES * BLOCKS_KEPT)


def test_a_damaged_base_refuses_what_is_made_of_it() -> None:
    assert [(one.data, one.why) for one in applied(Lying(unsound=0))] == [(None, NO_BASE)]


def test_a_base_that_changes_after_it_was_looked_at_makes_no_wrong_piece() -> None:
    assert {(one.data, one.why) for one in applied(Lying(then=lambda data: bytes(len(data))))} == {(None, DAMAGED)}


@pytest.mark.parametrize("left", [None, b""])
def test_a_base_that_goes_after_it_was_looked_at_is_none(left: bytes | None) -> None:
    assert {(one.data, one.why) for one in applied(Lying(then=lambda data: left))} == {(None, NO_BASE)}


def test_a_dictionary_that_changes_makes_no_wrong_literals() -> None:
    covers = TO_AND_FRO[:-1]
    literals = NEW.read(NEW.manifest.pieces - 1)[-STEP:]
    pack = small.encode([0], list(BASES), covers, [], literals, OLD.read(0))
    made = apply_small(small.decode(pack), NEW.manifest, OLD.manifest, Lying(then=lambda data: bytes(len(data))))
    assert [one.data for one in made] == [None]
