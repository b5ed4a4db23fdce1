"""A small pack and the release that it is for. Every call blocks."""

from dataclasses import dataclass

from manifests.delta import small
from manifests.delta.rebuilding import apply_small
from p2pd.store import PATCH_SOURCE, Artifact, Store
from p2pd.wire import bits

from .patch import Base, Kept, Made


@dataclass(frozen=True, slots=True)
class SmallPatch:
    """`data`: the pack, verified by the digest that the release names. `base`: what it starts from, if anything."""

    store: Store
    release: Artifact
    data: bytes
    base: Base | None

    def apply(self) -> Made:
        """Write what it becomes. MalformedPackError; StoreError, OSError: again, it goes on."""
        release, base = self.release.manifest, self.base
        pack = small.decode(self.data)
        small.check(pack, release, base.manifest if base else None)
        read = Kept(lambda piece: base.read(self.store, piece) if base else None).read
        written, refused, why = list[int](), list[int](), ""
        for applied in apply_small(pack, release, base.manifest if base else None, read):
            same = self.release.index.find(release.digest(applied.piece))
            places = [piece for piece in same if not self.release.has(piece)]
            if applied.data is None:
                refused += places
                why = why or applied.why
                continue
            for piece in places:
                if self.store.write_piece(self.release, piece, applied.data, PATCH_SOURCE):
                    written.append(piece)
        return Made(bits.of(written), bits.of(refused), why)
