"""From two releases to a pack: matched, encoded and bundled, by all cores, in order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from math import inf
from typing import Final, TypeVar

from manifests.manifest import Manifest
from manifests.nested.recipes import MEMORY_BYTES_MAX

from . import affording, bundling, encoding
from .encoding import BEST_LEVEL, Form, Neighbours
from .limits import base_bytes_max
from .matching import Match, Run, Source, match, missing
from .opened import NOTHING, Pieces
from .opening import Side, open_both
from .pack import PackIndex

THREADS_MAX: Final = 24
"""About 40 MB each at work: the suffix array of a base, the piece, what is made of them."""
_AHEAD: Final = 2
"""Jobs for each thread, under way or waiting, so that none of them waits for us."""
TOGETHER_BYTES: Final = 2 * 2**20
"""Of new pieces, and of old ones, that are searched as one: their sorting takes 6 times that in memory, a thread."""

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
    apply_speed_min: float | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> PackIndex:
    """Make a pack that leads from `base` (None: nothing) to `release`. `put` is given each bundle's bytes, in order.

    `opened_memory_bytes`: what a device may use to make a compressed stream again; 0: none is opened.
    `apply_speed_min`: bytes of the release that it shall apply in a processor second; 0: as it comes, None: what its
    profile says.
    `advance` is told of bytes as they are looked at: those of old pieces once, those of new ones once or twice.
    """
    count = threads or min(os.cpu_count() or 1, THREADS_MAX)
    bundles = []
    speed = affording.speed_min(release.manifest.profile) if apply_speed_min is None else apply_speed_min
    with _opened(release, base, opened_memory_bytes, speed) as (made, held), ThreadPoolExecutor(count) as pool:
        matches = _matches(release, base, made, held, partial(_ordered, pool, count * _AHEAD), advance)
        encodings = _encodings(matches, made.source, held.source if held else None, advance)
        forms = chain.from_iterable(_ordered(pool, count * _AHEAD, encodings))
        size, bundle_bytes = (release.manifest.size, bundling.PATCHES_BYTES) if base else (0, bundling.WHOLE_BYTES)
        as_it_comes = made.opened.streams and not speed
        xz_bytes_max = affording.xz_bytes_max(release.manifest, base.manifest) if base and not as_it_comes else inf
        drafts = bundling.drafts(zip(matches, forms, strict=True), size, bundle_bytes, xz_bytes_max)
        for bundle in _ordered(pool, count, (partial(bundling.close, draft, level) for draft in drafts)):
            put(bundle.data)
            bundles.append(bundle.frames)
    return PackIndex(base_digest, tuple(bundles), made.opened, held.opened if held else NOTHING)


@contextmanager
def _opened(
    release: Source, base: Source | None, memory_bytes_max: int, speed_min: float
) -> Iterator[tuple[Side, Side | None]]:
    if base is None:
        yield Side(release), None
        return
    with open_both(release, base, memory_bytes_max, speed_min) as both:
        yield both


def _matches(
    release: Source,
    base: Source | None,
    made: Side,
    held: Side | None,
    run: Run,
    advance: Callable[[int], None],
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
    return match(made.source, held.source, lacking, run, advance)


def work_bytes(release: Manifest, base: Manifest | None) -> int:
    """What `make` will tell `advance` in all."""
    lacking = sum(release.lengths[piece] for piece in missing(release, base))
    return lacking if base is None else 2 * lacking + sum(base.lengths[piece] for piece in missing(base, release))


def _encodings(
    matches: Sequence[Match], release: Source, base: Source | None, advance: Callable[[int], None]
) -> Iterator[Callable[[], list[Form]]]:
    """Of neighbours, in the order of the matches."""
    bytes_max = base_bytes_max(release.manifest.profile)
    for run in neighbours(matches, release.manifest, base.manifest if base else None):
        pieces = [release.read(found.piece) for found in run]
        numbers = sorted({old for found in run for old in found.bases})
        held = {old: base.read(old) for old in numbers} if base else {}
        advance(sum(map(len, pieces)))
        these = Neighbours(pieces, [found.bases for found in run], held, [found.place for found in run])
        yield partial(encoding.encode, these, bytes_max)


def neighbours(matches: Sequence[Match], release: Manifest, base: Manifest | None) -> Iterator[list[Match]]:
    """Runs of matches that have, of pieces and of bases, TOGETHER_BYTES at most each, or are a single one."""
    run, held, size, held_bytes = list[Match](), set[int](), 0, 0
    for found in matches:
        length = release.lengths[found.piece]
        fresh_bytes = sum(base.lengths[old] for old in found.bases if old not in held) if base else 0
        if run and (size + length > TOGETHER_BYTES or held_bytes + fresh_bytes > TOGETHER_BYTES):
            yield run
            run, held, size, held_bytes = [], set(), 0, 0
            fresh_bytes = sum(base.lengths[old] for old in found.bases) if base else 0
        run.append(found)
        held.update(found.bases)
        size, held_bytes = size + length, held_bytes + fresh_bytes
    if run:
        yield run


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
