"""One pack and the release that it is for: which of its pieces are needed, and what they become. Every call blocks.

    pack's piece, verified as read --> frames, base pieces verified as read --> piece, verified --> written, noted

Whatever the moment at which this ends, each piece is either verified and noted in its journal, or missing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Final

from manifests.delta import index_codec
from manifests.delta.applying import Applied, apply_bundle
from manifests.delta.pack import PackIndex, check_index
from manifests.delta.rebuilding import Rebuilt
from manifests.errors import MalformedPackError
from manifests.manifest import Manifest
from manifests.nested.recipes import MEMORY_BYTES_MAX
from manifests.packs import Pack
from p2pd.store import PATCH_SOURCE, Artifact, Store, read_together
from p2pd.wire import bits

from .reopening import Reopening, scratch_directory

INDEX_PIECE: Final = 0
BASES_KEPT_BYTES: Final = 4 * 2**20
"""Of base pieces, verified, kept from one item to the next: neighbours are made from much the same ones."""
BASE_KEPT_BYTES: Final = BASES_KEPT_BYTES // 4
"""Of one of them: of large pieces there is little room for one more (keeping them was not seen to save time)."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a bundle became: pieces written, and pieces that must come another way, with the reason of the first."""

    written: int = 0
    refused: int = 0
    why: str = ""

    def and_then(self, more: "Made") -> "Made":
        """Both."""
        return Made(self.written | more.written, self.refused | more.refused, self.why or more.why)


@dataclass(frozen=True, slots=True)
class Base:
    """What a pack starts from: a release that is kept here, or one (`artifact` None) whose pieces lie in seeds.

    `share`: of its bytes, what lies here, 0 to 1.
    """

    manifest: Manifest
    artifact: Artifact | None
    share: float = 1.0

    def holds(self, store: Store, piece: int) -> bool:
        """Does a piece seem to be here? It is not read."""
        manifest = self.manifest
        if self.artifact and self.artifact.has(piece):
            return True
        digest = manifest.digest(piece)
        if store.find(digest) is not None:
            return True
        return bool(store.seeds.find(digest, manifest.lengths[piece], manifest.algorithm))

    def read(self, store: Store, piece: int) -> bytes | None:
        """A piece's bytes, verified; None when they can't be had."""
        data = store.read_piece(self.artifact, piece) if self.artifact else None
        return data if data is not None else store.read_elsewhere(self.manifest, piece)


class Kept:
    """What `read` gave last, up to BASES_KEPT_BYTES, each at most BASE_KEPT_BYTES; also that something is not to be
    had.
    """

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read = read
        self._kept: dict[int, bytes | None] = {}
        self._left_bytes = BASES_KEPT_BYTES

    def read(self, piece: int) -> bytes | None:
        """A piece's bytes; None when they can't be had."""
        if piece in self._kept:
            data = self._kept.pop(piece)  # and in again, behind all others
        else:
            data = self._read(piece)
            if data and len(data) > BASE_KEPT_BYTES:
                return data
            self._left_bytes -= len(data or b"")
        self._kept[piece] = data
        while self._left_bytes < 0:
            self._left_bytes += len(self._kept.pop(next(iter(self._kept))) or b"")
        return data


