"""At a publisher: what compressed streams of two releases hold, as pieces to be patched."""

import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO

from manifests import chunker
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest
from manifests.nested.streams import expander_of, first

from .limits import REGION_BYTES_MAX
from .matching import Source
from .opened import NOTHING, Opened, Stream, regions
from .searching import Found, piece_at
from .selecting import worth_opening


@dataclass(frozen=True)
class Side:
    """A release with its opened pieces behind the others, for the maker."""

    source: Source
    opened: Opened = NOTHING


@contextmanager
def open_both(
    release: Source, base: Source, memory_bytes_max: int, speed_min: float = 0.0
) -> Iterator[tuple[Side, Side]]:
    """The release and its base, opened as far as it pays, while in the context. Raises what reading them raises.

    `speed_min`: bytes of the release that a device shall apply in a processor second; 0: as it comes.
    """
    new, old = worth_opening(release, base, memory_bytes_max, speed_min) if memory_bytes_max else ([], [])
    if not new or not old:
        yield Side(release), Side(base)
        return
    with tempfile.TemporaryFile() as made, tempfile.TemporaryFile() as held:
        yield (
            _opened(release, _bounded(release.manifest, new), made),
            _opened(base, _bounded(base.manifest, old), held),
        )


def _bounded(manifest: Manifest, found: list[Found]) -> list[Found]:
    """Without those that would make a region too large."""
    kept, size, last = list[Found](), 0, -1
    for one in found:
        stream = one.stream
        if piece_at(manifest, stream.offset) > last:
            size = 2 * manifest.profile.max_bytes
        else:
            size += stream.offset - kept[-1].stream.end
        if size + stream.expanded_bytes <= REGION_BYTES_MAX:
            kept.append(one)
            size += stream.expanded_bytes
            last = piece_at(manifest, stream.end - 1)
        elif last >= 0:
            size -= stream.offset - kept[-1].stream.end
    return kept


def _opened(source: Source, found: list[Found], spool: IO[bytes]) -> Side:
    """With what these streams hold as further pieces, which lie in `spool`."""
    manifest = source.manifest
    digest_of = digest_function(manifest.algorithm)
    digests, lengths = bytearray(), array("I")
    streams, rests = tuple(one.stream for one in found), {one.stream: one.rest for one in found if one.rest}
    for first_piece, last, inside in regions(manifest, streams):
        for chunk in chunker.cut_joined(_expanded(source, first_piece, last, inside, rests), manifest.profile):
            digests += digest_of(chunk)
            lengths.append(len(chunk))
            spool.write(chunk)
    entries = (Entry("opened", FILE, size=sum(lengths)), Entry("release", FILE, size=manifest.size))
    whole = replace(
        manifest, digests=manifest.digests + bytes(digests), lengths=manifest.lengths + lengths, entries=entries,
        tree=True, health=None, packs=(),
    )  # fmt: skip
    return Side(Source(whole, _reader(source, whole, spool)), Opened(streams, tuple(lengths)))


def _reader(source: Source, whole: Manifest, spool: IO[bytes]) -> Callable[[int], bytes]:
    own = source.manifest

    def read(piece: int) -> bytes:
        if piece < own.pieces:
            return source.read(piece)
        spool.seek(whole.offsets[piece] - own.size)
        return spool.read(whole.lengths[piece])

    return read


def _expanded(
    source: Source, first_piece: int, last: int, streams: tuple[Stream, ...], rests: Mapping[Stream, bytes]
) -> Iterator[bytes]:
    """A region, opened."""
    data = b"".join(source.read(piece) for piece in range(first_piece, last + 1))
    start = at = source.manifest.offsets[first_piece]
    for stream in streams:
        yield data[at - start : stream.offset - start]
        kind, part = stream.way.partition(" ")[0], data[stream.offset - start : stream.end - start]
        with memoryview(part + rests.get(stream, b"")) as whole:
            yield from first(expander_of(kind, whole), stream.expanded_bytes)
        at = stream.end
    yield data[at - start :]
