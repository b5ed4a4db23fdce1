"""The store, without interruptions."""

import pytest

from manifests.errors import DigestMismatchError, MalformedManifestError
from p2pd.store import (
    LOCAL_SOURCE,
    ArtifactElsewhereError,
    DestinationTakenError,
    NotWritableError,
    Store,
    StoreError,
    StoreInUseError,
    export,
    read_together,
)
from tests.fakes.disk import MemoryDisk

from .releases import DESTINATION, PIECE_BYTES, STATE, fill, install, is_exactly, noise, opened, sample, single

WHOLE = single(4 * PIECE_BYTES + 500)


def test_a_new_artifact_has_nothing(store: Store) -> None:
    artifact = store.add(sample().encoded, DESTINATION)
    assert (artifact.present_count, artifact.complete, artifact.finished) == (0, False, False)
    assert list(artifact.missing()) == list(range(10))


def test_a_written_piece_is_present_and_reads_back(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    assert store.write_piece(artifact, 3, release.data[3], "a")
    assert artifact.has(3)
    assert artifact.present == bytearray([0b00010000, 0])
    assert store.read_piece(artifact, 3) == release.data[3]
    assert store.read_piece(artifact, 4) is None


def test_a_piece_with_wrong_bytes_is_refused_and_not_written(store: Store, disk: MemoryDisk) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    with pytest.raises(DigestMismatchError):
        store.write_piece(artifact, 0, release.data[1], "liar")
    assert not artifact.has(0)
    assert disk.read(artifact.file_path(1), 0, 1000) == bytes(1000)


def test_a_piece_of_the_wrong_length_is_refused(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    with pytest.raises(DigestMismatchError, match="999 bytes for a piece of 1000"):
        store.write_piece(artifact, 0, release.data[0][:-1], "liar")


def test_bytes_are_counted_by_source(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    for piece, source in ((0, "a"), (1, "b"), (9, "a")):
        store.write_piece(artifact, piece, release.data[piece], source)
    assert artifact.bytes_by_source == {"a": 1656, "b": 1000}
    assert store.usage() == {artifact.swarm: 2656}


def test_a_piece_that_comes_twice_is_a_duplicate(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    assert store.write_piece(artifact, 0, release.data[0], "a")
    assert not store.write_piece(artifact, 0, release.data[0], "b")
    assert artifact.duplicate_bytes == 1000


def test_nothing_is_at_the_destination_until_it_is_finished(store: Store, disk: MemoryDisk) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    fill(store, artifact, release)
    assert disk.stat(DESTINATION) is None
    store.finish(artifact)
    assert is_exactly(disk, DESTINATION, release)


def test_finishing_leaves_nothing_beside_the_destination(store: Store, disk: MemoryDisk) -> None:
    install(store, sample())
    install(store, single(), "/srv/web/releases/image")
    assert disk.list_directory("/srv/web/releases") == ["1", "image"]


def test_a_single_file_becomes_its_destination(store: Store, disk: MemoryDisk) -> None:
    release = single()
    artifact = install(store, release, "/srv/images/other-name")
    assert is_exactly(disk, "/srv/images/other-name", release)
    assert store.read_piece(artifact, 2) == release.data[2]


def test_finishing_twice_is_finishing_once(store: Store, disk: MemoryDisk) -> None:
    artifact = install(store, sample())
    steps = disk.steps
    store.finish(artifact)
    assert disk.steps == steps


def test_an_incomplete_artifact_is_not_finished(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    fill(store, artifact, release, range(9))
    with pytest.raises(StoreError, match="9/10"):
        store.finish(artifact)


def test_a_finished_artifact_serves_from_its_destination(store: Store, disk: MemoryDisk) -> None:
    release = sample()
    artifact = install(store, release)
    assert artifact.root == DESTINATION
    assert [store.read_piece(artifact, piece) for piece in range(10)] == list(release.data)


def test_a_finished_artifact_is_not_written_to(store: Store, disk: MemoryDisk) -> None:
    release = sample()
    artifact = install(store, release)
    disk.corrupt(f"{DESTINATION}/bin/app", 0)
    assert store.read_piece(artifact, 0) is None
    with pytest.raises(NotWritableError):
        store.write_piece(artifact, 0, release.data[0], "a")


def test_bit_rot_is_found_and_never_served(store: Store, disk: MemoryDisk) -> None:
    artifact = install(store, sample())
    disk.corrupt(f"{DESTINATION}/data/large", 2000)
    assert store.read_piece(artifact, 5) is None
    assert (artifact.has(5), artifact.lost, artifact.complete) == (False, [5], False)


@pytest.mark.parametrize("harm", ["removed", "shortened", "a symlink", "a directory"])
def test_what_a_service_does_to_its_files_loses_only_their_pieces(store: Store, disk: MemoryDisk, harm: str) -> None:
    release = sample()
    artifact = install(store, release)
    path = f"{DESTINATION}/bin/app"
    if harm == "shortened":
        disk.truncate(path, 10)
    else:
        disk.remove_tree(path)
    if harm == "a symlink":
        disk.symlink("../data/large", path)
    if harm == "a directory":
        disk.make_directories(path)
    assert [piece for piece in range(10) if store.read_piece(artifact, piece) is None] == [0, 1, 2, 3]


def test_a_lost_piece_may_be_written_again_while_staged(store: Store, disk: MemoryDisk) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    fill(store, artifact, release, [0])
    disk.corrupt(artifact.file_path(1), 0)
    assert store.read_piece(artifact, 0) is None
    assert store.write_piece(artifact, 0, release.data[0], "a")
    assert artifact.lost == []
    assert store.read_piece(artifact, 0) == release.data[0]


def test_adding_again_gives_the_same_artifact(store: Store) -> None:
    release = sample()
    assert store.add(release.encoded, DESTINATION) is store.add(release.encoded, DESTINATION)


def test_adding_at_another_place_says_where_it_is(store: Store) -> None:
    store.add(sample().encoded, DESTINATION)
    with pytest.raises(ArtifactElsewhereError, match=DESTINATION):
        store.add(sample().encoded, "/elsewhere")


def test_two_artifacts_do_not_share_a_destination(store: Store) -> None:
    store.add(sample().encoded, DESTINATION)
    with pytest.raises(DestinationTakenError):
        store.add(single().encoded, DESTINATION)


def test_a_malformed_manifest_leaves_no_trace(store: Store, disk: MemoryDisk) -> None:
    with pytest.raises(MalformedManifestError):
        store.add(b"no manifest", DESTINATION)
    assert disk.list_directory(f"{STATE}/manifests") == disk.list_directory("/srv") == []


def test_a_release_that_is_there_already_is_taken_over(disk: MemoryDisk) -> None:
    release = sample()
    install(opened(disk, "/var/other"), release)
    artifact = opened(disk).add(release.encoded, DESTINATION)
    assert artifact.finished
    assert artifact.complete
    assert artifact.bytes_by_source == {LOCAL_SOURCE: release.manifest.size}


def test_a_damaged_release_is_not_taken_over_and_not_touched(disk: MemoryDisk) -> None:
    release = sample()
    install(opened(disk, "/var/other"), release)
    disk.corrupt(f"{DESTINATION}/data/ro", 0)
    with pytest.raises(DestinationTakenError, match=DESTINATION):
        opened(disk).add(release.encoded, DESTINATION)
    assert disk.stat(f"{DESTINATION}/data/ro") is not None


def test_a_destination_that_appears_meanwhile_is_not_overwritten(store: Store, disk: MemoryDisk) -> None:
    release = single()
    artifact = store.add(release.encoded, "/srv/image")
    fill(store, artifact, release)
    disk.append("/srv/image", b"mine")
    with pytest.raises(DestinationTakenError):
        store.finish(artifact)
    disk.remove_tree("/srv/image")
    store.finish(artifact)
    assert is_exactly(disk, "/srv/image", release)


def test_removing_leaves_nothing(store: Store, disk: MemoryDisk) -> None:
    finished, staged = install(store, sample()), store.add(single().encoded, "/srv/web/releases/image")
    store.remove(finished)
    store.remove(staged)
    assert disk.list_directory("/srv/web/releases") == []
    assert [disk.list_directory(f"{STATE}/{name}") for name in ("manifests", "journals", "artifacts")] == [[], [], []]
    assert store.artifacts == {}


def test_a_removed_artifact_is_not_written_to(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    store.remove(artifact)
    with pytest.raises(NotWritableError):
        store.write_piece(artifact, 0, release.data[0], "a")


def test_a_second_process_is_refused(store: Store, disk: MemoryDisk) -> None:
    with pytest.raises(StoreInUseError, match=STATE):
        Store(disk, STATE).open()


def test_a_closed_store_can_be_opened_by_another(store: Store, disk: MemoryDisk) -> None:
    store.close()
    Store(disk, STATE).open()


def test_the_manifest_can_be_read_in_parts(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    assert store.read_manifest(artifact) == release.encoded
    assert store.read_manifest(artifact, 10, 5) == release.encoded[10:15]


def test_an_export_is_a_second_copy(store: Store, disk: MemoryDisk) -> None:
    release = sample()
    artifact = install(store, release)
    told: list[int] = []
    export(store, artifact, "/home/copy", told.append)
    assert is_exactly(disk, "/home/copy", release)
    assert sum(told) == release.manifest.size
    assert disk.list_directory("/home") == ["copy"]


def test_an_export_of_a_damaged_artifact_leaves_nothing(store: Store, disk: MemoryDisk) -> None:
    artifact = install(store, sample())
    disk.corrupt(f"{DESTINATION}/data/ro", 0)
    with pytest.raises(StoreError, match="damaged"):
        export(store, artifact, "/home/copy")
    assert disk.list_directory("/home") == []


def test_a_checkpoint_is_due_after_so_many_bytes_or_seconds(store: Store) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    assert not store.checkpoint_due(artifact, 1e9)
    fill(store, artifact, release, [0])
    assert not store.checkpoint_due(artifact, 100.0)
    assert store.checkpoint_due(artifact, 130.0)
    store.checkpoint(artifact)
    assert not store.checkpoint_due(artifact, 1e9)
    artifact.unsynced_bytes = 256 * 2**20
    assert store.checkpoint_due(artifact, 1e9)


def test_writing_pieces_syncs_nothing(store: Store, disk: MemoryDisk) -> None:
    release = sample()
    artifact = store.add(release.encoded, DESTINATION)
    before = disk.fsyncs
    fill(store, artifact, release)
    assert disk.fsyncs == before


def test_equal_pieces_within_a_release_are_found(store: Store) -> None:
    release = sample(large=noise("x", 1000) * 5 + b"12345", app=noise("app", 3000))
    artifact = store.add(release.encoded, DESTINATION)
    fill(store, artifact, release, [3])
    assert store.reuse(artifact, range(release.manifest.pieces)) == [4, 5, 6, 7]


def test_neighbours_are_read_together_where_all_are_sound_and_in_one_file(store: Store, disk: MemoryDisk) -> None:
    artifact = install(store, WHOLE)
    assert read_together(disk, artifact, range(1, 4), set()) == b"".join(WHOLE.data[1:4])
    disk.corrupt(DESTINATION, 3 * PIECE_BYTES)
    assert read_together(disk, artifact, range(1, 4), set()) is None
    assert read_together(disk, artifact, range(1, 3), set()) == b"".join(WHOLE.data[1:3])
    disk.remove_tree(DESTINATION)
    assert read_together(disk, artifact, range(1, 3), set()) is None


def test_neighbours_in_two_files_are_not_read_together(store: Store, disk: MemoryDisk) -> None:
    artifact = install(store, sample())
    assert read_together(disk, artifact, range(10), set()) is None


def test_neighbours_that_were_sound_are_not_digested_again(store: Store, disk: MemoryDisk) -> None:
    artifact, sound = install(store, WHOLE), {2}
    disk.corrupt(DESTINATION, 2 * PIECE_BYTES)
    assert read_together(disk, artifact, range(1, 4), sound) is not None
    assert sound == {1, 2, 3}
    assert read_together(disk, artifact, range(1, 4), set()) is None
