"""Jobs on the store that downloads give to a worker."""

from manifests.codec import decode
from manifests.errors import MalformedManifestError, UntrustedReleaseError
from manifests.names import ReleaseName
from p2pd.store import Artifact, Store


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


def all_readable(store: Store, artifact: Artifact, pieces: range) -> bool:
    """Are these pieces there, and still what was signed?"""
    return all(store.read_piece(artifact, piece) is not None for piece in pieces)
