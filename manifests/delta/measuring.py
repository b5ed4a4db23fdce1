"""What an update would cost if it were published so: the pack is made, counted and dropped."""

from collections.abc import Callable
from dataclasses import replace

from manifests import codec
from manifests.diff import Difference, Route, Travel, compare, travels
from manifests.digest import manifest_digest
from manifests.manifest import Manifest, Pack
from manifests.nested.recipes import MEMORY_BYTES_MAX

from .matching import Source
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
    base_digest = manifest_digest(codec.encode(old.manifest))
    index, pack = build(
        new, old, base_digest, lambda digest, piece: None,
        threads=threads, opened_memory_bytes=opened_memory_bytes, apply_speed_min=apply_speed_min, advance=advance,
    )  # fmt: skip
    encoded = codec.encode(pack)
    named = replace(new.manifest, packs=(Pack(base_digest, manifest_digest(encoded), len(encoded), pack.size),))
    route = Route(index, len(encoded) + pack.lengths[0])
    difference = compare(old.manifest, new.manifest, len(codec.encode(named)), route)
    return difference, travels(old.manifest, new.manifest, route)


def measure_chunks(old: Manifest, new: Manifest) -> Difference:
    """The same by whole chunks."""
    return compare(old, new, len(codec.encode(new)))
