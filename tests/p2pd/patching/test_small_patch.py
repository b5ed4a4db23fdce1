"""What a small pack becomes on a disk, from a base that is read where it lies."""

from dataclasses import replace
from functools import cache

import pytest

from manifests import codec
from manifests.delta import making
from manifests.delta.applying import DAMAGED, NO_BASE
from manifests.delta.condensing import condense
from manifests.delta.matching import Source
from p2pd.patching.patch import Base
from p2pd.patching.smallpatch import InPlace, SmallPatch
from p2pd.store import LOCAL_SOURCE, PATCH_SOURCE, Artifact, Store
from p2pd.wire import bits
from tests.fakes.disk import MemoryDisk
from tests.p2pd.store.releases import DESTINATION, Release, fill, install, is_exactly, opened

from .packed import NEW_DESTINATION, PIECE_BYTES, image

ELSEWHERE = "/srv/elsewhere"
OLD, NEW = image({}, "1"), image({0: b"one", 3: b"two", 7: b"three"}, "2")


@cache
def data() -> bytes:
    """The pack: pieces 0, 3, 7 and 11 are new, and 11 is the same as 0."""
    old, new = (Source(one.manifest, one.data.__getitem__) for one in (OLD, NEW))
    bundles = list[bytes]()
    found = condense(making.make(new, old, OLD.swarm, bundles.append, threads=1), bundles, new, old)
    assert found is not None
    return found


def prepared(store: Store) -> tuple[SmallPatch, Artifact]:
    """The old release installed, the new one staged with what can be reused."""
    old = install(store, OLD, DESTINATION)
    release = store.add(NEW.encoded, NEW_DESTINATION)
    for batch in store.reusable(release):
        store.reuse(release, batch)
    return SmallPatch(store, release, data(), Base(old.manifest, old)), release


def test_what_is_new_is_made_of_the_base(store: Store, disk: MemoryDisk) -> None:
    patch, release = prepared(store)
    assert patch.apply().written == bits.of([0, 3, 7, 11])
    store.finish(release)
    assert is_exactly(disk, NEW_DESTINATION, NEW)
    assert release.bytes_by_source == {LOCAL_SOURCE: 8 * PIECE_BYTES, PATCH_SOURCE: 4 * PIECE_BYTES}


def test_a_damaged_base_piece_costs_what_is_made_from_it_and_is_known_to_be_lost(
    store: Store, disk: MemoryDisk
) -> None:
    patch, release = prepared(store)
    disk.corrupt(DESTINATION, 3 * PIECE_BYTES + 5)
    made = patch.apply()
    assert (made.refused, made.why) == (bits.of([3]), NO_BASE)
    assert list(release.missing()) == [3]
    assert store.artifacts[OLD.swarm].lost == [3]


def test_a_damaged_base_piece_is_looked_for_in_other_releases(store: Store, disk: MemoryDisk) -> None:
    patch, release = prepared(store)
    copy = Release(replace(OLD.manifest, version="3", sequence=3), b"", OLD.data)
    install(store, replace(copy, encoded=codec.encode(copy.manifest)), ELSEWHERE)
    disk.corrupt(DESTINATION, 3 * PIECE_BYTES + 5)
    patch.apply()
    assert release.complete


class Turning(MemoryDisk):
    """Of which a byte of the base changes behind a read, once."""

    reads_left = -1

    def read(self, path: str, offset: int, length: int) -> bytes:
        found = super().read(path, offset, length)
        if path == DESTINATION and self.reads_left >= 0:
            if not self.reads_left:
                self.corrupt(DESTINATION, 3 * PIECE_BYTES + 5)
            self.reads_left -= 1
        return found


@pytest.mark.parametrize("reads", range(8))
def test_a_base_that_changes_between_any_two_reads_makes_no_wrong_piece(reads: int) -> None:
    disk = Turning()
    store = opened(disk)
    patch, release = prepared(store)
    disk.reads_left = reads
    made = patch.apply()
    assert made.refused in (0, bits.of([3]))
    assert made.why in ("", DAMAGED, NO_BASE)
    assert all(store.read_piece(release, piece) == NEW.data[piece] for piece in bits.iterate(made.written))


def test_a_base_that_is_moved_after_it_was_looked_at_is_read_where_it_is_now(store: Store) -> None:
    old = store.add(OLD.encoded, DESTINATION)
    fill(store, old, OLD)
    bases = InPlace(store, Base(old.manifest, old))
    assert bases.sound(3)
    store.finish(old)
    assert bases.read(3, 10, 100) == OLD.data[3][10:110]


def test_a_base_that_is_removed_after_it_was_looked_at_is_none(store: Store) -> None:
    old = install(store, OLD, DESTINATION)
    bases = InPlace(store, Base(old.manifest, old))
    assert bases.sound(3)
    store.remove(old)
    assert bases.read(3, 10, 100) is None
