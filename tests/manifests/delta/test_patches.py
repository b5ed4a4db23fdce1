"""Patches read, written and taken apart: whatever is left out of one, it makes its piece."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.delta import codecs, patches
from manifests.delta.limits import BASES_MAX
from manifests.delta.patches import Cover
from manifests.delta.sharing import USED_MIN, patch_of, share_out
from manifests.errors import MalformedPackError
from tests.manifests.delta.makings import noise

BASE = noise(1, 60_000)
WIDE = 2**24
"""Beyond what a piece and its bases may have."""


def edited(data: bytes, seed: int) -> bytes:
    """With single bytes, and short runs of them, changed."""
    rng, changed = Random(seed), bytearray(data)
    for _ in range(len(data) // 500):
        at = rng.randrange(len(data))
        changed[at : at + rng.randrange(1, 4)] = b"?"
    return bytes(changed)


@st.composite
def chains(draw: st.DrawFn) -> list[Cover]:
    """Covers in order, anywhere in a base, with gaps and without."""
    found, new = [], 0
    for _ in range(draw(st.integers(0, 8))):
        new += draw(st.integers(0, WIDE))
        found.append(Cover(new, draw(st.integers(0, WIDE)), draw(st.integers(1, WIDE))))
        new += found[-1].length
    return found


@given(chains())
def test_covers_are_read_as_they_were_written(covers: list[Cover]) -> None:
    assert patches.covers(patches.joined(WIDE, WIDE, covers, b"", b"", b"")) == covers


@pytest.mark.parametrize(
    ("step", "length"), [(0, 1), (63, 1), (64, 2), (127, 2), (128, 2), (8191, 2), (8192, 3), (2**20 - 1, 3), (2**20, 4)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_step_takes_as_few_bytes_as_it_can(step: int, length: int, sign: int) -> None:
    there = 2**21
    covers = [Cover(0, there - 1, 1), Cover(1, there + sign * step, 1)]
    shortest = len(patches.joined(9, WIDE, [covers[0], Cover(1, there, 1)], b"", b"", b""))
    patch = patches.joined(9, WIDE, covers, b"", b"", b"")
    assert len(patch) == shortest - 1 + length
    assert patches.covers(patch) == covers


def test_covers_of_a_found_patch_are_those_that_hdiffpatch_applies() -> None:
    piece = edited(BASE[40_000:] + noise(2, 700) + BASE[:30_000], 1)
    patch = codecs.diff(BASE, piece)
    covers = patches.covers(patch)
    assert sum(cover.length for cover in covers) > 49_000
    assert codecs.apply(BASE, patch_of(covers, piece, BASE), len(piece)) == piece


@given(st.data())
def test_a_patch_makes_its_piece_whatever_its_covers(data: st.DataObject) -> None:
    base = data.draw(st.binary(min_size=1, max_size=200))
    piece = data.draw(st.binary(max_size=300) | st.integers(0, 9).map(lambda shift: (base + base)[shift:]))
    covers, at = [], 0
    while at < len(piece):
        at += data.draw(st.integers(0, 40))
        length = min(data.draw(st.integers(1, 100)), len(base), len(piece) - at)
        if length > 0:
            covers.append(Cover(at, data.draw(st.integers(0, len(base) - length)), length))
            at += length
    assert codecs.apply(base, patch_of(covers, piece, base), len(piece)) == piece


def test_a_patch_of_long_runs_makes_its_piece() -> None:
    base = bytes(2**20)
    piece = bytes(70_000) + bytes([7]) * 600_000 + bytes(2**20 - 670_000)
    assert codecs.apply(base, patch_of([Cover(0, 0, 2**20)], piece, base), 2**20) == piece


def test_a_written_patch_is_as_long_as_the_library_s_within_a_hundredth() -> None:
    piece = edited(BASE, 2)
    patch = codecs.diff(BASE, piece)
    assert len(patch_of(patches.covers(patch), piece, BASE)) <= 1.01 * len(patch)


def test_joined_pieces_are_each_made_from_the_bases_that_they_need() -> None:
    bases = [noise(seed, 20_000) for seed in range(4)]
    pieces = [edited(bases[3], 3), edited(bases[1][5_000:] + bases[2][:5_000], 4)]
    covers = patches.covers(codecs.diff(b"".join(bases), b"".join(pieces)))
    shares = share_out(covers, [20_000, 20_000], [20_000] * 4, 10**6)
    assert [chosen for chosen, _ in shares] == [(3,), (1, 2)]
    for piece, (chosen, own) in zip(pieces, shares, strict=True):
        base = b"".join(bases[place] for place in chosen)
        assert codecs.apply(base, patch_of(own, piece, base), len(piece)) == piece


def test_a_cover_over_two_bases_stays_one_where_both_are_kept() -> None:
    assert share_out([Cover(0, 5_000, 10_000)], [10_000], [10_000, 10_000], 10**6) == [
        ((0, 1), [Cover(0, 5_000, 10_000)])
    ]


def test_a_base_that_is_hardly_used_is_left_out() -> None:
    covers = [Cover(0, 0, 9_000), Cover(9_000, 10_000, USED_MIN - 1), Cover(10_100, 21_000, USED_MIN)]
    ((chosen, own),) = share_out(covers, [20_000], [10_000, 10_000, 10_000], 10**6)
    assert chosen == (0, 2)
    assert own == [covers[0], Cover(10_100, 11_000, USED_MIN)]


@pytest.mark.parametrize(("bytes_max", "expected"), [(25_000, (1, 2)), (15_000, (2,)), (9_000, ())])
def test_the_most_used_bases_are_taken_while_they_fit(bytes_max: int, expected: tuple[int, ...]) -> None:
    covers = [Cover(0, 0, 2_000), Cover(2_000, 10_000, 3_000), Cover(5_000, 20_000, 4_000)]
    ((chosen, _),) = share_out(covers, [20_000], [10_000] * 3, bytes_max)
    assert chosen == expected


def test_no_piece_is_made_from_more_bases_than_allowed() -> None:
    count, size = BASES_MAX + 9, 2 * USED_MIN
    covers = [Cover(place * size, place * size, size) for place in range(count)]
    ((chosen, _),) = share_out(covers, [count * size], [size] * count, 10**9)
    assert len(chosen) == BASES_MAX


@pytest.mark.parametrize("damage", [b"", b"HDIFF13&zstd", b"HDIFF13&\0" + b"\xff" * 30])
def test_what_is_no_patch_is_malformed(damage: bytes) -> None:
    with pytest.raises(MalformedPackError):
        patches.check(damage, 10, 10)
