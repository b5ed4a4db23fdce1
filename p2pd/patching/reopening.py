"""Compressed streams on a device: what this machine can open and make again, on a scratch file beside the packs."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from manifests.delta.applying import Applied
from manifests.delta.closing import Closing, OpenedBase, can_close
from manifests.delta.opened import Pieces, Region
from manifests.delta.pack import PackIndex
from manifests.manifest import Manifest
from p2pd.world.disk import Disk

DIRECTORY = "opened"
"""Below the directory of the packs: scratch files, by the pack's swarm. They are worth nothing after a restart."""


def scratch_directory(packs: str, swarm: bytes) -> str:
    """Where a pack's scratch files are."""
    return os.path.join(packs, DIRECTORY, swarm.hex())


def _parent(scratch: str) -> str:
    """The packs' own directory, which is there."""
    return os.path.dirname(os.path.dirname(scratch))


@dataclass(frozen=True, slots=True)
class ScratchFile:
    """One of them, on a disk."""

    disk: Disk
    path: str

    def read(self, offset: int, length: int) -> bytes:
        """See `manifests.delta.closing.Scratch`."""
        return self.disk.read(self.path, offset, length)

    def write(self, offset: int, data: bytes) -> None:
        """See `manifests.delta.closing.Scratch`."""
        self.disk.write(self.path, offset, data)


class Reopening:
    """What a pack opens. `read`: pieces of the base, verified, or None. Files are made only where needed; OSError."""

    def __init__(
        self,
        index: PackIndex,
        release: Manifest,
        base: Manifest | None,
        read: Callable[[int], bytes | None],
        disk: Disk,
        directory: str,
        memory_bytes_max: int,
    ) -> None:
        self.pieces = Pieces(release, index.opened)
        self._disk, self._directory = disk, directory
        opens = base is not None and bool(memory_bytes_max) and self._has_room(index)
        self._can = {region: opens and can_close(region, memory_bytes_max) for region in self.pieces.regions}
        self._old: Pieces | None = None
        self._held = held = 0 if base is None else base.pieces
        self.read: Callable[[int], bytes | None] = lambda piece: read(piece) if piece < held else None
        if base is not None and opens:
            self._disk.remove_tree(directory)
            self._disk.make_directories(directory)
            self._old, scratch = Pieces(base, index.old_opened), self._scratch("base", index.old_opened.lengths)
            self.read = OpenedBase(self._old, read, scratch, memory_bytes_max).piece
            self._closing = Closing(self.pieces, self._scratch("release", index.opened.lengths))

    def _has_room(self, index: PackIndex) -> bool:
        """False also where nothing is to be opened."""
        opened_bytes = sum(index.opened.lengths) + sum(index.old_opened.lengths)
        needed_bytes = opened_bytes + self.pieces.manifest.size
        return bool(opened_bytes) and self._disk.free_bytes(_parent(self._directory)) > needed_bytes

    def _scratch(self, name: str, lengths: tuple[int, ...]) -> ScratchFile:
        path = os.path.join(self._directory, name)
        self._disk.create(path, sum(lengths))
        return ScratchFile(self._disk, path)

    def opened_for(self, piece: int) -> range | None:
        """The opened pieces that a piece is made of; empty if this machine can't do that; None: it is not opened."""
        region = self.pieces.region_of(piece)
        if region is None:
            return None
        return region.opened if self._can[region] else range(0)

    def underlying(self, number: int) -> range | None:
        """The base's pieces that one of them, opened or not, is had from; None where it can't be opened."""
        if number < self._held:
            return range(number, number + 1)
        region = self._old.region_of(number) if self._old else None
        return range(region.first, region.last + 1) if region else None

    def take(self, applied: Applied) -> Iterator[Applied]:
        """What comes of a piece of the pack: itself, or the pieces of a region that has all its opened ones now."""
        if applied.piece < self.pieces.manifest.pieces:
            yield applied
        elif self._can[self._region(applied.piece)]:
            yield from self._closing.take(applied.piece, applied.data)

    def _region(self, opened: int) -> Region:
        region = self.pieces.region_of(opened)
        assert region is not None
        return region
