"""What would travel from one release to the next. Pure: both manifests say all there is to know."""

from collections import Counter
from dataclasses import dataclass

from .entries import FILE, Entry
from .errors import ManifestError
from .manifest import Manifest


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that differs or whose bytes travel. `change`: added, removed, changed, attributes, or beside (unchanged,
    but in one chunk with something that is not). `fetch_bytes`: of its bytes, those in chunks that travel.
    """

    path: str
    change: str
    size: int
    fetch_bytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """`new_bytes`: size of the new release. Of these, `fetch_bytes` travel, in `requests` chunks, each once; `reused`
    bytes come from the old release or from a chunk that is in the new one twice.
    """

    old_bytes: int
    new_bytes: int
    fetch_bytes: int
    requests: int
    reused: int
    files: tuple[FileChange, ...]


def compare(old: Manifest, new: Manifest) -> Difference:
    """What a machine that holds `old` needs for `new`; ManifestError when they name chunks by different algorithms."""
    if old.algorithm != new.algorithm:
        raise ManifestError(f"the old release names its chunks by {old.algorithm}, the new one by {new.algorithm}")
    held = {old.digest(piece) for piece in range(old.pieces)}
    fetched: Counter[int] = Counter()
    requests = 0
    for piece in range(new.pieces):
        digest = new.digest(piece)
        if digest in held:
            continue
        held.add(digest)
        requests += 1
        for extent in new.extents(piece):
            fetched[extent.entry] += extent.length
    travel = fetched.total()
    return Difference(old.size, new.size, travel, requests, new.size - travel, tuple(_files(old, new, fetched)))


def _files(old: Manifest, new: Manifest, fetched: Counter[int]) -> list[FileChange]:
    before = {entry.path: entry for entry in old.entries}
    changes = []
    for index, entry in enumerate(new.entries):
        change = _change(before.pop(entry.path, None), entry, fetched[index])
        if change:
            changes.append(FileChange(entry.path, change, entry.size, fetched[index]))
    changes += [FileChange(entry.path, "removed", entry.size, 0) for entry in before.values()]
    return sorted(changes, key=lambda change: change.path.split("/"))


def _change(old: Entry | None, new: Entry, fetched: int) -> str | None:
    if old is None:
        return "added"
    if old == new:
        return "beside" if fetched else None
    if old.kind == new.kind == FILE and (fetched or old.size != new.size):
        return "changed"
    return "attributes" if old.kind == new.kind and old.target == new.target else "changed"
