"""A pack of a few kilobytes is one object, of one patch for all of its pieces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.delta import codecs, condensing, index_codec, limits, making, small
from manifests.delta.applying import DAMAGED, NO_BASE
from manifests.delta.condensing import CHANGES_FREE, condense
from manifests.delta.matching import Source, missing
from manifests.delta.outlining import outline
from manifests.delta.pack import XZ, Frame, Item, PackIndex
from manifests.delta.patches import Cover
from manifests.delta.plans import Change
from manifests.delta.rebuilding import Held, Rebuilt, apply_small
from manifests.delta.sharing import patch_of
from manifests.digest import digest_function
from manifests.errors import MalformedPackError

from .makings import noise, release, text

WORDS = text(1, 40_000)
EDITED = WORDS[:50_000] + text(2, 60) + WORDS[50_000:120_000] + b"!" + WORDS[120_400:]
CODE = noise(1, 200_000)


def relinked(code: bytes, step: int) -> bytes:
    """With every so many bytes one changed."""
    changed = bytearray(code)
    changed[5::step] = bytes(byte + 3 & 0xFF for byte in code[5::step])
    return bytes(changed)


RELINKED = relinked(CODE, 900)


@dataclass(frozen=True)
class Condensed:
    """A small pack, and what a pack of the same pieces takes otherwise."""

    base: Source | None
    release: Source
    data: bytes
    plain_bytes: int

    @property
    def pack(self) -> small.SmallPack:
        return small.decode(self.data)

    def apply(self, without: Sequence[int] = ()) -> list[Rebuilt]:
        base = self.base.manifest if self.base else None
        small.check(self.pack, self.release.manifest, base)
        read = self.base.read if self.base else lambda piece: b""
        bases = Held(lambda piece: None if piece in without else read(piece))
        return list(apply_small(self.pack, self.release.manifest, base, bases))


def condensed(old: bytes | None, new: bytes) -> Condensed:
    base, made = None if old is None else release(old), release(new)
    bundles = list[bytes]()
    index = making.make(made, base, bytes(32) if base else b"", bundles.append, threads=1)
    data = condense(index, bundles, made, base)
    assert data is not None
    return Condensed(base, made, data, sum(map(len, bundles)) + len(index_codec.encode(index)))


@pytest.mark.parametrize("old, new", [(WORDS, EDITED), (CODE, RELINKED), (None, text(3, 9000)), (WORDS, CODE[:9000])])
def test_it_makes_what_is_missing(old: bytes | None, new: bytes) -> None:
    done = condensed(old, new)
    made = {applied.piece: applied.data for applied in done.apply()}
    assert sorted(made) == missing(done.release.manifest, done.base.manifest if done.base else None)
    assert all(data == done.release.read(piece) for piece, data in made.items())


@given(st.lists(st.tuples(st.integers(0, 60_000), st.binary(max_size=40), st.integers(0, 40)), max_size=6))
def test_whatever_was_edited_comes_out(changes: list[tuple[int, bytes, int]]) -> None:
    new = CODE[:60_000]
    for at, put, taken in changes:
        new = new[:at] + put + new[at + taken :]
    if new != CODE[:60_000]:
        done = condensed(CODE[:60_000], new or b"!")
        assert all(one.data == done.release.read(one.piece) for one in done.apply())


@pytest.mark.parametrize("old, new, share", [(WORDS, EDITED, 0.55), (CODE, RELINKED, 0.85)])
def test_it_takes_less_than_patches_for_each_piece(old: bytes, new: bytes, share: float) -> None:
    done = condensed(old, new)
    assert len(done.data) <= share * done.plain_bytes


def test_what_is_new_in_a_text_is_made_of_its_words() -> None:
    done = condensed(WORDS, EDITED)
    assert len(done.pack.packed) < 0.75 * done.pack.literal_bytes * 0.5


def test_a_damaged_base_costs_what_is_made_of_it() -> None:
    done = condensed(CODE, RELINKED)
    lost = done.pack.bases[3]
    refused = [one for one in done.apply(without=[lost]) if one.data is None]
    assert 1 <= len(refused) < len(done.pack.pieces) / 2
    assert {one.why for one in refused} == {NO_BASE}
    assert all(one.data in (None, done.release.read(one.piece)) for one in done.apply(without=[lost]))


def test_without_a_base_of_the_dictionary_nothing_new_comes_out_wrong() -> None:
    done = condensed(WORDS, EDITED)
    for one in done.apply(without=[done.pack.bases[0]]):
        assert one.data in (None, done.release.read(one.piece))


def test_other_bytes_than_those_of_the_base_make_no_wrong_piece() -> None:
    done = condensed(CODE, RELINKED)
    assert done.base is not None
    lengths = done.base.manifest.lengths
    other = Condensed(Source(done.base.manifest, lambda piece: bytes(lengths[piece])), done.release, done.data, 0)
    assert {(one.data, one.why) for one in other.apply()} == {(None, DAMAGED)}


@given(st.data())
def test_a_changed_byte_makes_no_wrong_piece_and_no_other_error(data: st.DataObject) -> None:
    done = condensed(WORDS, EDITED)
    damaged = bytearray(done.data)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        made = Condensed(done.base, done.release, bytes(damaged), 0).apply()
    except MalformedPackError:
        return
    assert all(one.data in (None, done.release.read(one.piece)) for one in made)


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPackError):
        small.decode(data)


def test_a_plan_that_expands_to_more_than_it_may_is_refused() -> None:
    bomb = [Change(0, bytes(limits.SMALL_PLAN_BYTES_MAX), bytes(limits.SMALL_PLAN_BYTES_MAX))]
    with pytest.raises(MalformedPackError, match="more than"):
        small.decode(small.encode([0], [0], [Cover(0, 0, 1)], bomb, b"", b""))


def test_more_than_a_small_pack_may_have_is_refused() -> None:
    with pytest.raises(MalformedPackError, match="too many"):
        small.decode(bytes(limits.SMALL_BYTES_MAX + 1))


@pytest.mark.parametrize(
    "pieces, bases, covers, changes, literals",
    [
        ([99_999], [0], [], [], b"x"),
        ([0], [99_999], [], [], b"x"),
        ([0], [0], [Cover(0, 0, 2**30)], [], b""),
        ([0], [0], [Cover(0, 2**30, 10)], [], b"x"),
        ([0], [0], [Cover(0, 0, 10)], [Change(5, b"too long", b"too long")], b"x"),
        ([0], [0], [Cover(0, 0, 10)], [], b"x"),
        ([], [], [], [], b""),
    ],
    ids=["piece", "base", "length", "place", "change", "sum", "nothing"],
)
def test_what_does_not_fit_is_refused(
    pieces: list[int], bases: list[int], covers: list[Cover], changes: list[Change], literals: bytes
) -> None:
    one = release(CODE)
    with pytest.raises(MalformedPackError):
        small.check(
            small.decode(small.encode(pieces, bases, covers, changes, literals, b"")), one.manifest, one.manifest
        )


def test_a_pack_that_would_not_be_small_is_not_condensed() -> None:
    base, made = release(CODE), release(noise(2, 2 * limits.SMALL_BYTES_MAX))
    bundles = list[bytes]()
    index = making.make(made, base, bytes(32), bundles.append, threads=1)
    assert condense(index, bundles, made, base) is None


def test_a_pack_whose_plan_no_device_would_read_is_not_condensed() -> None:
    """All bytes changed by the same: next to nothing compressed, and longer than a plan may be."""
    base = release(noise(3, limits.SMALL_PLAN_BYTES_MAX + 200_000))
    pieces = [bytes(byte + 3 & 0xFF for byte in base.read(piece)) for piece in range(base.manifest.pieces)]
    digests = b"".join(map(digest_function("blake3"), pieces))
    made = Source(replace(base.manifest, digests=digests), pieces.__getitem__)
    all_changed = [patch_of([Cover(0, 0, len(one))], one, base.read(at)) for at, one in enumerate(pieces)]
    content = codecs.compress(XZ, b"".join(all_changed), 0)
    items = tuple(Item(at, (at,), len(patch)) for at, patch in enumerate(all_changed))
    index = PackIndex(bytes(32), ((Frame(XZ, len(content), items),),))
    assert len(content) < limits.SMALL_BYTES_MAX
    assert condense(index, [content], made, base) is None


def test_a_pack_of_so_many_changes_that_a_device_would_be_slow_is_not_condensed() -> None:
    code = noise(4, 100 * CHANGES_FREE)
    old = release(code)

    def made_with(step: int) -> bytes | None:
        new, bundles = release(relinked(code, step)), list[bytes]()
        index = making.make(new, old, bytes(32), bundles.append, threads=1)
        return condense(index, bundles, new, old)

    assert made_with(110) is not None
    assert made_with(60) is None


@pytest.mark.parametrize("most, is_condensed", [(100, False), (300, True)])
def test_a_pack_of_so_many_covers_that_a_device_would_be_slow_is_not_condensed(
    monkeypatch: pytest.MonkeyPatch, most: int, *, is_condensed: bool
) -> None:
    monkeypatch.setattr(condensing, "COVERS_FREE", most)
    lines = [WORDS[at : at + 500] for at in range(0, 100_000, 500)]
    new, old = release(text(2, 20).join(lines)), release(b"".join(lines))
    bundles = list[bytes]()
    index = making.make(new, old, bytes(32), bundles.append, threads=1)
    assert (condense(index, bundles, new, old) is not None) is is_condensed


def test_an_outline_shares_its_bytes_among_its_pieces() -> None:
    done = condensed(WORDS, EDITED)
    ((frame,),) = outline(done.pack, len(done.data), done.release.manifest).bundles
    assert frame.length == len(done.data)
    assert tuple(item.piece for item in frame.items) == done.pack.pieces
    changed_bytes = len(done.pack.changed)
    assert sum(item.patch - 1 for item in frame.items) == done.pack.literal_bytes + changed_bytes
