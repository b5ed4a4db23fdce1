"""For each piece that a device lacks: the old pieces that a patch should start from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from manifests.errors import PublishError
from manifests.manifest import Manifest

from .limits import BASES_MAX, base_bytes_max
from .positions import Positions

if TYPE_CHECKING:
    from .similarity import Cover

ALIKE_MIN: Final = 0.5
"""A piece of which so much is found says where its neighbours are."""
POOR_MAX: Final = 0.5
"""A piece of which less is found is also compared with what stood in its place."""


Run = Callable[[Iterable[Callable[[], Any]]], Iterator[Any]]
"""Gives what jobs return, in their order; by several threads, perhaps."""


@dataclass(frozen=True)
class Source:
    """A release, and the way to the bytes of its pieces. `read` is called from one thread."""

    manifest: Manifest
    read: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Match:
    """A piece to be sent, and what it should be made from, ascending; perhaps nothing. `place`: of one that resembles
    little, the base that has its place, and where in that it would begin.
    """

    piece: int
    bases: tuple[int, ...] = ()
    place: tuple[int, int] | None = None


def missing(release: Manifest, base: Manifest | None) -> list[int]:
    """The pieces that a device with `base` lacks, ascending, each digest once."""
    seen = {base.digest(piece) for piece in range(base.pieces)} if base else set()
    found = []
    for piece in range(release.pieces):
        if (digest := release.digest(piece)) not in seen:
            seen.add(digest)
            found.append(piece)
    return found


def similarity() -> ModuleType:
    """What finds pieces that are alike. PublishError where numpy is not installed: devices apply packs without it."""
    try:
        from . import similarity as module
    except ImportError:
        raise PublishError("patches are made with numpy, which is not installed: pip install 'p2pd[publish]'") from None
    return module


def match(release: Source, base: Source, lacking: list[int], run: Run, advance: Callable[[int], None]) -> list[Match]:
    """Bases for these pieces, ascending. `advance` is told of bytes of either release as they are compared.

    PublishError: see `similarity`.
    """
    similar = similarity()
    bytes_max = base_bytes_max(release.manifest.profile)

    def sampled(source: Source, pieces: list[int]) -> Iterator[tuple[int, int, Any]]:
        jobs = (partial(similar.samples, source.read(piece)) for piece in pieces)
        for piece, found in zip(pieces, run(jobs), strict=True):
            length = source.manifest.lengths[piece]
            advance(length)
            yield piece, length, found

    known = similar.Resemblance()
    for piece, length, found in sampled(base, missing(base.manifest, release.manifest)):
        known.add(piece, length, found)
    same = _same(release.manifest, base.manifest, lacking)
    strangers = [piece for piece in lacking if piece not in same]
    covers = {piece: known.cover(found, bytes_max, BASES_MAX) for piece, _, found in sampled(release, strangers)}
    positions = Positions(
        release.manifest.offsets, base.manifest.offsets, sorted(_alike(release.manifest, base.manifest, covers))
    )
    return [
        Match(piece, (same[piece],)) if piece in same else _matched(piece, covers[piece], positions, release, base)
        for piece in lacking
    ]


def _same(release: Manifest, base: Manifest, lacking: list[int]) -> dict[int, int]:
    """The old piece that a new one is: only of what is opened, for what else is held does not travel."""
    held = {base.digest(piece): piece for piece in reversed(range(base.pieces))}
    return {piece: old for piece in lacking if (old := held.get(release.digest(piece))) is not None}


def _alike(release: Manifest, base: Manifest, covers: "dict[int, Cover]") -> Iterator[tuple[int, int]]:
    places = {base.digest(piece): piece for piece in reversed(range(base.pieces))}
    for piece in range(release.pieces):
        cover = covers.get(piece)
        if cover is not None:
            if cover.share >= ALIKE_MIN:
                yield piece, cover.bases[0]
        elif (old := places.get(release.digest(piece))) is not None:
            yield piece, old


def _matched(piece: int, cover: "Cover", positions: Positions, release: Source, base: Source) -> Match:
    chosen = list(cover.bases)
    if cover.share >= POOR_MAX:
        return Match(piece, tuple(sorted(chosen)))
    lengths, size = base.manifest.lengths, release.manifest.lengths[piece]
    left = base_bytes_max(release.manifest.profile) - sum(lengths[old] for old in chosen)
    near = positions.around(piece, min(left, 2 * size + release.manifest.profile.average_bytes))
    chosen += [old for old in near if old not in chosen][: BASES_MAX - len(chosen)]
    place = positions.place(piece)
    return Match(piece, tuple(sorted(chosen)), place if place and place[0] in chosen else None)