@dataclass
class Patch:
    """`named`: the pack as the release names it. `base`: what it starts from; None for a pack that needs nothing.
    `recompressing_bytes_max`: memory that making a compressed stream again may take.

    `pack` lies in `packs`, all else in `store`. Call `open` when the pack's piece INDEX_PIECE is present.
    """

    store: Store
    packs: Store
    release: Artifact
    pack: Artifact
    named: Pack
    base: Base | None
    recompressing_bytes_max: int = MEMORY_BYTES_MAX
    index: PackIndex = field(init=False)
    reopening: Reopening = field(init=False)
    _sound: set[int] = field(init=False, default_factory=set)
    """Pieces of the base that were read and had their digests."""

    def open(self) -> bool:
        """Read the index; False if it is damaged on disk and must be fetched again. MalformedPackError, OSError."""
        data = self.packs.read_piece(self.pack, INDEX_PIECE)
        if data is None:
            return False
        index = index_codec.decode(data)
        if index.base != self.named.base:
            raise MalformedPackError("the pack starts from another release than was signed for")
        release, base = self.release.manifest, self.base.manifest if self.base else None
        check_index(index, self.pack.manifest, release, base)
        self.index = index
        scratch = scratch_directory(self.packs.directory, self.pack.swarm)
        self.reopening = Reopening(
            index, release, base, self._bases(), self.packs.disk, scratch, self.recompressing_bytes_max
        )
        return True

    def needed(self) -> dict[int, int]:
        """The bundles from which missing pieces can be made: for each, the set of those pieces.

        What starts from a piece that is not here can't be made.
        """
        found: dict[int, list[int]] = {}
        known: dict[range, list[int]] = {}
        for piece in self.release.missing():
            first = next(self.release.index.find(self.release.manifest.digest(piece)))
            opened = self.reopening.opened_for(first)
            parts = range(first, first + 1) if opened is None else opened
            if parts not in known:
                known[parts] = self._bundles(parts)
            for bundle in known[parts]:
                found.setdefault(bundle, []).append(piece)
        return {bundle: bits.of(pieces) for bundle, pieces in found.items()}

    def _bundles(self, parts: range) -> list[int]:
        """Those that these pieces, opened or not, come from; none unless all of them can be made."""
        items = [self.index.where.get(part) for part in parts]
        bases = {base for found in items if found for base in found[1].bases}
        if not all(items) or not all(map(self._holds, bases)):
            return []
        return list(dict.fromkeys(found[0] for found in items if found))

    def _holds(self, number: int) -> bool:
        """Does all that a base's piece, opened or not, is had from seem to be here?"""
        pieces, base = self.reopening.underlying(number), self.base
        return base is not None and pieces is not None and all(base.holds(self.store, piece) for piece in pieces)

    def apply(self, bundle: int) -> Made | None:
        """Write what this bundle becomes; None if it is damaged on disk. StoreError, OSError: again, it goes on."""
        data = self.packs.read_piece(self.pack, 1 + bundle)
        if data is None:
            return None
        made = Made()
        for part in map(partial(write, self.store, self.release), self._applied(bundle, data)):
            made = made.and_then(part)
        return made

    def _applied(self, bundle: int, data: bytes) -> Iterator[Applied]:
        opening, frames = self.reopening, self.index.bundles[bundle]
        applied = apply_bundle(frames, data, opening.pieces, opening.read, self._read_together)
        return chain.from_iterable(map(opening.take, applied))

    def _read_together(self, pieces: range) -> bytes | None:
        """Base pieces, joined. Each is verified once: what is made of one that changed since has a digest, too."""
        artifact = self.base.artifact if self.base else None
        if artifact is None or pieces[-1] >= artifact.manifest.pieces:
            return None
        if not all(map(artifact.has, pieces)):
            return None
        return read_together(self.store.disk, artifact, pieces, self._sound)

    def _bases(self) -> Callable[[int], bytes | None]:
        base = self.base
        return Kept(lambda piece: base.read(self.store, piece) if base else None).read


def write(store: Store, release: Artifact, applied: Applied | Rebuilt) -> Made:
    """Put a piece wherever it is missing: a pack holds the first of equal ones only. StoreError, OSError."""
    same = release.index.find(release.manifest.digest(applied.piece))
    places = [piece for piece in same if not release.has(piece)]
    if applied.data is None:
        return Made(refused=bits.of(places), why=applied.why)
    written = [
        piece for piece in places if store.write_piece(release, piece, applied.data, PATCH_SOURCE, verified=True)
    ]
    return Made(written=bits.of(written))
