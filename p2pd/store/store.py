"""The store: all artifacts of this machine, by swarm.

Below the state directory: `lock`, `manifests/<hex>`, `journals/<hex>` and `artifacts/<hex>` (the record), named by the
swarm. An artifact's pieces lie in its own files: while staged in `.staging-<16 hex>` beside the destination, once
finished at the destination, and nowhere else. A record is written before what it speaks of is made or moved, so that
`open` after any interruption finds everything and knows how far it came.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from manifests import codec
from manifests.digest import manifest_digest, verify
from manifests.errors import DigestMismatchError
from manifests.limits import MANIFEST_BYTES_MAX
from manifests.manifest import Manifest
from p2pd.policy.retention import Shelf
from p2pd.world.disk import Disk, Lock
from p2pd.world.durable import make_durable_directories

from . import reuse as reusing
from .artifact import LOCAL_SOURCE, Artifact
from .errors import (
    NO_SPACE_ERRNOS,
    ArtifactElsewhereError,
    DestinationTakenError,
    NoSpaceError,
    QuotaError,
    StoreError,
    StoreInUseError,
    no_space,
    no_space_as_such,
)
from .journal import Journal
from .places import Places
from .placing import lay_out, looks_like, seal, sync_files
from .reading import located, read_cached, read_verified
from .record import FINISHED, FINISHING, REMOVING_FINISHED, REMOVING_STAGED, STAGED, Record
from .recovery import recover
from .seeds import Seeds
from .spans import Span

CHECKPOINT_BYTES: Final = 256 * 2**20
"""Unsynced at most: what is hashed again after a power cut, 0.2 s; and what is fetched again if it was lost."""
CHECKPOINT_S: Final = 30.0
"""Unsynced at most, where bytes come slowly."""
Found = TypeVar("Found")


class Store:
    """Holds artifacts. `reserve_bytes` of the file system are never filled. `quota`: bytes that all artifacts
    may take, and the share of the disk, 0 for none. `seeds`: files and block devices in which
    old bytes may lie. Call `open` first, `close` last.
    """

    def __init__(
        self,
        disk: Disk,
        directory: str,
        *,
        reserve_bytes: int = 0,
        quota: tuple[int, float] = (0, 0.0),
        seeds: Sequence[str] = (),
    ) -> None:
        self.disk = disk
        self.directory = directory
        self.seeds = Seeds(disk, f"{directory}/seeds", seeds)
        self._places = Places(directory)
        self._reserve_bytes, self._quota = reserve_bytes, quota
        self._artifacts: dict[bytes, Artifact] = {}
        self.artifacts: Mapping[bytes, Artifact] = MappingProxyType(self._artifacts)
        """By swarm."""
        self.beside: Store | None = None
        """Another store of ours on this disk: what it holds takes room, and of the quota, as what we hold does."""
        self._lock: Lock | None = None
        self._changing = threading.RLock()
        """One add or remove at a time."""
        self.damaged: list[str] = []
        """What `open` had to give up, for people."""

    def __repr__(self) -> str:
        return f"<Store {self._places.directory} {list(self._artifacts.values())}>"

    def open(self) -> None:
        """Take over what the last process left: StoreInUseError if it still runs.

        Pieces that a power cut may have taken are hashed again; interrupted finishes and removals are completed.
        """
        for directory in self._places.directories:
            make_durable_directories(self.disk, directory)
        self._lock = self.disk.lock(self._places.lock)
        if self._lock is None:
            raise StoreInUseError(f"another process works on {self._places.directory}")
        found, self.damaged = recover(self.disk, self._places)
        self._artifacts.clear()
        self._artifacts.update(found)

    def close(self) -> None:
        """Make everything durable, and let another process have the directory."""
        for artifact in self._artifacts.values():
            if artifact.unsynced_bytes:
                try:
                    self.checkpoint(artifact)
                except OSError:  # full: what is not known to be durable is hashed again after a power cut
                    continue
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def add(self, manifest_bytes: bytes, destination: str, *, in_place: bool = False) -> Artifact:
        """The artifact of this manifest, to be finished at `destination`; the same again if it is there already.

        A destination that already holds the release is verified and taken over. `in_place`: the destination is a file
        or block device that is written over, piece by piece; what it held before is lost. MalformedManifestError,
        NoSpaceError, DestinationTakenError, ArtifactElsewhereError; StoreError for what can't be written in place.
        """
        swarm = manifest_digest(manifest_bytes)
        with self._changing:
            known = self._artifacts.get(swarm)
            if known is not None:
                if known.destination != destination:
                    raise ArtifactElsewhereError(known.manifest.release, known.destination)
                return known
            if any(artifact.destination == destination for artifact in self._artifacts.values()):
                raise DestinationTakenError(destination)
            artifact = self._new_artifact(codec.decode(manifest_bytes), swarm, destination, in_place)
            with no_space_as_such(self.disk, destination, artifact.manifest.size):
                if in_place:
                    self._begin_in_place(artifact, manifest_bytes)
                elif self.disk.stat(destination) is not None:
                    self._adopt(artifact, manifest_bytes)
                else:
                    self._stage(artifact, manifest_bytes)
            self._artifacts[swarm] = artifact
            return artifact

    def check_space(self, artifact: Artifact) -> None:
        """NoSpaceError if what is still missing does not fit on the disk, QuotaError if it exceeds the quota."""
        directory, size = os.path.dirname(artifact.destination), artifact.manifest.size
        shelf = self.shelf(directory, artifact)
        if (lacking := shelf.disk_lacks(size, artifact.present_bytes)) > 0:
            raise NoSpaceError(directory, lacking)
        if shelf.quota is not None and (lacking := shelf.quota_lacks(size)) > 0:
            raise QuotaError(directory, lacking, shelf.quota)

    def shelf(self, directory: str, beside: Artifact | None = None) -> Shelf:
        """The disk of this directory, and what all artifacts but this one take."""
        stored = [*self._artifacts.values(), *(self.beside.artifacts.values() if self.beside else ())]
        ours = [one for one in stored if one is not beside and not one.in_place]
        return Shelf(
            free=self.disk.free_bytes(directory),
            reserve=self._reserve_bytes,
            taken=sum(one.manifest.size for one in ours),
            unwritten=sum(one.manifest.size - one.present_bytes for one in ours if not one.finished),
            quota_bytes=self._quota[0],
            quota_share=self._quota[1],
        )

    def get(self, swarm: bytes) -> Artifact | None:
        """One of `artifacts`."""
        return self._artifacts.get(swarm)

    def write_piece(
        self,
        artifact: Artifact,
        piece: int,
        data: bytes | bytearray | memoryview,
        source: str,
        *,
        verified: bool = False,
    ) -> bool:
        """Verify, write, journal, and only then call it present; False if it was (or became) present anyway.

        `verified`: the caller has just seen that these bytes, which nobody else holds, have the piece's digest.

        DigestMismatchError; NoSpaceError, after which all that was present still is; NotWritableError.
        """
        try:
            return self._write(artifact, piece, data, source, verified)
        except OSError as error:
            if error.errno not in NO_SPACE_ERRNOS:
                raise
            missing_bytes = artifact.manifest.size - artifact.present_bytes
            raise no_space(self.disk, artifact.root, missing_bytes) from error

    def _write(
        self, artifact: Artifact, piece: int, data: bytes | bytearray | memoryview, source: str, verified: bool
    ) -> bool:
        if not artifact.begin_writing(piece):
            artifact.count_duplicate(len(data))
            return False
        manifest = artifact.manifest
        try:
            if len(data) != manifest.lengths[piece]:
                raise DigestMismatchError(f"{len(data)} bytes for a piece of {manifest.lengths[piece]}")
            if not verified:
                verify(manifest.algorithm, data, manifest.digest(piece))
            view, at = memoryview(data), 0
            for extent in manifest.extents(piece):
                path = artifact.file_path(extent.entry)
                self.disk.write(path, extent.offset, view[at : at + extent.length])
                at += extent.length
        except BaseException:
            artifact.end_writing(piece, None)
            raise
        return artifact.end_writing(piece, source)

    def read_piece(self, artifact: Artifact, piece: int) -> bytes | None:
        """The piece, verified; None if it is not present, or turned out to be damaged or gone (see `lost`)."""
        return self._verified(artifact, piece, read_verified)

    def locate_piece(self, artifact: Artifact, piece: int) -> Sequence[Span] | None:
        """Where it lies now, verified there in parts; None as of `read_piece`."""
        return self._verified(artifact, piece, located)

    def _verified(
        self, artifact: Artifact, piece: int, look: Callable[[Disk, Artifact, int], Found | None]
    ) -> Found | None:
        if not artifact.has(piece):
            return None
        found = look(self.disk, artifact, piece)
        if found is None:
            with artifact.moving:  # it may just have been finished: look at where it is now
                found = look(self.disk, artifact, piece)
                if found is None:
                    artifact.mark_lost(piece)
        return found

    def read_cached_piece(self, artifact: Artifact, piece: int) -> bytes | bytearray | None:
        """The piece, verified, if that takes no waiting for a disk; None says nothing. For the event loop itself."""
        return read_cached(self.disk, artifact, piece) if artifact.has(piece) else None

    def read_manifest(self, artifact: Artifact, offset: int = 0, length: int = MANIFEST_BYTES_MAX) -> bytes:
        """A part of the manifest's bytes. They are kept on disk only: in memory they would double its digests."""
        return self.disk.read(self._places.manifest(artifact.swarm), offset, length)

    def has_something(self) -> bool:
        """Whether there is anything that `reusable` could look into."""
        return self.seeds.known or any(artifact.present_count for artifact in self._artifacts.values())

    def find(self, digest: bytes) -> tuple[Artifact, int] | None:
        """Some artifact that holds this chunk, and as which piece."""
        for artifact in tuple(self._artifacts.values()):
            if artifact.present_count:
                for piece in artifact.index.find(digest):
                    if artifact.has(piece):
                        return artifact, piece
        return None

    def read_elsewhere(self, manifest: Manifest, piece: int) -> bytes | None:
        """A release's piece from whatever here holds it, verified; None if nothing does (any more)."""
        return reusing.read_elsewhere(self, manifest, piece)

    def reusable(self, artifact: Artifact) -> list[list[int]]:
        """The missing pieces that seem to lie here already, in batches for `reuse`."""
        return reusing.reusable(self, artifact)

    def reuse(self, artifact: Artifact, pieces: Sequence[int]) -> list[int]:
        """Copy those of the pieces that lie here, verified where they were copied to; which were copied."""
        return reusing.reuse(self, artifact, pieces)

    def checkpoint_due(self, artifact: Artifact, now: float) -> bool:
        """Is there so much unsynced, or for so long? `now` on any clock that is always the same one."""
        if not artifact.unsynced_bytes:
            artifact.unsynced_since = None
            return False
        if artifact.unsynced_since is None:
            artifact.unsynced_since = now
        return artifact.unsynced_bytes >= CHECKPOINT_BYTES or now - artifact.unsynced_since >= CHECKPOINT_S

    def checkpoint(self, artifact: Artifact) -> None:
        """What is present now is durable, and durably known to be."""
        with artifact.lock:
            covered, synced_bytes = artifact.journal.position, artifact.unsynced_bytes
        with artifact.moving:
            if artifact.removed:
                return
            sync_files(self.disk, artifact)
        with artifact.lock:
            if not artifact.removed:
                artifact.journal.checkpoint(covered)
                artifact.unsynced_bytes -= synced_bytes
                artifact.unsynced_since = None

    def finish(self, artifact: Artifact) -> None:
        """Make a complete artifact visible at its destination, all at once. Idempotent, also after a crash anywhere.

        StoreError if pieces are missing; DestinationTakenError.
        """
        if artifact.finished:
            return
        if not artifact.complete:
            raise StoreError(f"{artifact!r} is not complete")
        disk, record = self.disk, self._record(artifact, FINISHING)
        artifact.wait_until_quiet()
        if artifact.in_place:
            self.checkpoint(artifact)
            artifact.finished = True
            self._save(artifact, FINISHED)
            return
        with no_space_as_such(disk, artifact.destination, 0):
            seal(disk, record.staging, artifact.manifest)
            self.checkpoint(artifact)
            self._save(artifact, FINISHING)
        with artifact.moving:
            if disk.stat(artifact.destination) is not None:
                raise DestinationTakenError(artifact.destination)
            disk.rename(record.payload, artifact.destination)
            artifact.root, artifact.finished = artifact.destination, True
        disk.remove_tree(record.staging)
        self._save(artifact, FINISHED)

    def remove(self, artifact: Artifact) -> None:
        """Gone from disk and from the store; at its destination all at once."""
        with self._changing:
            if artifact.removed:
                return
            if not artifact.in_place:
                self.disk.remove_tree(self._places.trash(artifact.swarm, artifact.destination))
            record = self._save(artifact, REMOVING_FINISHED if artifact.finished else REMOVING_STAGED)
            with artifact.moving, artifact.lock:
                artifact.removed = True
            artifact.wait_until_quiet()
            self._artifacts.pop(artifact.swarm, None)
            self._places.discard(self.disk, artifact.swarm, record, finished=artifact.finished)

    def usage(self) -> dict[bytes, int]:
        """Bytes present of each artifact, by swarm."""
        return {swarm: artifact.present_bytes for swarm, artifact in self._artifacts.items()}

    def _new_artifact(self, manifest: Manifest, swarm: bytes, destination: str, in_place: bool) -> Artifact:
        journal = Journal(self.disk, self._places.journal(swarm), swarm)
        root = destination if in_place else self._places.staging(swarm, destination)
        return Artifact(manifest, swarm, destination, root, journal, finished=False, in_place=in_place)

    def _record(self, artifact: Artifact, state: str) -> Record:
        staging = self._places.staging(artifact.swarm, artifact.destination)
        payload = staging if artifact.manifest.tree else f"{staging}/{artifact.manifest.entries[0].path}"
        return Record(artifact.manifest.release, artifact.destination, staging, payload, state, artifact.in_place)

    def _save(self, artifact: Artifact, state: str) -> Record:
        record = self._record(artifact, state)
        record.save(self.disk, self._places.record(artifact.swarm))
        return record

    def _stage(self, artifact: Artifact, manifest_bytes: bytes) -> None:
        """Journal and empty files. Should it fail, nothing is left."""
        disk = self.disk
        self.check_space(artifact)
        disk.replace(self._places.manifest(artifact.swarm), manifest_bytes)
        record = self._save(artifact, STAGED)
        try:
            disk.remove_tree(record.staging)
            artifact.journal.start()
            lay_out(disk, record.staging, artifact.manifest)
        except OSError:
            self._places.discard(disk, artifact.swarm, record, finished=False)
            raise

    def _begin_in_place(self, artifact: Artifact, manifest_bytes: bytes) -> None:
        """Journal and record; the first write to the destination comes later."""
        manifest, place = artifact.manifest, artifact.destination
        if manifest.tree:
            raise StoreError(f"{manifest.release} is a tree: only a release that is one file can be written in place")
        found = self.disk.stat(place)
        if found is None or found.kind not in ("file", "other"):
            raise StoreError(f"{place}: {f'a {found.kind}' if found else 'not there'}; it must be a file or device")
        if manifest.size and not self.disk.read(place, manifest.size - 1, 1):
            raise StoreError(f"{place} is smaller than {manifest.release}, which has {manifest.size} bytes")
        self.disk.replace(self._places.manifest(artifact.swarm), manifest_bytes)
        self._save(artifact, STAGED)
        artifact.journal.start()

    def _adopt(self, artifact: Artifact, manifest_bytes: bytes) -> None:
        """What is at the destination already, if it is this very release; DestinationTakenError if not."""
        manifest = artifact.manifest
        if not looks_like(self.disk, artifact.destination, manifest):
            raise DestinationTakenError(artifact.destination)
        artifact.root, artifact.finished = artifact.destination, True
        if any(read_verified(self.disk, artifact, piece) is None for piece in range(manifest.pieces)):
            raise DestinationTakenError(artifact.destination)
        self.disk.replace(self._places.manifest(artifact.swarm), manifest_bytes)
        artifact.journal.start()
        for piece in range(manifest.pieces):
            artifact.mark_present(piece, LOCAL_SOURCE)
        self.checkpoint(artifact)
        self._save(artifact, FINISHED)
