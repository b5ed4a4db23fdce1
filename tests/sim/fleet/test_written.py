"""What counts as written twice, seen from a disk."""

from random import Random

import pytest

from sim.chaos.written import Written
from sim.disk import DiskSpeed, SimDisk
from sim.fleet.releases import Release, ReleaseSpec, publish

PIECE = 1000
RELEASE: Release = next(iter(publish((ReleaseSpec("1.0", 1),), 8, PIECE).releases.values()))
ROOT = f"/srv/.staging-{RELEASE.swarm.hex()[:16]}"


class Disk:
    """A disk with the release's empty files, and what is said of each write to it."""

    def __init__(self) -> None:
        self.disk = SimDisk(DiskSpeed())
        self.disk.make_directories(f"{ROOT}/bin")
        for entry in RELEASE.manifest.entries:
            if entry.kind == "file":
                self.disk.create(f"{ROOT}/{entry.path}", entry.size)
        self.written = Written(self.disk, [RELEASE])

    def write(self, piece: int, data: bytes | None = None) -> list[str]:
        """Write a piece where it belongs; what is said of each part of it."""
        said, at = [], 0
        for extent in RELEASE.manifest.extents(piece):
            path = f"{ROOT}/{RELEASE.manifest.entries[extent.entry].path}"
            self.disk.write(path, extent.offset, (data or RELEASE.pieces[piece])[at : at + extent.length])
            said.append(self.written.add(path, extent.offset, extent.length))
            at += extent.length
        return said


IN_TWO_FILES = next(piece for piece in range(8) if len(list(RELEASE.manifest.extents(piece))) == 2)


@pytest.mark.parametrize("piece", [0, IN_TWO_FILES])
def test_a_piece_that_was_right_is_not_to_be_written_again(piece: int) -> None:
    disk = Disk()
    assert not any(disk.write(piece))
    assert f"piece {piece}" in disk.write(piece)[0]


@pytest.mark.parametrize("part", ["first", "last"])
def test_a_piece_of_which_a_part_was_wrong_may_be_written_again(part: str) -> None:
    disk, right = Disk(), RELEASE.pieces[IN_TWO_FILES]
    damaged = bytes((right[0] ^ 1,)) + right[1:] if part == "first" else right[:-1] + bytes((right[-1] ^ 1,))
    disk.write(IN_TWO_FILES, damaged)
    assert not any(disk.write(IN_TWO_FILES))


def test_after_a_power_cut_all_may_be_written_again() -> None:
    disk = Disk()
    disk.write(0)
    disk.written.forget_all()
    assert not any(disk.write(0))


def test_what_failed_in_the_journal_may_be_written_again() -> None:
    disk = Disk()
    disk.write(0)
    disk.written.forget_failed("/state/journals/x")
    assert not any(disk.write(0))


def test_writes_elsewhere_are_no_concern_of_it() -> None:
    written = Written(SimDisk(DiskSpeed()), [RELEASE])
    assert [written.add(path, 0, 9) for path in ("/srv/a", f"{ROOT}/unknown", "/x/.staging-0/y")] == ["", "", ""]


def test_random_pieces_in_any_order_are_right_once() -> None:
    disk, order = Disk(), list(range(8))
    Random(3).shuffle(order)
    assert not any(word for piece in order for word in disk.write(piece))
    assert all(disk.write(piece)[0] for piece in order)
