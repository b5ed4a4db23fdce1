"""Whatever interrupts the store, wherever: what it then calls present has the right bytes, and a destination is
either absent or complete."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pd.store import Store
from tests.fakes.disk import MemoryDisk, PowerCut

from .releases import DESTINATION, Release, fill, install, is_exactly, noise, opened, sample, single

OLD = sample("1")
NEW = sample("2", symlinks=False, ro=noise("other", 700))
"""Without symlinks its files are synced one by one."""
IMAGE = single()
RELEASES = {DESTINATION: OLD, "/srv/web/releases/2": NEW, "/srv/image": IMAGE}


def life(disk: MemoryDisk) -> Iterator[Store]:
    """All that a store does, in steps small enough to be looked at."""
    store = opened(disk)
    yield store
    install(store, OLD)
    yield store
    artifact = store.add(NEW.encoded, "/srv/web/releases/2")
    fill(store, artifact, NEW, [9, 2])
    store.checkpoint(artifact)
    for batch in store.reusable(artifact):
        store.reuse(artifact, batch)
    yield store
    image = install(store, IMAGE, "/srv/image")
    fill(store, artifact, NEW)
    store.finish(artifact)
    yield store
    store.remove(image)
    store.remove(store.artifacts[OLD.swarm])
    store.close()


def check(disk: MemoryDisk, store: Store) -> None:
    """Safety."""
    for artifact in store.artifacts.values():
        release: Release = RELEASES[artifact.destination]
        for piece in range(release.manifest.pieces):
            present = artifact.has(piece)
            assert (store.read_piece(artifact, piece) == release.data[piece]) == present
    for destination, release in RELEASES.items():
        assert disk.stat(destination) is None or is_exactly(disk, destination, release)


def recovers(disk: MemoryDisk) -> None:
    """Safety, and then liveness: everything can still be had, and done away with."""
    store = opened(disk)
    check(disk, store)
    for destination, release in RELEASES.items():
        install(store, release, destination)
        assert is_exactly(disk, destination, release)
    check(disk, store)
    for artifact in list(store.artifacts.values()):
        store.remove(artifact)
    assert disk.list_directory("/srv/web/releases") == disk.list_directory("/srv/web/.staging") == []
    assert disk.list_directory("/srv") == ["web"]


def steps_of_a_life() -> int:
    disk = MemoryDisk()
    for _ in life(disk):
        pass
    return disk.steps


STEPS = steps_of_a_life()


def interrupted(steps: int) -> MemoryDisk:
    """A disk whose power went after so many steps of a life."""
    disk = MemoryDisk()
    disk.power_cut_after(steps)
    with pytest.raises(PowerCut):
        for _ in life(disk):
            pass
    return disk


@pytest.mark.parametrize("steps", range(STEPS))
def test_a_power_cut_at_any_step_is_survived(steps: int) -> None:
    disk = interrupted(steps)
    disk.crash()
    recovers(disk)


@pytest.mark.parametrize("steps", range(STEPS))
def test_a_kill_at_any_step_is_survived_and_loses_no_piece(steps: int) -> None:
    disk = MemoryDisk()
    disk.power_cut_after(steps)
    held: dict[bytes, bytes] = {}
    store = Store(disk, "/")
    try:
        for store in life(disk):
            held = {swarm: bytes(artifact.present) for swarm, artifact in store.artifacts.items()}
    except PowerCut:
        pass
    disk.restore_power()
    disk.kill()
    again = opened(disk)
    for swarm, present in held.items():
        if swarm in again.artifacts:
            now = again.artifacts[swarm].present
            assert all(before & ~after == 0 for before, after in zip(present, now, strict=True))
    again.close()
    recovers(disk)


@settings(max_examples=150)
@given(st.integers(0, STEPS - 1), st.integers(0, STEPS - 1), st.integers())
def test_power_cuts_that_let_some_writes_survive_are_survived_too(first: int, second: int, rng_seed: int) -> None:
    disk, rng = interrupted(first), Random(rng_seed)
    disk.crash(rng)
    disk.power_cut_after(second)
    try:
        recovers(disk)
    except PowerCut:
        disk.crash(rng)
        recovers(disk)


def test_after_a_kill_nothing_is_hashed_again() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(OLD.encoded, DESTINATION)
    fill(store, artifact, OLD, range(9))
    disk.kill()
    disk.read_bytes = 0
    again = opened(disk).artifacts[OLD.swarm]
    assert again.present_count == 9
    assert disk.read_bytes < 5000  # record, manifest and journal


def test_after_a_power_cut_what_a_checkpoint_covers_is_there() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(OLD.encoded, DESTINATION)
    fill(store, artifact, OLD, [0, 5, 9])
    store.checkpoint(artifact)
    fill(store, artifact, OLD, [1, 2])
    disk.crash()
    again = opened(disk).artifacts[OLD.swarm]
    assert [piece for piece in range(10) if again.has(piece)] == [0, 5, 9]


def test_what_is_written_while_a_checkpoint_syncs_is_not_covered_by_it() -> None:
    class BusyDisk(MemoryDisk):
        meanwhile = True

        def sync_all(self, path: str) -> None:
            super().sync_all(path)
            if self.meanwhile:
                self.meanwhile = False
                fill(store, artifact, OLD, [1])

    disk = BusyDisk()
    store = opened(disk)
    artifact = store.add(OLD.encoded, DESTINATION)
    fill(store, artifact, OLD, [0])
    store.checkpoint(artifact)
    assert artifact.unsynced_bytes == 1000
    disk.crash()
    again = opened(disk)
    assert [piece for piece in range(10) if again.artifacts[OLD.swarm].has(piece)] == [0]


@pytest.mark.parametrize("release", [OLD, IMAGE], ids=["tree", "file"])
def test_a_power_cut_does_not_bring_back_what_was_removed(release: Release) -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = install(store, release)
    store.remove(artifact)
    disk.crash()
    assert opened(disk).artifacts == {}
    assert disk.list_directory("/srv/web/releases") == []


def test_after_a_power_cut_survivors_of_write_back_are_kept() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(OLD.encoded, DESTINATION)
    fill(store, artifact, OLD, range(5))
    disk.sync_all("/")
    disk.crash()
    assert opened(disk).artifacts[OLD.swarm].present_count == 5


def test_counters_outlive_the_process() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(OLD.encoded, DESTINATION)
    for source in ("a", "b"):
        store.write_piece(artifact, 0, OLD.data[0], source)
    store.write_piece(artifact, 1, OLD.data[1], "b")
    store.close()
    again = opened(disk).artifacts[OLD.swarm]
    assert (again.bytes_by_source, again.duplicate_bytes) == ({"a": 1000, "b": 1000}, 1000)


def test_staged_files_that_vanished_while_nobody_looked_lose_their_pieces() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(OLD.encoded, DESTINATION)
    fill(store, artifact, OLD)
    disk.remove_tree(artifact.file_path(1))
    disk.kill()
    again = opened(disk).artifacts[OLD.swarm]
    assert list(again.missing()) == [0, 1, 2, 3]


def test_a_release_that_vanished_while_nobody_looked_is_forgotten_and_named() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    install(store, OLD)
    store.close()
    disk.remove_tree(DESTINATION)
    again = opened(disk)
    assert again.artifacts == {}
    assert again.damaged == [f"forgot an artifact: web@1 is gone from {DESTINATION}"]


@pytest.mark.parametrize("victim", ["artifacts", "manifests"])
def test_a_damaged_record_or_manifest_costs_only_that_artifact(victim: str) -> None:
    disk = MemoryDisk()
    store = opened(disk)
    install(store, OLD)
    install(store, IMAGE, "/srv/image")
    store.close()
    disk.corrupt(f"/var/state/{victim}/{OLD.swarm.hex()}", 0)
    again = opened(disk)
    assert list(again.artifacts) == [IMAGE.swarm]
    assert len(again.damaged) == 1
    assert is_exactly(disk, DESTINATION, OLD)


def test_a_damaged_journal_costs_a_look_at_the_files_and_nothing_else() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(OLD.encoded, DESTINATION)
    fill(store, artifact, OLD, [0, 1, 7])
    disk.corrupt(f"/var/state/journals/{OLD.swarm.hex()}", 0)
    disk.kill()
    again = opened(disk).artifacts[OLD.swarm]
    assert [piece for piece in range(10) if again.has(piece)] == [0, 1, 7]
