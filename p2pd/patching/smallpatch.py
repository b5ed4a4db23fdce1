"""A small pack and the release that it is for. Every call blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from manifests.delta import small
from manifests.delta.rebuilding import apply_small
from p2pd.store import Artifact, Span, Store, locate, read_part

from .patch import Base, Made, write


@dataclass(frozen=True, slots=True)
class SmallPatch:
    """`data`: the pack, verified by the digest that the release names. `base`: what it starts from, if anything."""

    store: Store
    release: Artifact
    data: bytes
    base: Base | None

    def apply(self) -> Made:
        """Write what it becomes. MalformedPackError; StoreError, OSError: again, it goes on."""
        release, base = self.release.manifest, self.base.manifest if self.base else None
        pack = small.decode(self.data)
        small.check(pack, release, base)
        made = Made()
        rebuilt = apply_small(pack, release, base, InPlace(self.store, self.base))
        for part in map(partial(write, self.store, self.release), rebuilt):
            made = made.and_then(part)
        return made


class InPlace:
    """A base's pieces, read where they lie: `manifests.delta.rebuilding.Bases`."""

    def __init__(self, store: Store, base: Base | None) -> None:
        self._store, self._base = store, base
        self._places: dict[int, Sequence[Span]] = {}

    def sound(self, piece: int) -> bool:
        """Whether some copy of it is; that one is read from now on."""
        base = self._base
        place = locate(self._store, base.artifact, base.manifest, piece) if base else None
        self._places[piece] = place or ()
        return place is not None

    def read(self, piece: int, offset: int, length: int) -> bytes | None:
        """A part of it; if that is gone, of another copy: a release may just have been moved to its destination."""
        found = read_part(self._store.disk, self._places[piece], offset, length)
        if not found and self.sound(piece):
            found = read_part(self._store.disk, self._places[piece], offset, length)
        return found or None
