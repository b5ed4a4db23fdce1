"""How a command names a manifest: a file, a digest, or a release that both parties have signed."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .blobs import BlobStore
from .catalog import Catalog, manifest_bytes
from .codec import decode
from .digest import manifest_digest
from .errors import NoSuchBlobError, UntrustedReleaseError
from .manifest import Manifest
from .names import ReleaseName, parse_release
from .trust import Approved, TrustChain

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A manifest, its digest and encoded form; `approved` when both parties' signatures were checked."""

    manifest: Manifest
    digest: bytes
    encoded: bytes
    approved: bool


class UnpinnedError(UntrustedReleaseError):
    """A release is named, but no root of trust to check it by."""


class Resolver:
    """Finds manifests in `store`. `root`: the pinned root.json's bytes. `unsigned`: without a root, believe the store's
    list of releases, which is fit for looking but not for installing.
    """

    def __init__(
        self, store: Callable[[], BlobStore], root: bytes | None, utc_now: Callable[[], float], *, unsigned: bool
    ) -> None:
        self._store = store
        self._root = root
        self._utc_now = utc_now
        self._unsigned = unsigned

    def __call__(self, reference: str) -> Resolved:
        """The manifest of a file's path, a digest of 64 hex digits, or `product@version`."""
        if _DIGEST.fullmatch(reference):
            return self._by_digest(bytes.fromhex(reference), approved=False)
        if "@" in reference and not Path(reference).exists():
            return self._release(parse_release(reference))
        data = Path(reference).read_bytes()
        return Resolved(decode(data), manifest_digest(data), data, approved=False)

    def _release(self, release: ReleaseName) -> Resolved:
        if self._root is not None:
            found = self._by_digest(self._approve(release, self._root).digest, approved=True)
        elif self._unsigned:
            found = self._by_digest(Catalog(self._store()).digest(release), approved=False)
        else:
            raise UnpinnedError(
                f"to trust {release} give --root ROOT.json, or name the manifest by its digest or as a file"
            )
        if found.manifest.release != str(release):
            raise UntrustedReleaseError(f"{release} was signed, but its manifest is that of {found.manifest.release}")
        return found

    def _by_digest(self, digest: bytes, *, approved: bool) -> Resolved:
        data = manifest_bytes(self._store(), digest)
        return Resolved(decode(data), digest, data, approved)

    def _approve(self, release: ReleaseName, root: bytes) -> Approved:
        with tempfile.TemporaryDirectory() as cache:
            return approve(TrustChain(root, Path(cache), self._utc_now), release, self._store())


def approve(chain: TrustChain, release: ReleaseName, store: BlobStore) -> Approved:
    """Look a release up with metadata from `store`; raises as `TrustChain.look_up`, and StoreError."""
    fetched: dict[str, bytes | None] = {}
    while not isinstance(answer := chain.look_up(release, fetched), Approved):
        try:
            fetched[answer.path] = store.get(answer.path, max_bytes=answer.max_bytes)
        except NoSuchBlobError:
            fetched[answer.path] = None
    return answer
