"""What of a small pack is for which piece: its one patch, seen as a pack's index of a patch for each."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from manifests.digest import DIGEST_BYTES
from manifests.manifest import Manifest

from .pack import XZ, Frame, Item, PackIndex
from .small import SmallPack


def outline(pack: SmallPack, size: int, release: Manifest) -> PackIndex:
    """Each piece takes of a pack's `size` bytes by how many of its own are new or changed. Checked packs only."""
    starts = pack.made_starts(release)
    own = [1] * len(pack.pieces)
    for start, end in _own(pack, starts[-1]):
        while start < end:
            piece = bisect_right(starts, start) - 1
            stop = min(end, starts[piece + 1])
            own[piece] += stop - start
            start = stop
    items = tuple(
        Item(piece, (0,), count) if pack.bases else Item(piece) for piece, count in zip(pack.pieces, own, strict=True)
    )
    return PackIndex(bytes(DIGEST_BYTES) if pack.bases else b"", ((Frame(XZ, size, items),),))


def _own(pack: SmallPack, end: int) -> Iterator[tuple[int, int]]:
    """Where what is made is new or changed: from, to."""
    at, before, number = 0, 0, 0
    for cover in pack.covers:
        yield at, cover.new
        last = bisect_left(pack.changed, before + cover.length, number)
        for changed in pack.changed[number:last]:
            place = cover.new + changed - before
            yield place, place + 1
        number = last
        before += cover.length
        at = cover.new + cover.length
    yield at, end
