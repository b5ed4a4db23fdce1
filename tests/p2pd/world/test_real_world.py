"""The machine as a World, and the store upon it."""

import os
import threading
from pathlib import Path

import trio

from p2pd.store import Store
from p2pd.world.real import STORAGE_THREADS, real_world
from p2pd.world.real_disk import RealDisk
from tests.p2pd.store.releases import fill, install, is_exactly, noise, opened, sample, single

TIMEOUT_S = 30


async def test_blocking_jobs_run_beside_the_loop_and_few_at_once() -> None:
    world = real_world()
    running, most = 0, 0
    lock = threading.Lock()
    release = threading.Event()

    def job(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(TIMEOUT_S)
        with lock:
            running -= 1
        return number

    results: list[int] = []

    async def run(number: int) -> None:
        results.append(await world.run_blocking(job, number))

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(run, number)
            while running < STORAGE_THREADS:
                await trio.sleep(0.001)
            release.set()
    assert sorted(results) == list(range(6))
    assert most == STORAGE_THREADS


async def test_http_is_there_when_asked_for() -> None:
    async with real_world().http() as client:
        assert not client.is_closed


def test_a_release_on_a_real_disk_has_every_attribute(tmp_path: Path) -> None:
    disk, release = RealDisk(), sample()
    store = opened(disk, f"{tmp_path}/state")
    artifact = install(store, release, f"{tmp_path}/web/releases/1")
    assert is_exactly(disk, f"{tmp_path}/web/releases/1", release)
    assert os.readlink(tmp_path / "web/releases/1/bin/run") == "app"
    assert [store.read_piece(artifact, piece) for piece in range(10)] == list(release.data)


def test_a_new_process_on_a_real_disk_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    release, state, destination = sample(), f"{tmp_path}/state", f"{tmp_path}/web/1"
    store = opened(RealDisk(), state)
    fill(store, store.add(release.encoded, destination), release, range(6))
    store.close()
    disk = RealDisk()
    store = opened(disk, state)
    artifact = store.artifacts[release.swarm]
    assert list(artifact.missing()) == [6, 7, 8, 9]
    fill(store, artifact, release, range(6, 10))
    store.finish(artifact)
    assert is_exactly(disk, destination, release)


def test_reuse_and_removal_on_a_real_disk(tmp_path: Path) -> None:
    disk = RealDisk()
    store = Store(disk, f"{tmp_path}/state")
    store.open()
    old = install(store, sample(), f"{tmp_path}/web/1")
    new_release = sample("2", ro=noise("other", 700))
    new = store.add(new_release.encoded, f"{tmp_path}/web/2")
    assert store.reuse(new, range(10)) == list(range(8))
    store.remove(old)
    store.remove(new)
    install(store, single(), f"{tmp_path}/web/image")
    assert os.listdir(tmp_path / "web") == ["image"]
