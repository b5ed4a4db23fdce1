"""What would travel from one release to the next, and why. Pure: manifests and a pack's index say all there is."""

from dataclasses import dataclass, replace
from typing import Final

from .delta.opened import Pieces, Region
from .delta.pack import PackIndex, content_bytes
from .entries import FILE, Entry
from .errors import ManifestError
from .manifest import Manifest

REUSED: Final = "reused"
PATCHED: Final = "patched"
FULL: Final = "full"


@dataclass(frozen=True, slots=True)
class Route:
    """A pack as the way from one release to the next, in so many `requests`. `overhead_bytes`: its own manifest and its
    index. `index`: of a small one, an outline of it.
    """

    index: PackIndex
    overhead_bytes: int
    requests: int


@dataclass
class Share:
    """Bytes of something new by how they come: `reused` from the old release (or from elsewhere in the new one),
    `patched` from it by patches, `full`. `fetched`: what travels for them; its part of what is compressed together.
    """

    reused: int = 0
    patched: int = 0
    full: int = 0
    fetched: float = 0.0

    def add(self, kind: str, length: int, fetched: float) -> None:
        """More bytes of a kind."""
        setattr(self, kind, getattr(self, kind) + length)
        self.fetched += fetched


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that differs or whose bytes travel. `change`: added, removed, changed, attributes, or beside (unchanged,
    but in one chunk with something that is not). The rest: see Share.
    """

    path: str
    change: str
    size: int
    fetch_bytes: int
    reused: int
    patched: int
    full: int


@dataclass(frozen=True, slots=True)
class Difference:
    """`fetch_bytes`: everything that travels, in so many `requests`; of these `manifest_bytes` only say what is what.
    The new release's bytes are `reused`, `patched` and `full` (see Share). `packed`: a pack is the way.
    """

    old_bytes: int
    new_bytes: int
    fetch_bytes: int
    requests: int
    reused: int
    patched: int
    full: int
    manifest_bytes: int
    packed: bool
    files: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True)
class Travel:
    """How one piece of the new release comes: `reused`, `patched` or `full`; `fetched`: its part of what travels."""

    piece: int
    kind: str
    fetched: float


def travels(old: Manifest, new: Manifest, route: Route | None = None) -> list[Travel]:
    """How each piece of the new release comes to a machine that holds the old one, in order.

    ManifestError when they name chunks by different algorithms.
    """
    if old.algorithm != new.algorithm:
        raise ManifestError(f"the old release names its chunks by {old.algorithm}, the new one by {new.algorithm}")
    packed = _packed(route.index, new) if route else {}
    held = {old.digest(piece) for piece in range(old.pieces)}
    found = []
    for piece in range(new.pieces):
        if (digest := new.digest(piece)) in held:
            found.append(Travel(piece, REUSED, 0.0))
        else:
            held.add(digest)
            found.append(packed.get(piece) or Travel(piece, FULL, float(new.lengths[piece])))
    return found


def compare(old: Manifest, new: Manifest, manifest_bytes: int = 0, route: Route | None = None) -> Difference:
    """What a machine that holds `old` needs for `new`, its manifest in `manifest_bytes`; by a pack, if any."""
    whole, files, chunks = Share(), dict[int, Share](), 0
    packed = _packed(route.index, new) if route else {}
    for travel in travels(old, new, route):
        length = new.lengths[travel.piece]
        whole.add(travel.kind, length, travel.fetched)
        for extent in new.extents(travel.piece):
            part = travel.fetched * extent.length / length
            files.setdefault(extent.entry, Share()).add(travel.kind, extent.length, part)
        chunks += travel.kind != REUSED and travel.piece not in packed
    overhead = manifest_bytes + (route.overhead_bytes if route else 0)
    requests = chunks + (manifest_bytes > 0) + (route.requests if route else 0)
    return Difference(
        old.size, new.size, round(whole.fetched) + overhead, requests, whole.reused, whole.patched, whole.full,
        overhead, route is not None, tuple(_files(old, new, files)),
    )  # fmt: skip


def _packed(index: PackIndex, new: Manifest) -> dict[int, Travel]:
    """What a pack brings; each piece with its part of its frame by the length of its content, each piece of a region
    with its part of what the region's opened pieces take.
    """
    pieces = Pieces(new, index.opened)
    found, regions = dict[int, Travel](), dict[Region, float]()
    for frame in (frame for frames in index.bundles for frame in frames):
        whole = sum(content_bytes(item, pieces) for item in frame.items)
        for item in frame.items:
            part = frame.length * content_bytes(item, pieces) / whole
            if item.piece < new.pieces:
                found[item.piece] = Travel(item.piece, PATCHED if item.bases else FULL, part)
            elif region := pieces.region_of(item.piece):
                regions[region] = regions.get(region, 0.0) + part
    for region, part in regions.items():
        for piece in range(region.first, region.last + 1):
            found[piece] = Travel(piece, PATCHED, part * new.lengths[piece] / region.size)
    return found


def _files(old: Manifest, new: Manifest, shares: dict[int, Share]) -> list[FileChange]:
    before = {entry.path: entry for entry in old.entries}
    if not old.tree and not new.tree:
        before = {new.entries[0].path: replace(old.entries[0], path=new.entries[0].path)}  # an image by any name
    changes = []
    for index, entry in enumerate(new.entries):
        share = shares.get(index, Share())
        change = _change(before.pop(entry.path, None), entry, travels=share.patched + share.full > 0)
        if change:
            row = (share.reused, share.patched, share.full)
            changes.append(FileChange(entry.path, change, entry.size, round(share.fetched), *row))
    changes += [FileChange(entry.path, "removed", entry.size, 0, 0, 0, 0) for entry in before.values()]
    return sorted(changes, key=lambda change: change.path.split("/"))


def _change(old: Entry | None, new: Entry, *, travels: bool) -> str | None:
    if old is None:
        return "added"
    if old == new:
        return "beside" if travels else None
    if old.kind == new.kind == FILE and (travels or old.size != new.size):
        return "changed"
    return "attributes" if old.kind == new.kind and old.target == new.target else "changed"
