"""What is said to be durable is, and nobody waits for what others wrote."""

import pytest

from tests.fakes.disk import MemoryDisk

from .releases import DESTINATION, Release, install, is_exactly, opened, sample, single

FEW = sample(symlinks=False)


@pytest.mark.parametrize("release", [FEW, single()], ids=["tree", "file"])
def test_a_finished_release_of_few_files_survives_a_power_cut(disk: MemoryDisk, release: Release) -> None:
    install(opened(disk), release)
    disk.crash()
    assert is_exactly(disk, DESTINATION, release)


def test_who_finishes_a_release_of_few_files_waits_for_nobody_elses_bytes(disk: MemoryDisk) -> None:
    disk.create("/log", 0)
    disk.sync("/log")
    disk.sync("/")
    disk.append("/log", b"others wrote this")
    install(opened(disk), FEW)
    disk.crash()
    assert disk.read_all("/log", 100) == b""


def test_a_symlink_is_synced_with_all_else(disk: MemoryDisk) -> None:
    release = sample()
    install(opened(disk), release)
    disk.crash()
    assert is_exactly(disk, DESTINATION, release)


def test_directories_that_a_killed_process_had_made_above_it_are_durable_with_it(disk: MemoryDisk) -> None:
    disk.make_directories("/srv/web/releases")  # and before they were synced the process was killed
    install(opened(disk), FEW)
    disk.crash()
    assert is_exactly(disk, DESTINATION, FEW)


class GuardedDisk(MemoryDisk):
    """Some paths may be entered but not opened."""

    closed: tuple[str, ...] = ()

    def sync(self, path: str) -> None:
        if path.endswith(self.closed):
            raise PermissionError(path)
        super().sync(path)


@pytest.mark.parametrize("closed", [("/data/ro",), ("/void",), ("/srv",)], ids=["file", "directory", "above"])
def test_what_may_not_be_opened_is_no_reason_to_fail(closed: tuple[str, ...]) -> None:
    disk = GuardedDisk()
    disk.make_directories("/srv")
    disk.sync_all("/")
    disk.closed = closed
    install(opened(disk), FEW)
    disk.crash()
    assert is_exactly(disk, DESTINATION, FEW)
