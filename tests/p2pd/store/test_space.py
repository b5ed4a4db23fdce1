"""A disk that is full: a clear error, nothing lost, and it goes on when there is room."""

from contextlib import suppress

import pytest

from p2pd.store import NoSpaceError, Store
from tests.fakes.disk import MemoryDisk

from .releases import DESTINATION, STATE, cut, fill, install, is_exactly, noise, opened, sample, single

BIG = cut(single(300_000).manifest.entries, noise("image.bin", 300_000), is_tree=False, piece_bytes=20_000)


def test_what_does_not_fit_is_refused_before_it_begins() -> None:
    disk = MemoryDisk(capacity_bytes=100_000)
    store = opened(disk)
    with pytest.raises(NoSpaceError, match=r"no room at /srv: free at least 195\.3 KiB") as raised:
        store.add(BIG.encoded, "/srv/image")
    assert raised.value.missing_bytes == 200_000
    assert disk.list_directory("/srv") == disk.list_directory(f"{STATE}/artifacts") == []


def test_the_reserve_is_never_filled() -> None:
    disk = MemoryDisk(capacity_bytes=1_000_000)
    store = Store(disk, STATE, reserve_bytes=800_000)
    store.open()
    with pytest.raises(NoSpaceError) as raised:
        store.add(BIG.encoded, "/srv/image")
    assert raised.value.missing_bytes == 100_000


def test_what_is_there_already_needs_no_room() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(BIG.encoded, "/srv/image")
    fill(store, artifact, BIG, range(10))
    disk.capacity_bytes = 300_000
    with pytest.raises(NoSpaceError):
        store.check_space(artifact)
    disk.capacity_bytes = 400_000
    store.check_space(artifact)


def test_a_disk_that_fills_up_keeps_what_was_present_and_goes_on() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = store.add(BIG.encoded, "/srv/image")
    fill(store, artifact, BIG, range(5))
    disk.capacity_bytes = 130_000
    with pytest.raises(NoSpaceError) as raised:
        fill(store, artifact, BIG, range(5, 15))
    assert 0 < raised.value.missing_bytes <= 200_000
    held = artifact.present_count
    disk.kill()
    artifact = opened(disk).artifacts[BIG.swarm]
    assert artifact.present_count == held
    disk.capacity_bytes = None
    fill(store, artifact, BIG)
    store.finish(artifact)
    assert is_exactly(disk, "/srv/image", BIG)


@pytest.mark.parametrize("room_blocks", range(12))
def test_however_little_room_there_is_nothing_wrong_is_called_present(room_blocks: int) -> None:
    disk = MemoryDisk()
    store, release = opened(disk), sample()
    disk.capacity_bytes = room_blocks * 4096
    with suppress(NoSpaceError):
        install(store, release)
    for artifact in store.artifacts.values():
        for piece in range(release.manifest.pieces):
            assert (store.read_piece(artifact, piece) == release.data[piece]) == artifact.has(piece)
    disk.kill()
    disk.capacity_bytes = None
    install(opened(disk), release)
    assert is_exactly(disk, DESTINATION, release)


def test_damage_found_on_a_full_disk_is_not_an_error() -> None:
    disk = MemoryDisk()
    store = opened(disk)
    artifact = install(store, BIG, "/srv/image")
    disk.corrupt("/srv/image", 0)
    disk.capacity_bytes = 0
    artifact.journal.position = 4096  # the next record needs a new block
    assert store.read_piece(artifact, 0) is None
    assert artifact.lost == [0]
