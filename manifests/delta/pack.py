"""What is in a pack: its index, as a checked value. Normative text: docs/manifest.md.

A pack is one file. Its first piece is the index; each further piece is a *bundle* of frames, laid end to end. A frame
is compressed as one and holds *items*; each item becomes one piece of the release:

    frame's codec       item with bases                         item without
    RAW, ZSTD, XZ       a patch (hdiff) against its bases       the piece itself
    ZSTD_BASES          the piece, its bases being zstd's dictionary (one item a frame)

Bases are pieces of the release that the pack starts from, by number, in the order in which they are joined. Numbers
above a release's last piece are its opened pieces (see `opened`).
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from manifests.digest import DIGEST_BYTES
from manifests.errors import MalformedPackError
from manifests.manifest import Manifest

from .limits import BASES_MAX, base_bytes_max, patch_bytes_max
from .opened import NOTHING, Opened, Pieces

RAW: Final = 0
ZSTD: Final = 1
XZ: Final = 2
ZSTD_BASES: Final = 3
CODECS: Final = ("raw", "zstd", "xz", "zstd-bases")
"""Names, by number."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of the release. `patch`: bytes of the patch before it is compressed; 0 for a piece that is whole."""

    piece: int
    bases: tuple[int, ...] = ()
    patch: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """What is compressed as one: `length` bytes of a bundle."""

    codec: int
    length: int
    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.codec < len(CODECS):
            raise MalformedPackError(f"frame of unknown codec {self.codec}")
        if self.length <= 0 or not self.items:
            raise MalformedPackError("a frame is empty")
        if any(after.piece <= before.piece for before, after in pairwise(self.items)):
            raise MalformedPackError("the items of a frame are not in order")
        for item in self.items:
            self._check(item)
        if self.codec == ZSTD_BASES and len(self.items) != 1:
            raise MalformedPackError("a frame with bases as dictionary has one item")

    def _check(self, item: Item) -> None:
        if item.piece < 0 or min(item.bases, default=0) < 0:
            raise MalformedPackError("a piece has a negative number")
        if len(item.bases) > BASES_MAX:
            raise MalformedPackError(f"piece {item.piece} has {len(item.bases)} bases, at most {BASES_MAX} are allowed")
        patched = bool(item.bases) and self.codec != ZSTD_BASES
        if patched != (item.patch > 0) or item.patch < 0 or (self.codec == ZSTD_BASES and not item.bases):
            raise MalformedPackError(f"piece {item.piece} has bases and no patch, or a patch and no bases")


@dataclass(frozen=True)
class PackIndex:
    """`base`: manifest digest of the release that the items' bases are pieces of, or empty. `opened`: what is opened of
    the release, `old_opened`: of the base. Checked on construction.
    """

    base: bytes
    bundles: tuple[tuple[Frame, ...], ...]
    opened: Opened = NOTHING
    old_opened: Opened = NOTHING

    def __post_init__(self) -> None:
        if len(self.base) not in (0, DIGEST_BYTES):
            raise MalformedPackError("the base is no digest")
        if not all(self.bundles):
            raise MalformedPackError("a bundle is empty")
        items = [item for frames in self.bundles for frame in frames for item in frame.items]
        if len({item.piece for item in items}) != len(items):
            raise MalformedPackError("a piece is there twice")
        if not self.base and any(item.bases for item in items):
            raise MalformedPackError("a pack without a base has items with bases")
        if not self.base and self.old_opened.streams:
            raise MalformedPackError("a pack without a base opens one")

    @cached_property
    def where(self) -> dict[int, tuple[int, Item]]:
        """Of each piece, opened or not, that is in the pack: its bundle, and itself."""
        return {
            item.piece: (bundle, item)
            for bundle, frames in enumerate(self.bundles)
            for frame in frames
            for item in frame.items
        }

    def length(self, bundle: int) -> int:
        """Bytes of a bundle."""
        return sum(frame.length for frame in self.bundles[bundle])


def check_index(index: PackIndex, pack: Manifest, release: Manifest, base: Manifest | None) -> None:
    """MalformedPackError unless the index fits the pack's own manifest, the release that it leads to, and the one that
    it starts from (None: a pack without a base).
    """
    if (base is None) != (not index.base):
        raise MalformedPackError("the pack starts from another release than was said")
    if list(pack.lengths[1:]) != [index.length(bundle) for bundle in range(len(index.bundles))]:
        raise MalformedPackError("the pack's pieces are not as long as its bundles")
    made, held = Pieces(release, index.opened), Pieces(base, index.old_opened) if base else None
    for region in made.regions:
        if not all(piece in index.where for piece in region.opened):
            raise MalformedPackError("what is opened is not all there")
        if any(piece in index.where for piece in range(region.first, region.last + 1)):
            raise MalformedPackError("a piece is there twice, opened and not")
    for frames in index.bundles:
        for frame in frames:
            for item in frame.items:
                _check_item(item, made, held)
            if frame.codec == RAW and frame.length != sum(content_bytes(item, made) for item in frame.items):
                raise MalformedPackError("a frame that is not compressed has another length than its content")


def content_bytes(item: Item, pieces: Manifest | Pieces) -> int:
    """What an item has in its frame before compression."""
    return item.patch or pieces.lengths[item.piece]


def _check_item(item: Item, made: Pieces, held: Pieces | None) -> None:
    if item.piece >= len(made.lengths):
        raise MalformedPackError(f"the release has no piece {item.piece}")
    if item.patch > patch_bytes_max(made.lengths[item.piece]):
        raise MalformedPackError(f"the patch of piece {item.piece} has {item.patch} bytes, which are too many")
    if held is None or not item.bases:
        return
    if max(item.bases) >= len(held.lengths):
        raise MalformedPackError(f"the base has no piece {max(item.bases)}")
    total = sum(held.lengths[piece] for piece in item.bases)
    if total > base_bytes_max(made.manifest.profile):
        raise MalformedPackError(f"piece {item.piece} is made from {total} bytes, which are too many")
