"""What `Store.open` finds, made whole again: the one place that knows how an interruption looks.

    record      found on disk                          then
    STAGED      whatever                               what is missing is laid out again, doubtful pieces are hashed
    FINISHING   payload there                          as STAGED; the caller finishes it again
    FINISHING   payload gone, destination there        the rename had happened: FINISHED
    FINISHED    destination there                      doubtful pieces are hashed
    FINISHED    destination gone                       somebody removed the release: forgotten
    in place    destination gone                       the file or device is gone: forgotten
    REMOVING_*  whatever                               removed
    none        journal or manifest                    removed

Doubtful are pieces that no checkpoint covers, if the machine booted since; pieces in files that had to be made again;
and all pieces, if the journal can't be read.
"""

from dataclasses import replace

from manifests import codec
from manifests.digest import manifest_digest
from manifests.errors import MalformedManifestError
from manifests.limits import MANIFEST_BYTES_MAX
from manifests.manifest import Manifest
from p2pd.world.disk import Disk

from .artifact import LOCAL_SOURCE, Artifact
from .journal import Journal
from .places import Places
from .placing import lay_out, pieces_within, sync_files
from .reading import read_verified
from .record import FINISHED, FINISHING, REMOVING_FINISHED, REMOVING_STAGED, DamagedRecordError, load

SWARM_HEX_CHARS = 64


def recover(disk: Disk, places: Places) -> tuple[dict[bytes, Artifact], list[str]]:
    """All artifacts by swarm, and what had to be given up, in words."""
    artifacts: dict[bytes, Artifact] = {}
    damaged: list[str] = []
    for name in disk.list_directory(places.records):
        swarm = _swarm(name)
        if swarm is None:
            disk.remove_tree(f"{places.records}/{name}")  # left over by an interrupted replace
            continue
        try:
            artifact = _recover_one(disk, places, swarm)
        except (DamagedRecordError, MalformedManifestError) as error:
            damaged.append(f"forgot an artifact: {error}")
            places.forget(disk, swarm)
            continue
        if artifact is not None:
            artifacts[swarm] = artifact
    for directory in (places.manifests, places.journals):
        for name in disk.list_directory(directory):
            if _swarm(name) not in artifacts:
                disk.remove_tree(f"{directory}/{name}")
    return artifacts, damaged


def _swarm(name: str) -> bytes | None:
    try:
        return bytes.fromhex(name) if len(name) == SWARM_HEX_CHARS else None
    except ValueError:
        return None


def _recover_one(disk: Disk, places: Places, swarm: bytes) -> Artifact | None:
    record = load(disk, places.record(swarm))
    there = disk.stat(record.destination) is not None
    if record.state in (REMOVING_STAGED, REMOVING_FINISHED):
        places.discard(disk, swarm, record, finished=record.state == REMOVING_FINISHED)
        return None
    manifest = _read_manifest(disk, places, swarm)
    renamed = record.state == FINISHING and not record.in_place and disk.stat(record.payload) is None and there
    finished = record.state == FINISHED or renamed
    if (finished or record.in_place) and not there:
        raise DamagedRecordError(f"{record.release} is gone from {record.destination}")
    if finished and record.state != FINISHED:
        replace(record, state=FINISHED).save(disk, places.record(swarm))
    if finished and not record.in_place:
        disk.remove_tree(record.staging)
    root = record.destination if finished or record.in_place else record.staging
    journal = Journal(disk, places.journal(swarm), swarm)
    in_place = record.in_place
    artifact = Artifact(manifest, swarm, record.destination, root, journal, finished=finished, in_place=in_place)
    _restore(disk, artifact)
    return artifact


def _read_manifest(disk: Disk, places: Places, swarm: bytes) -> Manifest:
    path = places.manifest(swarm)
    try:
        data = disk.read_all(path, MANIFEST_BYTES_MAX)
    except FileNotFoundError as error:
        raise DamagedRecordError(f"{path} is gone") from error
    if manifest_digest(data) != swarm:
        raise DamagedRecordError(f"{path} is damaged")
    return codec.decode(data)


def _restore(disk: Disk, artifact: Artifact) -> None:
    """Present is what the journal says, less what it can't be trusted for and is not there."""
    manifest = artifact.manifest
    made = [] if artifact.finished or artifact.in_place else lay_out(disk, artifact.root, manifest)
    state = artifact.journal.resume(manifest.lengths)
    rebooted = state.boot_id != disk.boot_id()
    if state.good_bytes == 0:
        artifact.journal.start()
        empty = set(pieces_within(manifest, made))
        doubtful = [piece for piece in range(manifest.pieces) if piece not in empty]
    else:
        artifact.restore(state)
        doubtful = state.unsynced if rebooted else []
        if artifact.present_count:
            doubtful = sorted({*doubtful, *pieces_within(manifest, made)})
    for piece in doubtful:
        if read_verified(disk, artifact, piece) is None:
            artifact.mark_lost(piece)
        elif not artifact.has(piece):
            artifact.mark_present(piece, LOCAL_SOURCE)
    artifact.lost.clear()  # nobody was told that they were there
    if doubtful or (rebooted and not artifact.finished):
        sync_files(disk, artifact)
        artifact.journal.checkpoint(artifact.journal.position)
        artifact.unsynced_bytes = 0
