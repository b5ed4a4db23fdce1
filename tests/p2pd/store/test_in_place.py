"""A release that is one file, written over a file or partition that is there, a piece at a time."""

from random import Random

import pytest

from manifests.entries import FILE, Entry
from p2pd.store import LOCAL_SOURCE, Store, StoreError
from p2pd.store.record import FINISHED, load
from tests.fakes.disk import MemoryDisk, PowerCut

from .releases import STATE, Release, cut, fill, noise, opened, sample

DEVICE = "/dev/b"
IMAGE = cut(
    [Entry("image.bin", FILE, 0o640, 21_000_000_000, 6000)], noise("image", 6000), is_tree=False, piece_bytes=500
)
BYTES = b"".join(IMAGE.data)


def with_device(data: bytes = noise("before", 10_000)) -> MemoryDisk:
    disk = MemoryDisk()
    disk.make_directories("/dev")
    disk.sync("/")
    disk.create(DEVICE, 0)
    disk.write(DEVICE, 0, data)
    disk.sync(DEVICE)
    disk.sync("/dev")
    return disk


def write(store: Store, fetched: list[int] | None = None, release: Release = IMAGE) -> None:
    """As the daemon does, from wherever it stands."""
    artifact = store.add(release.encoded, DEVICE, in_place=True)
    if artifact.finished:
        return
    for batch in store.reusable(artifact):
        store.reuse(artifact, batch)
    missing = list(artifact.missing())
    for number, piece in enumerate(missing):
        if fetched is not None:
            fetched.append(piece)
        fill(store, artifact, release, [piece])
        if number % 5 == 4:
            store.checkpoint(artifact)
    store.finish(artifact)


def is_finished(disk: MemoryDisk) -> bool:
    """By the durable record that a bootloader's switch may rely on."""
    record = f"{STATE}/artifacts/{IMAGE.swarm.hex()}"
    return disk.stat(record) is not None and load(disk, record).state == FINISHED


def test_the_image_lies_at_the_beginning_and_what_is_behind_it_stays() -> None:
    disk = with_device()
    write(opened(disk))
    assert disk.peek(DEVICE) == BYTES + noise("before", 10_000)[6000:]
    assert is_finished(disk)


def test_what_lies_there_already_is_not_written_again() -> None:
    disk = with_device(BYTES[:3000] + noise("other", 7000))
    store, before = opened(disk), disk.written_bytes
    write(store)
    (artifact,) = store.artifacts.values()
    assert artifact.bytes_by_source == {LOCAL_SOURCE: 3000, "peer": 3000}
    assert disk.written_bytes - before < 3000 + 2500  # the rest, and its books


@pytest.mark.parametrize("rng_seed", [None, 1, 2, 3])
def test_after_a_power_cut_at_any_step_it_goes_on_and_is_called_finished_only_when_it_is(rng_seed: int | None) -> None:
    rng = None if rng_seed is None else Random(rng_seed)
    whole = with_device()
    begun = whole.steps
    write(opened(whole))
    for step in range(whole.steps - begun):
        disk = with_device()
        disk.power_cut_after(step)
        try:
            write(opened(disk))
        except PowerCut:
            disk.crash(rng)
            assert not is_finished(disk) or disk.read(DEVICE, 0, len(BYTES)) == BYTES
            store = opened(disk)
            for artifact in store.artifacts.values():
                for piece in range(IMAGE.manifest.pieces):
                    assert artifact.has(piece) == (store.read_piece(artifact, piece) == IMAGE.data[piece])
            write(store)
        disk.crash(rng)  # what was called done stays done
        assert disk.read(DEVICE, 0, len(BYTES)) == BYTES


def test_after_kill_9_nothing_is_fetched_again() -> None:
    whole = with_device()
    begun = whole.steps
    write(opened(whole))
    for step in range(whole.steps - begun):
        disk, fetched = with_device(), list[int]()
        disk.power_cut_after(step)
        try:
            write(opened(disk), fetched)
        except PowerCut:
            disk.restore_power()
            disk.kill()
            write(opened(disk), fetched)
        assert len(fetched) - len(set(fetched)) <= 1  # the one that was being written
        assert disk.read(DEVICE, 0, len(BYTES)) == BYTES


def test_a_release_written_in_place_is_forgotten_and_not_deleted() -> None:
    disk = with_device()
    store = opened(disk)
    write(store)
    (artifact,) = store.artifacts.values()
    store.remove(artifact)
    assert disk.peek(DEVICE) == BYTES + noise("before", 10_000)[6000:]
    assert disk.list_directory("/dev") == ["b"]


def test_a_device_that_is_gone_is_forgotten_by_the_next_process() -> None:
    disk = with_device()
    write(opened(disk))
    disk.kill()
    disk.remove_tree(DEVICE)
    assert opened(disk).artifacts == {}


@pytest.mark.parametrize(
    "release, device, words",
    [(sample(), DEVICE, "is a tree"), (IMAGE, "/dev/none", "not there"), (IMAGE, "/dev", "a directory")],
)
def test_what_can_t_be_written_in_place_is_refused(release: Release, device: str, words: str) -> None:
    disk = with_device()
    with pytest.raises(StoreError, match=words):
        opened(disk).add(release.encoded, device, in_place=True)
    assert disk.peek(DEVICE) == noise("before", 10_000)


def test_a_device_that_is_too_small_is_refused_before_anything_is_written() -> None:
    disk = with_device(noise("small", 5999))
    with pytest.raises(StoreError, match="smaller"):
        opened(disk).add(IMAGE.encoded, DEVICE, in_place=True)
    assert disk.peek(DEVICE) == noise("small", 5999)
