"""Several threads at once, on a disk that is slow enough for them to meet."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from p2pd.store import Artifact, NotWritableError, Store
from tests.fakes.disk import MemoryDisk

from .releases import DESTINATION, Release, fill, install, is_exactly, opened, sample

WAIT_S = 20


class GatedDisk(MemoryDisk):
    """Calls `gate` before each piece is written, and before each rename."""

    gate: Callable[[str], None] = staticmethod(lambda _: None)

    def write(self, path: str, offset: int, data: bytes | memoryview) -> None:
        if "/.staging-" in path:
            self.gate("write")
        super().write(path, offset, data)

    def rename(self, source: str, destination: str) -> None:
        super().rename(source, destination)
        self.gate("renamed")


def staged() -> tuple[GatedDisk, Store, Artifact, Release]:
    disk, release = GatedDisk(), sample()
    store = opened(disk)
    return disk, store, store.add(release.encoded, DESTINATION), release


def test_the_same_piece_at_the_same_time_counts_once() -> None:
    disk, store, artifact, release = staged()
    meet = Barrier(2, timeout=WAIT_S)

    def wait_for_the_other(_: str) -> None:
        meet.wait()

    disk.gate = wait_for_the_other
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(lambda source: store.write_piece(artifact, 1, release.data[1], source), "ab"))
    assert sorted(written) == [False, True]
    assert (artifact.present_count, artifact.duplicate_bytes, sum(artifact.bytes_by_source.values())) == (1, 1000, 1000)


def test_many_threads_fill_an_artifact() -> None:
    disk, store, artifact, release = staged()
    with ThreadPoolExecutor(8) as pool:
        jobs = [piece for piece in range(10) for _ in range(4)]
        written = list(pool.map(lambda piece: store.write_piece(artifact, piece, release.data[piece], "a"), jobs))
    assert sum(written) == 10
    disk.kill()
    assert opened(disk).artifacts[release.swarm].complete


def test_finishing_waits_for_a_late_duplicate() -> None:
    disk, store, artifact, release = staged()
    fill(store, artifact, release, range(1, 10))
    late, go_on = Event(), Event()

    def hold_the_first(what: str) -> None:
        if what == "write" and not late.is_set():
            late.set()
            assert go_on.wait(WAIT_S)

    disk.gate = hold_the_first
    with ThreadPoolExecutor(2) as pool:
        duplicate = pool.submit(store.write_piece, artifact, 0, release.data[0], "slow")
        assert late.wait(WAIT_S)
        assert store.write_piece(artifact, 0, release.data[0], "fast")
        finished = pool.submit(store.finish, artifact)
        assert not finished.done()
        go_on.set()
        finished.result(WAIT_S)
        assert not duplicate.result(WAIT_S)
    assert is_exactly(disk, DESTINATION, release)


def test_a_read_during_the_move_finds_the_piece() -> None:
    disk, store, artifact, release = staged()
    fill(store, artifact, release)
    read: list[bytes | None] = []
    with ThreadPoolExecutor(1) as pool:
        futures = []

        def read_meanwhile(what: str) -> None:
            if what == "renamed" and artifact.destination == DESTINATION and disk.stat(DESTINATION) is not None:
                futures.append(pool.submit(store.read_piece, artifact, 3))

        disk.gate = read_meanwhile
        store.finish(artifact)
        read = [future.result(WAIT_S) for future in futures]
    assert read
    assert set(read) == {release.data[3]}
    assert artifact.lost == []


def test_removing_waits_for_a_writer() -> None:
    disk, store, artifact, release = staged()
    writing, go_on = Event(), Event()

    def hold(what: str) -> None:
        if what == "write":
            writing.set()
            assert go_on.wait(WAIT_S)

    disk.gate = hold
    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(store.write_piece, artifact, 0, release.data[0], "a")
        assert writing.wait(WAIT_S)
        removal = pool.submit(store.remove, artifact)
        go_on.set()
        removal.result(WAIT_S)
        assert writer.exception(WAIT_S) is None
    assert disk.list_directory("/srv/web/releases") == []
    with pytest.raises(NotWritableError):
        store.write_piece(artifact, 1, release.data[1], "a")
    assert install(store, release).complete
