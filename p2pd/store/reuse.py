"""Old bytes put to new use: what artifacts and seeds on this machine hold is copied, never fetched.

A piece is copied first and verified afterwards, where it now lies: a source may change at any moment, and may be a
partition that anybody writes to. The file system copies, or shares, whole runs of pieces at a time.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from manifests.digest import digest_function
from manifests.manifest import Manifest

from .artifact import LOCAL_SOURCE, Artifact
from .errors import no_space_as_such
from .reading import LOSS_ERRNOS, is_sound, read_verified
from .spans import Span, copies, merged, spans_of

if TYPE_CHECKING:
    from .store import Store

REUSE_BATCH_BYTES: Final = 64 * 2**20
"""In one batch of `reusable`: 0.1 s of work, so that progress shows and nobody waits long for a storage thread."""


def reusable(store: "Store", artifact: Artifact) -> list[list[int]]:
    """The missing pieces that seem to lie here, in batches of about REUSE_BATCH_BYTES for `reuse`."""
    batches: list[list[int]] = []
    room = 0
    if not (artifact.in_place or store.has_something()):
        return batches
    for piece in artifact.missing():
        if artifact.in_place or _place(store, artifact, piece):
            if room <= 0:
                batches.append([])
                room = REUSE_BATCH_BYTES
            batches[-1].append(piece)
            room -= artifact.manifest.lengths[piece]
    return batches


def reuse(store: "Store", artifact: Artifact, pieces: Sequence[int]) -> list[int]:
    """Copy those of the pieces that lie here, verified where they were copied to; which were copied.

    Of what is written in place, a piece may lie where it belongs already: that is never written again.
    """
    copied = _copy_runs(store, artifact, pieces)
    for piece in pieces:  # what was not what it seemed to be may lie elsewhere
        if not artifact.has(piece):
            data = read_elsewhere(store, artifact.manifest, piece)
            if data is not None and store.write_piece(artifact, piece, data, LOCAL_SOURCE):
                copied.append(piece)
    return sorted(copied)


def read_elsewhere(store: "Store", manifest: Manifest, piece: int) -> bytes | None:
    """A release's piece from whatever here holds it, verified; None if nothing does (any more)."""
    digest, length = manifest.digest(piece), manifest.lengths[piece]
    while (found := store.find(digest)) is not None:
        data = store.read_piece(*found)  # one that is damaged is not found again
        if data is not None:
            return data
    for span in store.seeds.find(digest, length, manifest.algorithm):
        try:
            data = store.disk.read(span.path, span.offset, span.length)
        except OSError as error:
            if error.errno not in LOSS_ERRNOS:
                raise
            continue
        if digest_function(manifest.algorithm)(data) == digest:
            return data
    return None


def locate(store: "Store", artifact: Artifact | None, manifest: Manifest, piece: int) -> Sequence[Span] | None:
    """Where a release's piece lies, verified there, for `read_part`; None if nothing here has it. `artifact`: asked
    first.
    """
    digest = manifest.digest(piece)
    held = (artifact, piece) if artifact is not None and artifact.has(piece) else store.find(digest)
    while held is not None:
        spans = store.locate_piece(*held)  # one that is damaged is not found again
        if spans is not None:
            return spans
        held = store.find(digest)
    for span in store.seeds.find(digest, manifest.lengths[piece], manifest.algorithm):
        if is_sound(store.disk, [span], manifest, piece):
            return [span]
    return None


def _copy_runs(store: "Store", artifact: Artifact, pieces: Sequence[int]) -> list[int]:
    manifest, copied = artifact.manifest, list[int]()
    with ExitStack() as stack:
        wanted = list[int]()
        for piece in pieces:
            if artifact.begin_writing(piece):
                stack.callback(artifact.end_writing, piece, None)
                wanted.append(piece)
        missing_bytes = sum(manifest.lengths[piece] for piece in wanted)
        stack.enter_context(no_space_as_such(store.disk, artifact.root, missing_bytes))
        there = [one for one in wanted if artifact.in_place and read_verified(store.disk, artifact, one) is not None]
        copied += [piece for piece in there if artifact.mark_present(piece, LOCAL_SOURCE)]
        wanted = [piece for piece in wanted if not artifact.has(piece)]
        found = [(piece, place) for piece in wanted if (place := _place(store, artifact, piece))]
        parts = (part for piece, place in found for part in copies(place, spans_of(artifact, piece)))
        for run in merged(parts):
            try:
                store.disk.copy(run.source, run.source_offset, run.destination, run.offset, run.length)
            except OSError as error:
                if error.errno not in LOSS_ERRNOS:
                    raise
        for piece, _ in found:
            if read_verified(store.disk, artifact, piece) is not None and artifact.mark_present(piece, LOCAL_SOURCE):
                copied.append(piece)
    return copied


def _place(store: "Store", artifact: Artifact, piece: int) -> list[Span]:
    """Where the piece seems to lie; nothing if nowhere."""
    manifest = artifact.manifest
    digest = manifest.digest(piece)
    held = store.find(digest)
    if held is not None:
        return spans_of(*held)
    return store.seeds.find(digest, manifest.lengths[piece], manifest.algorithm)[:1]
