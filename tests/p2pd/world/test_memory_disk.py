"""What a power cut does to the disk in memory. The store's crash tests are worth as much as this."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.disk import MemoryDisk, PowerCut


def durable_file(content: bytes = b"durable") -> MemoryDisk:
    disk = MemoryDisk()
    disk.append("/a", content)
    disk.sync("/a")
    disk.sync("/")
    return disk


def test_unsynced_bytes_are_gone() -> None:
    disk = durable_file()
    disk.write("/a", 0, b"D")
    disk.append("/a", b"more")
    disk.crash()
    assert disk.read_all("/a", 99) == b"durable"


def test_a_name_that_was_not_synced_is_gone_though_its_bytes_were() -> None:
    disk = durable_file()
    disk.append("/b", b"x")
    disk.sync("/b")
    disk.crash()
    assert disk.list_directory("/") == ["a"]


def test_a_synced_name_of_unsynced_bytes_is_an_empty_file() -> None:
    disk = MemoryDisk()
    disk.append("/a", b"x")
    disk.sync("/")
    disk.crash()
    assert disk.read_all("/a", 99) == b""


def test_an_unsynced_removal_is_undone() -> None:
    disk = durable_file()
    disk.remove_tree("/a")
    disk.crash()
    assert disk.read_all("/a", 99) == b"durable"


def test_what_a_power_cut_took_is_not_found_where_it_was_used_before() -> None:
    disk = MemoryDisk()
    disk.make_directories("/d")
    disk.append("/d/a", b"x")
    assert disk.read_all("/d/a", 99) == b"x"
    disk.crash()
    with pytest.raises(FileNotFoundError):
        disk.read_all("/d/a", 99)


def test_an_unsynced_truncation_is_undone() -> None:
    disk = durable_file()
    disk.truncate("/a", 2)
    disk.crash()
    assert disk.read_all("/a", 99) == b"durable"


def test_unsynced_attributes_are_undone() -> None:
    disk = durable_file()
    disk.set_attributes("/a", 0o444, 5)
    disk.crash()
    found = disk.stat("/a")
    assert found is not None
    assert found.mode == 0o600


def test_sync_all_makes_everything_durable() -> None:
    disk = MemoryDisk()
    disk.make_directories("/d/e")
    disk.append("/d/e/f", b"x")
    disk.sync_all("/d")
    disk.crash()
    assert disk.read_all("/d/e/f", 9) == b"x"


def test_replace_switch_and_rename_are_durable_at_once() -> None:
    disk = durable_file()
    disk.replace("/r", b"replaced")
    disk.switch_symlink("a", "/s")
    disk.rename("/a", "/b")
    disk.crash()
    assert disk.list_directory("/") == ["b", "r", "s"]
    assert disk.read_all("/r", 99) == b"replaced"


@given(st.integers(), st.lists(st.tuples(st.integers(0, 20), st.binary(min_size=1, max_size=9)), max_size=8))
def test_each_unsynced_byte_is_old_or_was_written(rng_seed: int, writes: list[tuple[int, bytes]]) -> None:
    disk = durable_file(b"0123456789")
    possible: list[set[int]] = [{byte} for byte in b"0123456789"] + [{0} for _ in range(30)]
    for offset, data in writes:
        disk.write("/a", offset, data)
        for at, byte in enumerate(data):
            possible[offset + at].add(byte)
    disk.crash(Random(rng_seed))
    assert all(byte in possible[at] for at, byte in enumerate(disk.read_all("/a", 99)))


def test_a_lucky_crash_may_spare_what_was_not_synced() -> None:
    seen = set()
    for rng_seed in range(20):
        disk = durable_file()
        disk.write("/a", 0, b"D")
        disk.crash(Random(rng_seed))
        seen.add(disk.read_all("/a", 99))
    assert seen == {b"durable", b"Durable"}


def test_nothing_works_while_the_power_is_off() -> None:
    disk = durable_file()
    disk.power_cut_after(1)
    disk.append("/a", b"x")
    with pytest.raises(PowerCut):
        disk.read("/a", 0, 1)
    with pytest.raises(PowerCut):
        disk.append("/a", b"y")
    disk.crash()
    assert disk.read_all("/a", 99) == b"durable"


def test_a_crash_changes_the_boot_id_and_frees_locks_and_a_kill_only_the_locks() -> None:
    disk = MemoryDisk()
    first = disk.boot_id()
    disk.lock("/lock")
    disk.kill()
    assert disk.lock("/lock") is not None
    assert disk.boot_id() == first
    disk.crash()
    assert disk.lock("/lock") is not None
    assert disk.boot_id() != first


def test_a_full_disk_takes_what_fits() -> None:
    disk = MemoryDisk(capacity_bytes=8192)
    disk.create("/a", 1_000_000)
    assert disk.free_bytes("/") == 8192
    with pytest.raises(OSError, match="No space"):
        disk.write("/a", 4000, bytes(9000))
    assert disk.free_bytes("/") == 0
    disk.write("/a", 5000, b"over what is there already")
    disk.remove_tree("/a")
    assert disk.free_bytes("/") == 8192


def test_a_loop_of_symlinks_is_an_error() -> None:
    disk = MemoryDisk()
    disk.symlink("b", "/a")
    disk.symlink("a", "/b")
    with pytest.raises(OSError, match="symbolic links"):
        disk.read("/a/x", 0, 1)
