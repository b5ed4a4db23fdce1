"""What a pack's bundles become, on a disk."""

from dataclasses import replace

import pytest

from manifests import codec
from manifests.delta import index_codec
from manifests.delta.applying import DAMAGED, apply_bundle
from manifests.errors import MalformedPackError
from manifests.packs import Pack
from p2pd.patching.patch import Base, Patch
from p2pd.store import LOCAL_SOURCE, PATCH_SOURCE, Store
from p2pd.wire import bits
from tests.fakes.disk import MemoryDisk
from tests.p2pd.store.releases import DESTINATION, Release, install, is_exactly

from .packed import NEW_DESTINATION, PIECE_BYTES, joined, packed, prepared

ELSEWHERE = "/srv/elsewhere"


def opened(patch: Patch) -> Patch:
    """With its index."""
    assert patch.open()
    return patch


def test_what_is_new_is_made_from_the_pack_and_the_rest_copied(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, release = prepared(store, packs, packed())
    for bundle in opened(patch).needed():
        patch.apply(bundle)
    store.finish(release)
    assert is_exactly(disk, NEW_DESTINATION, packed().new)
    assert release.bytes_by_source == {LOCAL_SOURCE: 8 * PIECE_BYTES, PATCH_SOURCE: 4 * PIECE_BYTES}


def test_a_piece_that_the_release_has_twice_is_made_once_and_written_twice(store: Store, packs: Store) -> None:
    patch, _ = prepared(store, packs, packed())
    assert opened(patch).needed() == {0: bits.of([0, 11]), 1: bits.of([3]), 2: bits.of([7])}
    made = patch.apply(0)
    assert made is not None
    assert made.written == bits.of([0, 11])


def test_a_damaged_base_piece_costs_what_is_made_from_it_and_no_more(
    store: Store, packs: Store, disk: MemoryDisk
) -> None:
    patch, release = prepared(store, packs, packed())
    opened(patch)
    disk.corrupt(DESTINATION, 3 * PIECE_BYTES + 5)
    made = {bundle: patch.apply(bundle) for bundle in patch.needed()}
    assert [one.refused for one in made.values() if one] == [0, bits.of([3]), 0]
    assert list(release.missing()) == [3]


def test_a_damaged_base_piece_is_looked_for_in_other_releases(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, release = prepared(store, packs, packed())
    old = packed().old.manifest
    copy = Release(replace(old, version="3", sequence=3), b"", packed().old.data)
    install(store, replace(copy, encoded=codec.encode(copy.manifest)), ELSEWHERE)
    disk.corrupt(DESTINATION, 3 * PIECE_BYTES + 5)
    for bundle in opened(patch).needed():
        patch.apply(bundle)
    assert release.complete


def test_what_starts_from_a_piece_that_is_not_here_is_not_asked_of_the_pack(store: Store, packs: Store) -> None:
    patch, _ = prepared(store, packs, packed())
    store.artifacts[packed().old.swarm].mark_lost(3)
    assert set(opened(patch).needed()) == {0, 2}


def test_a_piece_of_the_base_that_another_release_has_is_here(store: Store, packs: Store) -> None:
    patch, _ = prepared(store, packs, packed())
    store.artifacts[packed().old.swarm].mark_lost(0)  # the last one is the same
    assert set(opened(patch).needed()) == {0, 1, 2}


def test_a_pack_without_a_base_needs_none(store: Store, packs: Store) -> None:
    patch, release = prepared(store, packs, packed(base=False))
    for bundle in opened(patch).needed():
        patch.apply(bundle)
    assert release.complete


def test_only_bundles_with_something_missing_are_needed(store: Store, packs: Store) -> None:
    patch, release = prepared(store, packs, packed())
    store.write_piece(release, 3, packed().new.data[3], "peer")
    assert set(opened(patch).needed()) == {0, 2}


def test_an_applied_bundle_is_needed_no_more_and_changes_nothing_again(store: Store, packs: Store) -> None:
    patch, release = prepared(store, packs, packed())
    opened(patch).apply(1)
    assert 1 not in patch.needed()
    assert patch.apply(1) is not None
    assert release.duplicate_bytes == 0


def test_a_bundle_that_rotted_is_fetched_again_and_not_decoded(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, _ = prepared(store, packs, packed())
    disk.corrupt(f"{patch.pack.root}/from.pack", packed().pack.manifest.offsets[2] + 3)
    assert opened(patch).apply(1) is None
    assert patch.pack.lost == [2]


def test_a_pack_that_starts_from_another_release_than_was_signed_for_is_refused(store: Store, packs: Store) -> None:
    patch, _ = prepared(store, packs, packed())
    named = patch.named
    patch.named = Pack(bytes(32), named.manifest, named.manifest_bytes, named.size)
    with pytest.raises(MalformedPackError, match="another release"):
        patch.open()


def test_a_pack_for_other_pieces_is_refused(store: Store, packs: Store) -> None:
    patch, _ = prepared(store, packs, packed())
    patch.base = None
    with pytest.raises(MalformedPackError):
        patch.open()


def test_each_byte_of_the_target_is_written_once(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, release = prepared(store, packs, packed())
    opened(patch)
    before, missing_bytes = disk.written_bytes, release.manifest.size - release.present_bytes
    for bundle in patch.needed():
        patch.apply(bundle)
    books = 12 * len(patch.needed()) + 200
    assert missing_bytes <= disk.written_bytes - before <= missing_bytes + books


def test_bases_that_are_neighbours_can_be_read_as_one() -> None:
    which, asked = joined(), list[range]()
    (frames,) = index_codec.decode(which.pack.data[0]).bundles

    def run(pieces: range) -> bytes | None:
        asked.append(pieces)
        return b"".join(which.old.data[piece] for piece in pieces)

    (made,) = apply_bundle(frames, which.pack.data[1], which.new.manifest, lambda piece: None, run)
    assert (made.data, asked) == (which.new.data[3], [range(2, 5)])


def test_of_several_bases_one_that_is_damaged_is_found(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, _ = prepared(store, packs, joined())
    opened(patch)
    disk.corrupt(DESTINATION, 4 * PIECE_BYTES + 5)
    (made,) = [patch.apply(bundle) for bundle in patch.needed()]
    assert store.artifacts[joined().old.swarm].lost == [4]
    assert made is not None
    assert made.written == bits.of([3])  # for the new release holds that one, too


def test_what_is_made_from_several_bases(store: Store, packs: Store) -> None:
    patch, release = prepared(store, packs, joined())
    for bundle in opened(patch).needed():
        patch.apply(bundle)
    assert release.complete


def test_what_is_made_from_bases_in_another_release(store: Store, packs: Store) -> None:
    patch, release = prepared(store, packs, joined())
    assert patch.base is not None
    patch.base = Base(patch.base.manifest, None)
    for bundle in opened(patch).needed():
        patch.apply(bundle)
    assert release.complete


def test_of_a_base_that_changed_after_it_was_verified_nothing_wrong_is_written(
    store: Store, packs: Store, disk: MemoryDisk
) -> None:
    patch, release = prepared(store, packs, joined(3, 4))
    opened(patch).apply(0)
    disk.corrupt(DESTINATION, 4 * PIECE_BYTES + 500)
    made = patch.apply(1)
    assert made is not None
    assert (made.written, made.refused, made.why) == (0, bits.of([4]), DAMAGED)
    assert list(release.missing()) == [4]
