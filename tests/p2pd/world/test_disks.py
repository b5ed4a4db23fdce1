"""One suite for both disks: what the seam promises, the machine and the fake in memory both keep."""

import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from p2pd.world.disk import Disk, FileStat
from p2pd.world.durable import make_durable_directories
from p2pd.world.real_disk import RealDisk
from tests.fakes.disk import MemoryDisk


@pytest.fixture(params=["machine", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Disk, str]]:
    """A disk, and an empty directory on it."""
    if request.param == "machine":
        yield RealDisk(), str(tmp_path)
    else:
        disk = MemoryDisk()
        disk.make_directories("/base")
        yield disk, "/base"


def kinds(disk: Disk, path: str) -> str | None:
    found = disk.stat(path)
    return found.kind if found else None


def test_a_created_file_is_sparse_private_and_of_its_size(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 10_000)
    found = disk.stat(f"{base}/a")
    assert found is not None
    assert (found.kind, found.size, found.mode) == ("file", 10_000, 0o600)
    assert disk.read(f"{base}/a", 9_990, 100) == bytes(10)


def test_create_replaces_nothing(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 0)
    with pytest.raises(FileExistsError):
        disk.create(f"{base}/a", 0)


def test_bytes_are_written_where_they_belong(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 6)
    disk.write(f"{base}/a", 2, memoryview(b"xy"))
    disk.write(f"{base}/a", 5, b"abc")
    assert disk.read_all(f"{base}/a", 100) == b"\0\0xy\0abc"


@pytest.mark.parametrize(
    "source_offset, offset, length", [(0, 0, 20_000), (5, 5, 9_000), (4096, 0, 9_000), (7, 100, 3)]
)
def test_bytes_are_copied_from_file_to_file(
    place: tuple[Disk, str], source_offset: int, offset: int, length: int
) -> None:
    disk, base = place
    data = bytes(number % 251 for number in range(20_000))
    disk.create(f"{base}/a", 0)
    disk.write(f"{base}/a", 0, data)
    disk.create(f"{base}/b", 30_000)
    disk.copy(f"{base}/a", source_offset, f"{base}/b", offset, length)
    copied = data[source_offset : source_offset + length]
    assert disk.read(f"{base}/b", 0, 30_000) == bytes(offset) + copied + bytes(30_000 - offset - len(copied))


def test_a_copy_ends_where_its_source_ends(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 10)
    disk.create(f"{base}/b", 3)
    disk.copy(f"{base}/a", 8, f"{base}/b", 2, 100)
    found = disk.stat(f"{base}/b")
    assert found is not None
    assert found.size == 4


def test_writing_needs_a_file(place: tuple[Disk, str]) -> None:
    disk, base = place
    with pytest.raises(FileNotFoundError):
        disk.write(f"{base}/a", 0, b"x")


def test_reading_needs_a_file(place: tuple[Disk, str]) -> None:
    disk, base = place
    with pytest.raises(FileNotFoundError):
        disk.read(f"{base}/a", 0, 1)


