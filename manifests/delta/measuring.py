"""What an update would cost if it were published so: the pack is made, counted and dropped."""

from collections.abc import Callable
from dataclasses import replace

from manifests import codec, edits
from manifests.diff import Difference, Route, Travel, compare, travels
from manifests.digest import manifest_digest
from manifests.manifest import Manifest, Pack
from manifests.nested.recipes import MEMORY_BYTES_MAX

from . import small
from .matching import Source
from .outlining import outline
from .pack import PackIndex
from .publishing import build


def measure(
    old: Source,
    new: Source,
    *,
    threads: int | None = None,
    opened_memory_bytes: int = MEMORY_BYTES_MAX,
    apply_speed_min: float | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> tuple[Difference, list[Travel]]:
    """From `old` to `new` by a pack, everything counted. Raises what reading them raises."""
    held = codec.encode(old.manifest)
    built = build(
        new, old, manifest_digest(held), lambda digest, piece: None,
        threads=threads, opened_memory_bytes=opened_memory_bytes, apply_speed_min=apply_speed_min, advance=advance,
    )  # fmt: skip
    route = route_of(built.pack, built.object, lambda: (built.index, built.index_bytes), new.manifest)
    named = codec.encode(replace(new.manifest, packs=(built.pack,)))
    difference = compare(old.manifest, new.manifest, manifest_travels(held, named), route)
    return difference, travels(old.manifest, new.manifest, route)


def manifest_travels(old: bytes, new: bytes) -> int:
    """Bytes that bring an encoded manifest to a device that holds another: as edits, where these are fewer."""
    return len(edits.make(old, new) or new)


def route_of(pack: Pack, data: bytes, index: Callable[[], tuple[PackIndex, int]], release: Manifest) -> Route:
    """A pack as a way. `data`: of a small one, itself; `index`: of another, its index with the index's bytes."""
    if pack.small:
        return Route(outline(small.decode(data), len(data), release), 0, 1)
    found, index_bytes = index()
    return Route(found, pack.manifest_bytes + index_bytes, 2 + len(found.bundles))


def measure_chunks(old: Manifest, new: Manifest) -> Difference:
    """The same by whole chunks."""
    return compare(old, new, manifest_travels(codec.encode(old), codec.encode(new)))
