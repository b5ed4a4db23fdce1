"""What an older release holds is copied, never fetched."""

import pytest

from manifests.errors import DigestMismatchError
from p2pd.store import LOCAL_SOURCE, Store
from tests.fakes.disk import MemoryDisk

from .releases import DESTINATION, fill, install, is_exactly, noise, sample

OLD = sample("1")
NEW = sample("2", ro=noise("other", 700))
NEW_DESTINATION = "/srv/web/releases/2"


def test_only_what_changed_is_left_to_fetch(store: Store, disk: MemoryDisk) -> None:
    install(store, OLD)
    artifact = store.add(NEW.encoded, NEW_DESTINATION)
    assert store.reusable(artifact) == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert store.reuse(artifact, range(10)) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert artifact.bytes_by_source == {LOCAL_SOURCE: 8000}
    fill(store, artifact, NEW, [8, 9])
    store.finish(artifact)
    assert is_exactly(disk, NEW_DESTINATION, NEW)


def test_reusing_again_copies_nothing(store: Store) -> None:
    install(store, OLD)
    artifact = store.add(NEW.encoded, NEW_DESTINATION)
    store.reuse(artifact, range(10))
    assert store.reuse(artifact, range(10)) == []
    assert artifact.duplicate_bytes == 0


def test_a_half_staged_release_is_a_source_too(store: Store) -> None:
    old = store.add(OLD.encoded, DESTINATION)
    fill(store, old, OLD, [2])
    artifact = store.add(NEW.encoded, NEW_DESTINATION)
    assert store.reuse(artifact, range(10)) == [2]


def test_a_source_that_was_changed_by_its_service_is_left_out(store: Store, disk: MemoryDisk) -> None:
    old = install(store, OLD)
    disk.corrupt(f"{DESTINATION}/bin/app", 1500)
    disk.remove_tree(f"{DESTINATION}/data/large")
    artifact = store.add(NEW.encoded, NEW_DESTINATION)
    assert store.reuse(artifact, range(10)) == [0, 2]
    assert old.lost == [1, 3, 4, 5, 6, 7]


def test_a_second_source_stands_in_for_a_damaged_one(store: Store, disk: MemoryDisk) -> None:
    install(store, OLD)
    install(store, sample("3", ro=noise("third", 700)), "/srv/web/releases/3")
    disk.corrupt(f"{DESTINATION}/bin/app", 0)
    artifact = store.add(NEW.encoded, NEW_DESTINATION)
    assert store.reuse(artifact, [0]) == [0]


def test_batches_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2pd.store.reuse.REUSE_BATCH_BYTES", 3000)
    install(store, OLD)
    assert store.reusable(store.add(NEW.encoded, NEW_DESTINATION)) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_find_names_artifact_and_piece(store: Store) -> None:
    artifact = install(store, OLD)
    assert store.find(OLD.manifest.digest(4)) == (artifact, 4)
    assert store.find(NEW.manifest.digest(9)) is None


def test_nothing_is_found_in_what_was_removed(store: Store) -> None:
    store.remove(install(store, OLD))
    assert store.find(OLD.manifest.digest(4)) is None


def test_the_peers_are_not_believed_more_than_the_disk(store: Store) -> None:
    artifact = store.add(NEW.encoded, NEW_DESTINATION)
    with pytest.raises(DigestMismatchError):
        store.write_piece(artifact, 8, OLD.data[8], "liar")
