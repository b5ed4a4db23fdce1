"""Written bytes on their way to the disk before anybody waits for them."""

import os
import threading
from pathlib import Path

import pytest

from p2pd.world import flushing, real_disk
from p2pd.world.flushing import Flusher, begin_flush, sync_file_system
from p2pd.world.real_disk import RealDisk


class Noting(Flusher):
    """Notes which files are begun with, as long as it takes any."""

    def __init__(self) -> None:
        super().__init__()
        self.inodes, self.takes = list[int](), True

    def begin(self, descriptor: int) -> bool:
        self.inodes.append(os.fstat(descriptor).st_ino)
        return self.takes


def test_the_disk_begins_to_take_a_file_each_time_that_so_much_of_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_disk, "BEHIND_BYTES", 100)
    flusher = Noting()
    disk, paths = RealDisk(flusher), [f"{tmp_path}/{name}" for name in "ab"]
    for path in paths:
        disk.create(path, 1000)
    for count in range(10):
        disk.write(paths[0], 30 * count, b"x" * 30)
    disk.write(paths[1], 0, b"y" * 99)
    assert flusher.inodes == [os.stat(paths[0]).st_ino] * 2


def test_what_the_disk_had_no_time_for_it_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_disk, "BEHIND_BYTES", 100)
    flusher, path = Noting(), f"{tmp_path}/a"
    disk = RealDisk(flusher)
    disk.create(path, 1000)
    flusher.takes = False
    disk.write(path, 0, b"x" * 100)
    flusher.takes = True
    for count in range(5):
        disk.write(path, 100 + count, b"x")
    assert len(flusher.inodes) == 2


def test_who_writes_does_not_wait_until_a_flush_has_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_begin, seen = threading.Semaphore(0), threading.Event(), list[int]()

    def begin_slowly(descriptor: int) -> None:
        seen.append(os.fstat(descriptor).st_ino)
        begun.release()
        may_begin.wait()

    monkeypatch.setattr(flushing, "begin_flush", begin_slowly)
    flusher = Flusher()
    with (tmp_path / "a").open("wb") as file:
        inode = os.fstat(file.fileno()).st_ino
        assert flusher.begin(file.fileno())
        assert begun.acquire(timeout=5)
        assert [flusher.begin(file.fileno()) for _ in range(2)] == [True, False]
    may_begin.set()
    assert begun.acquire(timeout=5)
    assert seen == [inode, inode]


def test_what_can_not_be_flushed_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        begin_flush(writing)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_file_system_that_can_not_be_synced_is_named() -> None:
    with pytest.raises(OSError, match="'/some/place'"):
        sync_file_system(-1, "/some/place")