def test_read_all_is_bounded(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.append(f"{base}/a", b"12345")
    assert disk.read_all(f"{base}/a", 5) == b"12345"
    with pytest.raises(OSError, match="large"):
        disk.read_all(f"{base}/a", 4)


def test_read_all_takes_memory_for_what_there_is_only(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    tracemalloc.start()
    RealDisk().read_all(f"{tmp_path}/a", 2**30)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 2**21


def test_append_creates_and_extends(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.append(f"{base}/a", b"one")
    disk.append(f"{base}/a", b"two")
    assert disk.read_all(f"{base}/a", 100) == b"onetwo"


def test_replace_leaves_only_the_new_content(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.replace(f"{base}/a", b"a long first version")
    disk.replace(f"{base}/a", b"second")
    assert disk.read_all(f"{base}/a", 100) == b"second"
    assert disk.list_directory(base) == ["a"]


def test_writes_after_a_replace_reach_the_new_file(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.replace(f"{base}/a", b"first")
    disk.write(f"{base}/a", 0, b"F")
    disk.replace(f"{base}/a", b"second")
    disk.write(f"{base}/a", 0, b"S")
    assert disk.read_all(f"{base}/a", 100) == b"Second"


def test_truncate_cuts_and_extends(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.append(f"{base}/a", b"12345")
    disk.truncate(f"{base}/a", 2)
    disk.truncate(f"{base}/a", 4)
    assert disk.read_all(f"{base}/a", 100) == b"12\0\0"


def test_the_last_symlink_of_a_path_is_never_followed(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.append(f"{base}/secret", b"secret")
    disk.symlink("secret", f"{base}/link")
    with pytest.raises(OSError, match="symbolic link"):
        disk.read(f"{base}/link", 0, 10)
    with pytest.raises(OSError, match="symbolic link"):
        disk.write(f"{base}/link", 0, b"x")


def test_attributes_are_set_on_files_and_directories(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 3)
    disk.make_directories(f"{base}/d")
    for name in ("a", "d"):
        disk.set_attributes(f"{base}/{name}", 0o500, 1_234_567_890)
    found = disk.stat(f"{base}/a")
    assert found is not None
    assert replace(found, inode=0) == FileStat("file", 3, 0o500, 1_234_567_890)
    found = disk.stat(f"{base}/d")
    assert found is not None
    assert (found.mode, found.mtime_ns) == (0o500, 1_234_567_890)


def test_a_symlink_gets_its_own_time_and_its_target_none(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 0)
    disk.symlink("a", f"{base}/link")
    disk.set_attributes(f"{base}/link", 0o777, 99)
    link, target = disk.stat(f"{base}/link"), disk.stat(f"{base}/a")
    assert link is not None
    assert target is not None
    assert (link.kind, link.mtime_ns) == ("symlink", 99)
    assert (target.mode, target.mtime_ns != 99) == (0o600, True)


def test_directories_are_made_with_their_parents_and_again(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.make_directories(f"{base}/a/b/c")
    disk.make_directories(f"{base}/a/b/c")
    make_durable_directories(disk, f"{base}/a/x/y")
    assert disk.list_directory(f"{base}/a") == ["b", "x"]


def test_a_file_in_the_way_of_a_directory_is_an_error(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 0)
    with pytest.raises((FileExistsError, NotADirectoryError)):
        disk.make_directories(f"{base}/a")


def test_a_symlink_is_switched_whether_it_was_there_or_not(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.switch_symlink("one", f"{base}/current")
    disk.switch_symlink("two", f"{base}/current")
    assert disk.read_link(f"{base}/current") == "two"
    assert disk.list_directory(base) == ["current"]


def test_only_a_symlink_points_somewhere(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 0)
    assert disk.read_link(f"{base}/a") is None
    assert disk.read_link(f"{base}/nothing") is None
    assert disk.read_link(f"{base}/a/below") is None


def test_a_directory_reached_through_a_symlink_can_be_read(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.make_directories(f"{base}/releases/1")
    disk.append(f"{base}/releases/1/app", b"app")
    disk.symlink("releases/1", f"{base}/current")
    assert disk.read_all(f"{base}/current/app", 10) == b"app"
    assert disk.list_directory(f"{base}/current") == ["app"]


def test_rename_moves_a_tree_and_writes_follow_the_names(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.make_directories(f"{base}/a")
    disk.append(f"{base}/a/file", b"old")
    disk.write(f"{base}/a/file", 0, b"O")
    disk.rename(f"{base}/a", f"{base}/b")
    disk.make_directories(f"{base}/a")
    disk.append(f"{base}/a/file", b"new")
    disk.write(f"{base}/a/file", 0, b"N")
    assert (disk.read_all(f"{base}/a/file", 9), disk.read_all(f"{base}/b/file", 9)) == (b"New", b"Old")


def test_a_tree_is_not_renamed_over_another(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.make_directories(f"{base}/a")
    disk.make_directories(f"{base}/b/full")
    with pytest.raises(OSError, match="not empty"):
        disk.rename(f"{base}/a", f"{base}/b")


def test_a_tree_goes_with_all_that_is_in_it_however_protected(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.make_directories(f"{base}/a/b/c")
    disk.append(f"{base}/outside", b"stays")
    disk.symlink("../../outside", f"{base}/a/b/link")
    disk.symlink("../..", f"{base}/a/b/up")
    for name in ("a/b/c", "a/b", "a"):
        disk.set_attributes(f"{base}/{name}", 0o500, 0)
    disk.remove_tree(f"{base}/a")
    disk.remove_tree(f"{base}/a")
    assert disk.list_directory(base) == ["outside"]


def test_a_file_or_a_link_goes_too(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 0)
    disk.symlink("nowhere", f"{base}/link")
    for name in ("a", "link"):
        disk.remove_tree(f"{base}/{name}")
    assert disk.list_directory(base) == []


def test_what_is_not_there_has_no_kind_and_no_names(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.create(f"{base}/a", 0)
    assert [kinds(disk, f"{base}/{name}") for name in ("nothing", "a/below")] == [None, None]
    assert [disk.list_directory(f"{base}/{name}") for name in ("nothing", "a")] == [[], []]


def test_free_bytes_can_be_asked_of_a_place_that_will_be(place: tuple[Disk, str]) -> None:
    disk, base = place
    assert disk.free_bytes(f"{base}/not/yet") > 0


def test_a_lock_has_one_holder(place: tuple[Disk, str]) -> None:
    disk, base = place
    held = disk.lock(f"{base}/lock")
    assert held is not None
    assert disk.lock(f"{base}/lock") is None
    held.release()
    again = disk.lock(f"{base}/lock")
    assert again is not None
    again.release()


def test_syncing_takes_files_directories_and_everything(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.append(f"{base}/a", b"x")
    disk.sync(f"{base}/a")
    disk.sync(base)
    disk.sync_all(base)
    with pytest.raises(FileNotFoundError):
        disk.sync(f"{base}/nothing")


def test_the_boot_id_is_the_same_twice(place: tuple[Disk, str]) -> None:
    disk, _ = place
    assert disk.boot_id() == disk.boot_id() != ""


def test_a_fifo_planted_by_a_service_does_not_hold_us_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    disk = RealDisk()
    found = disk.stat(f"{tmp_path}/pipe")
    assert found is not None
    assert found.kind == "other"
    with pytest.raises(OSError, match="Illegal seek"):
        disk.read(f"{tmp_path}/pipe", 0, 10)


def test_what_is_in_memory_is_all_there_or_nothing_is_said(place: tuple[Disk, str]) -> None:
    disk, base = place
    disk.append(f"{base}/file", b"0123456789")
    assert disk.read_cached(f"{base}/file", 2, 5) in (b"23456", None)
    assert disk.read_cached(f"{base}/file", 8, 5) is None
    assert disk.read_cached(f"{base}/absent", 0, 1) is None
