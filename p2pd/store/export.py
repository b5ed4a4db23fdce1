"""A second copy of an artifact that the store holds elsewhere, for a user who wants it at a place of their own."""

import os
from collections.abc import Callable

from .artifact import Artifact
from .errors import DestinationTakenError, StoreError, no_space_as_such
from .placing import lay_out, seal
from .store import Store


def export(store: Store, artifact: Artifact, destination: str, advance: Callable[[int], None] = lambda _: None) -> None:
    """Copy a complete artifact to `destination`, verified, visible all at once. The store does not serve the copy.

    `advance` is told the bytes copied, from the thread that copies. DestinationTakenError, NoSpaceError, StoreError.
    """
    disk, manifest = store.disk, artifact.manifest
    if disk.stat(destination) is not None:
        raise DestinationTakenError(destination)
    staging = f"{os.path.dirname(destination)}/.export-{artifact.swarm.hex()[:16]}"
    disk.remove_tree(staging)
    with no_space_as_such(disk, os.path.dirname(destination), manifest.size):
        try:
            lay_out(disk, staging, manifest)
            for piece in range(manifest.pieces):
                _copy_piece(store, artifact, piece, staging)
                advance(manifest.lengths[piece])
            seal(disk, staging, manifest)
            disk.sync_all(staging)
            disk.rename(staging if manifest.tree else f"{staging}/{manifest.entries[0].path}", destination)
        finally:
            disk.remove_tree(staging)


def _copy_piece(store: Store, artifact: Artifact, piece: int, staging: str) -> None:
    data = store.read_piece(artifact, piece)
    if data is None:
        raise StoreError(f"{artifact.manifest.release} at {artifact.root} is damaged (piece {piece})")
    view, at = memoryview(data), 0
    for extent in artifact.manifest.extents(piece):
        path = f"{staging}/{artifact.manifest.entries[extent.entry].path}"
        store.disk.write(path, extent.offset, view[at : at + extent.length])
        at += extent.length
