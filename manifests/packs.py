"""A pack, as the release that it leads to names it: other bytes than the pieces themselves that become them.

Packs are artifacts of their own (a file, a manifest, a swarm), so the release names them by their manifest's digest,
and whoever signs for the release signs for them. What is in one: `manifests.delta.pack`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .digest import DIGEST_BYTES
from .errors import MalformedManifestError
from .limits import MANIFEST_BYTES_MAX, PACKS_MAX, STREAM_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Pack:
    """`base`: manifest digest of the earlier release that its pieces are made from, or empty when none is needed.
    `manifest`: digest of the pack's own manifest, which has `manifest_bytes`. `size`: bytes of the whole pack; 0 for a
    small one, which is a single object that travels as a manifest does, with that digest and so many bytes.
    """

    base: bytes
    manifest: bytes
    manifest_bytes: int
    size: int

    def __post_init__(self) -> None:
        if len(self.base) not in (0, DIGEST_BYTES) or len(self.manifest) != DIGEST_BYTES:
            raise MalformedManifestError(f"a pack is named by digests of {DIGEST_BYTES} bytes")
        if not 0 < self.manifest_bytes <= MANIFEST_BYTES_MAX or not 0 <= self.size <= STREAM_BYTES_MAX:
            raise MalformedManifestError("a pack or its manifest has an impossible size")

    @property
    def small(self) -> bool:
        """It has no manifest, pieces or swarm of its own."""
        return not self.size


def check_packs(packs: Sequence[Pack]) -> None:
    """MalformedManifestError unless there are few enough, sorted by base, one a base."""
    if len(packs) > PACKS_MAX:
        raise MalformedManifestError(f"{len(packs)} packs, at most {PACKS_MAX} are allowed")
    bases = [pack.base for pack in packs]
    if bases != sorted(set(bases)):
        raise MalformedManifestError("packs are sorted by base, one for each")
