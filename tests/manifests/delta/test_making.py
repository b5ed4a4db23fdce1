"""Packs make their release, are small, and do not mind where things lie."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.chunker import PROFILES
from manifests.delta.applying import DAMAGED, NO_BASE
from manifests.delta.limits import BASES_MAX, base_bytes_max
from manifests.delta.making import TOGETHER_BYTES, neighbours
from manifests.delta.matching import Match, missing
from manifests.delta.pack import RAW, XZ, ZSTD_BASES
from tests.manifests.delta.makings import SMALL, Made, make, noise, release, text

OLD = text(1, 60_000)


def edited(data: bytes, every: int) -> bytes:
    """The same with a byte changed here and there, so that no chunk stays as it was."""
    changed = bytearray(data)
    for place in range(every // 2, len(data), every):
        changed[place] ^= 1
    return bytes(changed)


def pieces(made: Made) -> dict[int, bytes]:
    """What comes out, by piece; all must come out."""
    found = {applied.piece: applied.data for applied in made.apply()}
    assert None not in found.values()
    return {piece: data for piece, data in found.items() if data is not None}


@pytest.mark.parametrize("new", [edited(OLD, 900), OLD[100_000:] + OLD[:100_000], noise(2, 50_000), text(3, 9000)])
def test_a_pack_makes_just_the_pieces_that_its_base_lacks(new: bytes) -> None:
    made = make(new, OLD)
    assert sorted(pieces(made)) == missing(made.release.manifest, made.base.manifest if made.base else None)
    assert all(data == made.release.read(piece) for piece, data in pieces(made).items())


def test_a_pack_without_a_base_makes_all_pieces() -> None:
    made = make(OLD + noise(1, 30_000), None)
    assert sorted(pieces(made)) == list(range(made.release.manifest.pieces))


def test_a_pack_without_a_base_is_about_as_small_as_the_compressed_release() -> None:
    assert make(OLD, None).size < 0.5 * len(OLD)


def test_scattered_changes_cost_little() -> None:
    made = make(edited(OLD, 900), OLD)
    assert made.index.where
    assert made.size < len(OLD) / 100


def test_scattered_changes_are_mostly_patches() -> None:
    made = make(edited(OLD, 900), OLD)
    items = [item for frames in made.index.bundles for frame in frames for item in frame.items]
    assert sum(item.patch > 0 for item in items) > len(items) / 2


def test_what_is_searched_together_is_bounded() -> None:
    profile = PROFILES["device"]
    new, old = (release(noise(seed, 9_000_000), profile).manifest for seed in (1, 2))
    matches = [Match(piece, tuple(range(piece // 2, piece // 2 + 6))) for piece in range(min(new.pieces, old.pieces))]
    runs = list(neighbours(matches, new, old))
    assert [match for run in runs for match in run] == matches
    for run in runs:
        assert sum(new.lengths[match.piece] for match in run) <= TOGETHER_BYTES
        assert sum(old.lengths[base] for base in {base for match in run for base in match.bases}) <= TOGETHER_BYTES
    assert max(map(len, runs)) > 4


def test_a_piece_larger_than_what_is_searched_together_is_alone() -> None:
    new = release(bytes(2**25), PROFILES["bulk"]).manifest
    assert min(new.lengths) > TOGETHER_BYTES
    assert [len(run) for run in neighbours([Match(0), Match(1)], new, new)] == [1, 1]


def test_bases_are_found_wherever_they_lie() -> None:
    parts = [edited(OLD, 900)[start : start + 40_000] for start in range(0, len(OLD), 40_000)]
    assert make(b"".join(reversed(parts)), OLD).size < len(OLD) / 30


def test_a_table_in_which_every_entry_changed_is_patched_by_its_place() -> None:
    def table(shift: int) -> bytes:
        return b"".join((number * 37 % 4093 + shift).to_bytes(4, "little") for number in range(20_000))

    old, new = (text(5, 20_000) + table(shift) + text(6, 20_000) for shift in (1_000_000, 1_000_777))
    assert make(new, old).size < 0.1 * len(make(table(1_000_777), None).bundles[0]) + 4096


def test_what_is_compressed_already_is_not_compressed_again() -> None:
    made = make(noise(4, 60_000), noise(5, 60_000))
    assert {frame.codec for frames in made.index.bundles for frame in frames} == {RAW}


def test_bases_stay_within_their_limits() -> None:
    made = make(edited(OLD, 300), OLD)
    assert made.base
    for frames in made.index.bundles:
        for item in (item for frame in frames for item in frame.items):
            assert len(item.bases) <= BASES_MAX
            assert sum(made.base.manifest.lengths[base] for base in item.bases) <= base_bytes_max(SMALL)


def test_a_pack_is_the_same_whenever_it_is_made() -> None:
    first, second = make(edited(OLD, 900), OLD), make(edited(OLD, 900), OLD)
    assert (first.index, first.bundles) == (second.index, second.bundles)


def test_equal_releases_need_no_bundle() -> None:
    assert make(OLD, OLD).bundles == []


def test_a_missing_base_costs_only_the_pieces_that_are_made_from_it() -> None:
    made = make(edited(OLD, 900) + text(7, 9000), OLD)
    assert made.base
    read = made.base.read
    applied = made.apply(lambda piece: None if piece == 7 else read(piece))
    lost = {one.piece for one in applied if one.why == NO_BASE}
    using = {i.piece for frames in made.index.bundles for f in frames for i in f.items if 7 in i.bases}
    assert lost == using
    assert 0 < len(lost) < len(applied)


def test_a_damaged_base_is_damage_of_that_piece_alone() -> None:
    made = make(edited(OLD, 900), OLD)
    assert made.base
    read = made.base.read
    applied = made.apply(lambda piece: bytes(len(read(piece))) if piece == 7 else read(piece))
    assert 0 < sum(one.why == DAMAGED for one in applied) < len(applied)


@settings(max_examples=60)
@given(st.data())
def test_damaged_bundles_give_right_pieces_or_none(data: st.DataObject) -> None:
    made = make(edited(OLD[:60_000], 900) + text(9, 3000), OLD[:60_000])
    assert {XZ, ZSTD_BASES} & {frame.codec for frames in made.index.bundles for frame in frames}
    bundle = bytearray(made.bundles[0])
    for _ in range(data.draw(st.integers(1, 5))):
        bundle[data.draw(st.integers(0, len(bundle) - 1))] ^= data.draw(st.integers(1, 255))
    made.bundles[0] = bytes(bundle[: data.draw(st.integers(0, len(bundle)))])
    for applied in made.apply():
        assert applied.data == (None if applied.why else made.release.read(applied.piece))


def test_a_piece_of_phrases_takes_its_bases_as_dictionary() -> None:
    rng = Random(8)
    phrases = [OLD[at : at + rng.randrange(12, 20)] for at in range(0, 12_000, 20)]
    new = b"".join(rng.choice(phrases) for _ in range(1500))
    made = make(new, OLD)
    assert ZSTD_BASES in {frame.codec for frames in made.index.bundles for frame in frames}
    assert b"".join(data for _, data in sorted(pieces(made).items())) == new


def test_a_few_copies_in_what_is_compressed_already_are_found() -> None:
    old, new = noise(6, 200_000), noise(7, 200_000)
    mixed = b"".join(new[at : at + 9800] + old[at : at + 200] for at in range(0, 200_000, 10_000))
    assert make(mixed, old, PROFILES["device"]).size < 0.99 * len(mixed)
