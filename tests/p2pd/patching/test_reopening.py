"""Streams that a pack opens, on a device."""

import pytest

from manifests.nested.recipes import MEMORY_BYTES_MAX
from p2pd.patching.patch import Patch
from p2pd.patching.reopening import scratch_directory
from p2pd.store import PATCH_SOURCE, Artifact, Store
from p2pd.wire import bits
from tests.fakes.disk import MemoryDisk
from tests.p2pd.store.releases import DESTINATION, is_exactly

from .packed import NEW_DESTINATION, PIECE_BYTES, prepared, reopened


def ready(store: Store, packs: Store, memory_bytes: int = MEMORY_BYTES_MAX) -> tuple[Patch, Artifact]:
    patch, release = prepared(store, packs, reopened())
    patch.recompressing_bytes_max = memory_bytes
    assert patch.open()
    return patch, release


def apply_all(patch: Patch) -> list[int]:
    """The sets of pieces that were refused."""
    return [made.refused for bundle in patch.needed() if (made := patch.apply(bundle))]


def test_pieces_with_a_stream_are_made_again_byte_for_byte(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, release = ready(store, packs)
    lacking = len(list(release.missing()))
    assert apply_all(patch) == [0]
    store.finish(release)
    assert is_exactly(disk, NEW_DESTINATION, reopened().new)
    assert release.bytes_by_source[PATCH_SOURCE] == lacking * PIECE_BYTES


def test_the_pack_is_small(store: Store, packs: Store) -> None:
    patch, release = ready(store, packs)
    assert patch.named.size < 0.1 * PIECE_BYTES * len(list(release.missing()))


def test_a_machine_without_the_memory_asks_for_nothing_that_it_can_not_use(store: Store, packs: Store) -> None:
    patch, _ = ready(store, packs, memory_bytes=0)
    assert patch.needed() == {}
    assert patch.reopening.read(reopened().old.manifest.pieces) is None


def test_a_disk_without_room_for_what_is_opened_leaves_it_closed(
    store: Store, packs: Store, disk: MemoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch, _ = prepared(store, packs, reopened())
    monkeypatch.setattr(disk, "free_bytes", lambda path: 4 * PIECE_BYTES)
    assert patch.open()
    assert patch.needed() == {}
    assert disk.list_directory(scratch_directory(packs.directory, patch.pack.swarm)) == []


def test_a_damaged_base_piece_leaves_the_region_to_its_swarm(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, release = ready(store, packs)
    disk.corrupt(DESTINATION, 2 * PIECE_BYTES + 5)
    lacking = bits.of(release.missing())
    assert apply_all(patch) == [lacking]


def test_a_region_of_which_the_base_lacks_a_piece_is_not_asked_of_the_pack(store: Store, packs: Store) -> None:
    patch, _ = ready(store, packs)
    store.artifacts[reopened().old.swarm].mark_lost(2)
    assert patch.needed() == {}


def test_an_interrupted_region_is_made_anew_from_what_was_fetched(store: Store, packs: Store, disk: MemoryDisk) -> None:
    patch, release = ready(store, packs)
    disk.write(f"{scratch_directory(packs.directory, patch.pack.swarm)}/base", 0, b"of a process that was killed")
    assert patch.open()
    apply_all(patch)
    assert release.complete
