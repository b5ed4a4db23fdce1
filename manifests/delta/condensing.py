"""A pack of a few kilobytes, made small: its patches joined to one, for all of its pieces."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from manifests.errors import MalformedPackError
from manifests.manifest import Manifest

from . import codecs, patches, small
from .limits import DICTIONARY_BYTES_MAX, SMALL_BYTES_MAX, SMALL_LITERAL_BYTES_MAX, SMALL_NEW_BYTES_MAX
from .matching import Source
from .pack import Item, PackIndex, content_bytes
from .patches import Cover
from .plans import Change
from .rebuilding import Held, apply_small

CHANGES_FREE: Final = 8192
"""Runs of changed bytes that any small pack may have: a device takes half a microsecond for each."""
CHANGES_SHARE: Final = 1 / 600
"""Of the release's bytes, so many may be such runs: at 300 MB a processor second a quarter of the time is theirs. With
more, patches of a library that was linked anew, which is a tenth longer and made by hdiffpatch.
"""
COVERS_FREE: Final = 4096
COVERS_SHARE: Final = 1 / 4000
"""The same of covers, which take two and a half microseconds each: long lists in which a line here and there is new."""


def condense(index: PackIndex, bundles: Sequence[bytes], release: Source, base: Source | None) -> bytes | None:
    """The small pack of the same content, proven to make it, or None: it opens streams, would be large, or slow.

    Raises what reading the sources raises.
    """
    items = sorted(_items(index, bundles, release.manifest), key=lambda one: one[0].piece)
    made = [item.piece for item, _ in items]
    bases = sorted({piece for item, _ in items for piece in item.bases})
    sizes = [sum(release.manifest.lengths[piece] for piece in made)]
    sizes += [sum(base.manifest.lengths[piece] for piece in bases)] if base else []
    if not made or max(sizes) > SMALL_NEW_BYTES_MAX:
        return None
    covers = list(_joined(items, bases, release.manifest, base.manifest if base else None))
    if len(covers) > max(COVERS_FREE, COVERS_SHARE * release.manifest.size):
        return None
    changes, literals = _content(covers, made, bases, release, base)
    changes_max = max(CHANGES_FREE, CHANGES_SHARE * release.manifest.size)
    if len(literals) > SMALL_LITERAL_BYTES_MAX or len(changes) > changes_max:
        return None
    data = small.encode(made, bases, covers, changes, literals, b"".join(_dictionary(bases, base)))
    return data if len(data) <= SMALL_BYTES_MAX and _makes_all(data, release, base) else None


def _makes_all(data: bytes, release: Source, base: Source | None) -> bool:
    """A plan can be longer than any device reads, and yet compress to nothing."""
    held, bases = (base.manifest, Held(base.read)) if base else (None, Held(lambda piece: None))
    try:
        pack = small.decode(data)
        small.check(pack, release.manifest, held)
    except MalformedPackError:
        return False
    return all(made.data is not None for made in apply_small(pack, release.manifest, held, bases))


def _items(index: PackIndex, bundles: Sequence[bytes], release: Manifest) -> Iterator[tuple[Item, list[Cover]]]:
    """Each item with the covers of its patch, if it has one."""
    if index.opened.streams:
        return
    for frames, data in zip(index.bundles, bundles, strict=True):
        at = 0
        for frame in frames:
            encoded, at = data[at : at + frame.length], at + frame.length
            stream = codecs.reader(frame.codec, encoded) if any(item.patch for item in frame.items) else None
            for item in frame.items:
                content = codecs.read_exactly(stream, content_bytes(item, release)) if stream else b""
                yield item, patches.covers(content) if item.patch else []


def _joined(
    items: Sequence[tuple[Item, list[Cover]]], bases: Sequence[int], release: Manifest, base: Manifest | None
) -> Iterator[Cover]:
    """Covers of all pieces by all bases, laid end to end; those that go on in both are one."""
    lengths = [base.lengths[piece] for piece in bases] if base else []
    starts = dict(zip(bases, accumulate(lengths, initial=0), strict=False))
    last, new = Cover(0, 0, 0), 0
    for item, covers in items:
        own = list(accumulate((base.lengths[piece] for piece in item.bases), initial=0)) if base else []
        for cover in covers:
            for part in _split(cover, own):
                place = max(at for at, start in enumerate(own[:-1]) if start <= part.old)
                found = Cover(new + part.new, starts[item.bases[place]] + part.old - own[place], part.length)
                if (last.new + last.length, last.old + last.length) == (found.new, found.old):
                    last = Cover(last.new, last.old, last.length + found.length)
                    continue
                if last.length:
                    yield last
                last = found
        new += release.lengths[item.piece]
    if last.length:
        yield last


def _split(cover: Cover, starts: Sequence[int]) -> Iterator[Cover]:
    """A cover, cut where one base ends and the next begins."""
    new, old, end = cover.new, cover.old, cover.old + cover.length
    for cut in [*(start for start in starts if old < start < end), end]:
        yield Cover(new, old, cut - old)
        new, old = new + cut - old, cut


def _content(
    covers: Sequence[Cover], made: Sequence[int], bases: Sequence[int], release: Source, base: Source | None
) -> tuple[list[Change], bytes]:
    """What differs where there are covers, and what has none."""
    import numpy as np  # which only those have who publish patches

    new = np.frombuffer(b"".join(map(release.read, made)), np.uint8)
    old = np.frombuffer(b"".join(map(base.read, bases)) if base else b"", np.uint8)
    fresh = np.ones(len(new), bool)
    covered, differences = [np.zeros(0, np.uint8)], [np.zeros(0, np.uint8)]
    for cover in covers:
        place = slice(cover.new, cover.new + cover.length)
        fresh[place] = False
        covered.append(new[place])
        differences.append(new[place] - old[cover.old : cover.old + cover.length])
    values, added = np.concatenate(covered), np.concatenate(differences)
    places = np.flatnonzero(added)
    breaks = np.flatnonzero(np.diff(places) > 1)
    firsts = places[np.concatenate(([0], breaks + 1))] if len(places) else places
    lasts = places[np.concatenate((breaks, [len(places) - 1]))] if len(places) else places
    changes, end = list[Change](), 0
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        run = slice(first, last + 1)
        changes.append(Change(first - end, values[run].tobytes(), added[run].tobytes()))
        end = last + 1
    return changes, new[fresh].tobytes()


def _dictionary(bases: Sequence[int], base: Source | None) -> Iterator[bytes]:
    left = DICTIONARY_BYTES_MAX
    for piece in bases:
        data = base.read(piece) if base else b""
        left -= len(data)
        if left < 0:
            return
        yield data
