"""One artifact as this machine holds it: what is present, where it lies, and where its bytes came from."""

import threading
from array import array
from collections.abc import Callable, Iterator
from typing import Final

from manifests.manifest import Manifest

from .errors import NO_SPACE_ERRNOS, NotWritableError
from .index import DigestIndex
from .journal import Journal, Replay

LOCAL_SOURCE: Final = "local"
"""The source of what was copied from another artifact on this machine, or found in place."""
PATCH_SOURCE: Final = "patch"
"""The source of what was made from a pack: of that, only the pack's bytes travelled."""


class Artifact:
    """Public attributes are for reading; only the store changes them.

    `present`: big-endian bits, one a piece. `root`: where the files are now (of a finished single file: the file).
    `in_place`: the one file is written where it belongs from the beginning, over what is there.
    `lost`: pieces that were present once, were found damaged or gone, and have not been written since.
    """

    def __init__(
        self,
        manifest: Manifest,
        swarm: bytes,
        destination: str,
        root: str,
        journal: Journal,
        *,
        finished: bool,
        in_place: bool = False,
    ) -> None:
        self.manifest = manifest
        self._index: DigestIndex | None = None
        self.swarm = swarm
        self.destination = destination
        self.root = root
        self.journal = journal
        self.finished = finished
        self.in_place = in_place
        self.removed = False
        self.present = bytearray((manifest.pieces + 7) // 8)
        self.present_count = 0
        self.present_bytes = 0
        self.bytes_by_source: dict[str, int] = {}
        self.duplicate_bytes = 0
        self.lost: list[int] = []
        self.unsynced_bytes = 0
        self.unsynced_since: float | None = None
        self.lock = threading.RLock()
        """Around the tables and the journal."""
        self._quiet = threading.Condition(self.lock)
        """Waited on until nobody writes."""
        self.moving = threading.RLock()
        """Held while the files change their place."""
        self._writers = 0
        self._awaited = 0
        """So many wait until it is quiet."""
        self._last_path = ("", -1, "")
        """Of the root and the entry before it: who writes pieces, or sends them, asks for the same one again."""

    def __repr__(self) -> str:
        state = "removed" if self.removed else "finished" if self.finished else "staged"
        return f"<Artifact {self.manifest.release} {self.present_count}/{self.manifest.pieces} {state}>"

    @property
    def complete(self) -> bool:
        """Every piece is present."""
        return self.present_count == self.manifest.pieces

    @property
    def index(self) -> DigestIndex:
        """From digest to piece; made when first asked for."""
        if self._index is None:
            self._index = DigestIndex(self.manifest)
        return self._index

    def has(self, piece: int) -> bool:
        """It was verified and written, and nothing else was seen since."""
        return bool(self.present[piece >> 3] & (0x80 >> (piece & 7)))

    def missing(self) -> Iterator[int]:
        """Pieces that are not present, ascending."""
        return (piece for piece in range(self.manifest.pieces) if not self.has(piece))

    def file_path(self, entry: int) -> str:
        """Where the entry is now."""
        root = self.root
        if self.in_place or (self.finished and not self.manifest.tree):
            return root
        last_root, last_entry, path = self._last_path
        if entry != last_entry or root is not last_root:
            path = f"{root}/{self.manifest.entries[entry].path}"
            self._last_path = (root, entry, path)
        return path

    def restore(self, state: Replay) -> None:
        """Take over what the journal said."""
        self.present[:] = state.present
        self.bytes_by_source = dict(state.bytes_by_source)
        self.duplicate_bytes = state.duplicate_bytes
        held = array("I", (piece for piece in range(self.manifest.pieces) if self.has(piece)))
        self.present_count = len(held)
        self.present_bytes = sum(self.manifest.lengths[piece] for piece in held)

    def begin_writing(self, piece: int) -> bool:
        """Before a piece is written to the files: `end_writing` follows. False if it is present: don't, they may be
        sealed any moment.

        NotWritableError once finished or removed.
        """
        with self.lock:
            if self.has(piece):
                return False
            if self.finished or self.removed:
                raise NotWritableError(f"{self!r} is not being staged")
            self._writers += 1
            return True

    def end_writing(self, piece: int, source: str | None) -> bool:
        """It is written: journal it, then say that it is present; False if another was faster, which counts as a
        duplicate. Without a source: it was not written."""
        with self.lock:
            try:
                return source is not None and self._mark_present(piece, source)
            finally:
                self._writers -= 1
                if self._awaited and not self._writers:
                    self._quiet.notify_all()

    def wait_until_quiet(self) -> None:
        """Until nobody is writing; for when no new writer can have reason to come."""
        with self._quiet:
            self._awaited += 1
            while self._writers:
                self._quiet.wait()
            self._awaited -= 1

    def mark_present(self, piece: int, source: str) -> bool:
        """Journal it, then say so; False if another was faster, which counts as a duplicate."""
        with self.lock:
            return self._mark_present(piece, source)

    def _mark_present(self, piece: int, source: str) -> bool:
        length = self.manifest.lengths[piece]
        if self.has(piece):
            self.count_duplicate(length)
            return False
        self.journal.present(piece, source)
        self.present[piece >> 3] |= 0x80 >> (piece & 7)
        self.present_count += 1
        self.present_bytes += length
        self.unsynced_bytes += length
        self.bytes_by_source[source] = self.bytes_by_source.get(source, 0) + length
        if piece in self.lost:
            self.lost.remove(piece)
        return True

    def mark_lost(self, piece: int) -> None:
        """It is damaged or gone; from now on it is not present."""
        with self.lock:
            if self.removed or not self.has(piece):
                return
            self.present[piece >> 3] &= ~(0x80 >> (piece & 7))
            self.present_count -= 1
            self.present_bytes -= self.manifest.lengths[piece]
            self.lost.append(piece)
            self._note(self.journal.lost, piece)

    def count_duplicate(self, length: int) -> None:
        """So many bytes arrived in vain."""
        with self.lock:
            self.duplicate_bytes += length
            if not self.removed:
                self._note(self.journal.duplicate, length)

    def _note(self, write: Callable[[int], None], number: int) -> None:
        """Journal what may be forgotten when the disk is full: a loss is found again, a count is a little low."""
        try:
            write(number)
        except OSError as error:
            if error.errno not in NO_SPACE_ERRNOS:
                raise
