"""Jobs on the store that downloads give to a worker."""

from collections.abc import Collection

from manifests.codec import decode
from manifests.digest import manifest_digest
from manifests.errors import MalformedManifestError, UntrustedReleaseError
from manifests.names import ReleaseName
from p2pd.manifest_race import Held
from p2pd.store import Artifact, Store
from p2pd.wire.messages import HELD_MAX


def add_release(store: Store, encoded: bytes, release: ReleaseName, destination: str, in_place: bool) -> Artifact:
    """Decode (the digest was checked by who brought it), compare with the name that was signed, and lay it out.

    UntrustedReleaseError; StoreError, NoSpaceError and QuotaError among them; OSError.
    """
    try:
        manifest = decode(encoded)
    except MalformedManifestError as error:
        raise UntrustedReleaseError(f"{release}: both parties signed something that is no manifest: {error}") from error
    if manifest.release != str(release):
        raise UntrustedReleaseError(f"{release}: what is signed under this name is {manifest.release}")
    return store.add(encoded, destination, in_place=in_place)


def held_manifests(store: Store, release: ReleaseName, edits: Collection[int]) -> list[Held]:
    """What the release's manifest may come as edits of: those of its product that are here, the newest first; damaged
    ones left out. `edits`: sequences of those from which edits lie in the store.
    """
    known = [one for one in store.artifacts.values() if one.manifest.product == release.product]
    found = list[Held]()
    for artifact in sorted(known, key=lambda one: -one.manifest.sequence)[:HELD_MAX]:
        try:
            encoded = store.read_manifest(artifact)
        except OSError:
            continue
        if manifest_digest(encoded) == artifact.swarm:
            found.append(Held(artifact.swarm, encoded, artifact.manifest.sequence in edits))
    return found


def all_readable(store: Store, artifact: Artifact, pieces: range) -> bool:
    """Are these pieces there, and still what was signed?"""
    return all(store.read_piece(artifact, piece) is not None for piece in pieces)
