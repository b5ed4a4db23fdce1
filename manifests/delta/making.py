"""From two releases to a pack: matched, encoded and bundled, by all cores, in order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from manifests.manifest import Manifest
from manifests.nested.recipes import MEMORY_BYTES_MAX

from . import bundling, encoding
from .encoding import BEST_LEVEL, Form
from .matching import Match, Source, match, missing
from .opened import NOTHING, Pieces
from .opening import Side, open_both
from .pack import PackIndex

THREADS_MAX: Final = 24
"""About 40 MB each at work: the suffix array of a base, the piece, what is made of them."""
_AHEAD: Final = 2
"""Pieces that wait for each thread, so that none of them waits for us."""

Result = TypeVar("Result")


def make(
    release: Source,
    base: Source | None,
    base_digest: bytes,
    put: Callable[[bytes], None],
    *,
    level: int = BEST_LEVEL,
    threads: int | None = None,
    opened_memory_bytes: int = MEMORY_BYTES_MAX,
    advance: Callable[[int], None] = lambda count: None,
) -> PackIndex:
    """Make a pack that leads from `base` (None: nothing) to `release`. `put` is given each bundle's bytes, in order.

    `opened_memory_bytes`: what a device may use to make a compressed stream again; 0: none is opened.
    `advance` is told of bytes as they are looked at: those of old pieces once, those of new ones once or twice.
    """
    count = threads or min(os.cpu_count() or 1, THREADS_MAX)
    bundles = []
    with _opened(release, base, opened_memory_bytes) as (made, held), ThreadPoolExecutor(count) as pool:
        matches = _matches(release, base, made, held, advance)
        forms = _ordered(pool, count * _AHEAD, _encodings(matches, made.source, held.source if held else None, advance))
        xz_bytes = bundling.XZ_SHARE * release.manifest.size if base else 0
        bundle_bytes = bundling.PATCHES_BYTES if base else bundling.WHOLE_BYTES
        drafts = bundling.drafts(zip(matches, forms, strict=True), xz_bytes, bundle_bytes)
        for bundle in _ordered(pool, count, (partial(bundling.close, draft, level) for draft in drafts)):
            put(bundle.data)
            bundles.append(bundle.frames)
    return PackIndex(base_digest, tuple(bundles), made.opened, held.opened if held else NOTHING)


@contextmanager
def _opened(release: Source, base: Source | None, memory_bytes_max: int) -> Iterator[tuple[Side, Side | None]]:
    if base is None:
        yield Side(release), None
        return
    with open_both(release, base, memory_bytes_max) as both:
        yield both


def _matches(
    release: Source, base: Source | None, made: Side, held: Side | None, advance: Callable[[int], None]
) -> list[Match]:
    """Bases for all pieces that a device lacks; for those of a region, for its opened ones."""
    lacking = missing(release.manifest, base.manifest if base else None)
    if held is None:
        return [Match(piece) for piece in lacking]
    for region in Pieces(release.manifest, made.opened).regions:
        inside = range(region.first, region.last + 1)
        advance(sum(2 * release.manifest.lengths[piece] for piece in lacking if piece in inside))
        lacking = [piece for piece in lacking if piece not in inside]
    lacking += range(release.manifest.pieces, made.source.manifest.pieces)
    return match(made.source, held.source, lacking, advance)


def work_bytes(release: Manifest, base: Manifest | None) -> int:
    """What `make` will tell `advance` in all."""
    lacking = sum(release.lengths[piece] for piece in missing(release, base))
    return lacking if base is None else 2 * lacking + sum(base.lengths[piece] for piece in missing(base, release))


def _encodings(
    matches: Sequence[Match], release: Source, base: Source | None, advance: Callable[[int], None]
) -> Iterator[Callable[[], Form]]:
    for found in matches:
        piece = release.read(found.piece)
        bases = b"".join(base.read(old) for old in found.bases) if base else b""
        advance(len(piece))
        yield partial(encoding.encode, piece, bases)


def _ordered(pool: ThreadPoolExecutor, ahead: int, jobs: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    """The jobs' results, in their order; at most `ahead` are under way or wait to be taken."""
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
