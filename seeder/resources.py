"""Which paths exist at all. Pure.

    chunks/<first two hex digits>/<64 hex>      a chunk's bytes, named by their digest
    manifests/<64 hex>                          a manifest's bytes, or a small pack's, named by their digest
    edits/<64 hex>/<64 hex>                     what leads to a manifest from an earlier one
    metadata/timestamp.json                     changes with every publication
    metadata/<N>.<role>.json                    one version of a TUF role, never changed

Nothing else reaches the blob store, so a path can't climb out of it and a stray question costs no request there.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from manifests.digest import ALGORITHMS, manifest_digest
from manifests.limits import CHUNK_BYTES_MAX, MANIFEST_BYTES_MAX

METADATA_BYTES_MAX: Final = 16 * 1024 * 1024
"""One TUF file; a snapshot of 500 products with 50 releases each takes 35 KB."""
_CHUNK: Final = re.compile(r"chunks/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_MANIFEST: Final = re.compile(r"manifests/([0-9a-f]{64})")
_EDITS: Final = re.compile(r"edits/([0-9a-f]{64})/[0-9a-f]{64}")
_VERSIONED: Final = re.compile(r"metadata/[1-9][0-9]{0,9}\.[a-z0-9][a-z0-9._-]{0,79}\.json")
_TIMESTAMP: Final = "metadata/timestamp.json"


class Kind(Enum):
    """What an object is, and so how it is checked and kept."""

    CHUNK = "chunk"
    MANIFEST = "manifest"
    EDITS = "edits"
    VERSIONED = "versioned metadata"
    TIMESTAMP = "timestamp"


BYTES_MAX: Final = {
    Kind.CHUNK: CHUNK_BYTES_MAX,
    Kind.MANIFEST: MANIFEST_BYTES_MAX,
    Kind.EDITS: MANIFEST_BYTES_MAX,
    Kind.VERSIONED: METADATA_BYTES_MAX,
    Kind.TIMESTAMP: METADATA_BYTES_MAX,
}


@dataclass(frozen=True, slots=True)
class Resource:
    """One object of the blob store. `digest` is what names it, empty for metadata (its signatures vouch for it) and for
    edits (what comes of them has a digest).
    """

    kind: Kind
    path: str
    digest: bytes = b""

    def fault(self, data: bytes) -> str:
        """What is wrong with these bytes as the content of this path; empty when nothing is.

        A chunk's path doesn't tell its algorithm, so either may match: finding bytes for one of two digests is no
        easier in any way that matters.
        """
        if len(data) > BYTES_MAX[self.kind]:
            return f"{len(data)} bytes, {BYTES_MAX[self.kind]} allowed"
        if self.kind is Kind.CHUNK and all(digest(data) != self.digest for digest in ALGORITHMS.values()):
            return f"{len(data)} bytes that have another digest"
        if self.kind is Kind.MANIFEST and manifest_digest(data) != self.digest:
            return f"{len(data)} bytes that have another digest"
        return ""


def resource(path: str) -> Resource | None:
    """The object of a path without a leading `/`; None when no object can be there."""
    if match := _CHUNK.fullmatch(path):
        return Resource(Kind.CHUNK, path, bytes.fromhex(match[2]))
    if match := _MANIFEST.fullmatch(path):
        return Resource(Kind.MANIFEST, path, bytes.fromhex(match[1]))
    if _EDITS.fullmatch(path):
        return Resource(Kind.EDITS, path)
    if path == _TIMESTAMP:
        return Resource(Kind.TIMESTAMP, path)
    return Resource(Kind.VERSIONED, path) if _VERSIONED.fullmatch(path) else None
