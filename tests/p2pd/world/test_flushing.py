"""Written bytes on their way to the disk before anybody waits for them."""

import os
from pathlib import Path

import pytest

from p2pd.world import real_disk
from p2pd.world.flushing import begin_flush, sync_file_system
from p2pd.world.real_disk import RealDisk


def test_the_disk_begins_to_take_a_file_each_time_that_so_much_of_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[int]()
    monkeypatch.setattr(real_disk, "BEHIND_BYTES", 100)
    monkeypatch.setattr(real_disk, "begin_flush", lambda descriptor: begun.append(os.fstat(descriptor).st_ino))
    disk, paths = RealDisk(), [f"{tmp_path}/{name}" for name in "ab"]
    for path in paths:
        disk.create(path, 1000)
    for count in range(10):
        disk.write(paths[0], 30 * count, b"x" * 30)
    disk.write(paths[1], 0, b"y" * 99)
    assert begun == [os.stat(paths[0]).st_ino] * 2


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
