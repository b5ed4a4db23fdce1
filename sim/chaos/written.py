"""The rule `twice`: a piece that was verified and written is not written again (until a power cut may have taken it).

Seen from outside: a piece counts as written when all its bytes on the disk are right. What is copied from an older
release is verified only where it was copied to, so bytes of it that turn out to be wrong count for nothing.
"""

from collections.abc import Iterable

from sim.disk import SimDisk
from sim.fleet.releases import Release

STAGING = ".staging-"


class Written:
    """What one host's disk holds of the releases that are being staged there."""

    def __init__(self, disk: SimDisk, releases: Iterable[Release]) -> None:
        self._disk = disk
        self._releases = {release.swarm.hex()[:16]: release for release in releases}
        self._starts = {name: _starts(release) for name, release in self._releases.items()}
        self._right: set[tuple[str, int]] = set()

    def __repr__(self) -> str:
        return f"<Written {len(self._right)} pieces>"

    def add(self, path: str, offset: int, length: int) -> str:
        """Bytes were written there; what of that had been written before, in words, or ''."""
        folder, _, inside = path.partition(STAGING)
        name, _, entry = inside.partition("/")
        release = self._releases.get(name)
        if release is None or entry not in self._starts[name]:
            return ""
        piece_bytes, start = len(release.pieces[0]), self._starts[name][entry] + offset
        end = start + length
        for piece in range(start // piece_bytes, -(-end // piece_bytes)):
            if (name, piece) in self._right:
                return f"{length} bytes at {offset} of {path} hold piece {piece}, which was written before"
            # Of a piece that lies in two files, one part may be right already: it is written when its last byte is.
            if (piece + 1) * piece_bytes <= end and self._is_right(f"{folder}{STAGING}{name}", release, piece):
                self._right.add((name, piece))
        return ""

    def _is_right(self, root: str, release: Release, piece: int) -> bool:
        manifest, at = release.manifest, 0
        for extent in manifest.extents(piece):
            right = release.pieces[piece][at : at + extent.length]
            if self._disk.peek(f"{root}/{manifest.entries[extent.entry].path}", extent.offset, extent.length) != right:
                return False
            at += extent.length
        return True

    def forget(self, path: str) -> None:
        """What is at this path begins anew."""
        name = path.partition(STAGING)[2].partition("/")[0]
        self._right = {one for one in self._right if one[0] != name}

    def forget_failed(self, path: str) -> None:
        """It could not be written. If it is a journal, nobody knows what was verified."""
        if STAGING in path:
            self.forget(path)
        else:
            self.forget_all()

    def forget_all(self) -> None:
        """Power was cut."""
        self._right.clear()


def _starts(release: Release) -> dict[str, int]:
    """Where each file begins in the stream of bytes."""
    starts, at = dict[str, int](), 0
    for entry in release.manifest.entries:
        if entry.kind == "file":
            starts[entry.path] = at
            at += entry.size
    return starts
