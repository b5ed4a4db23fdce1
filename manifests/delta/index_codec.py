"""A pack's index as bytes: one MessagePack map of columns, canonical as a manifest is. Normative: docs/manifest.md.

Piece numbers are stored as differences, which are mostly 1, so that an item costs about six bytes.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, Final

import msgpack

from manifests.errors import MalformedPackError
from manifests.limits import CHUNK_BYTES_MAX

from .limits import INDEX_BYTES_MAX
from .opened import Opened, Stream
from .pack import ZSTD_BASES, Frame, Item, PackIndex

FORMAT: Final = 1
KEYS: Final = (
    "format", "base", "bundles", "codecs", "lengths", "counts", "pieces", "degrees", "bases", "patches",
    "ways", "streams", "opened", "old_streams", "old_opened",
)  # fmt: skip
_BYTES: Final = ("base", "codecs", "degrees")
_ROW: Final = 4
"""Numbers of a stream: bytes between it and the one before, its length, what it holds, its way."""


def encode(index: PackIndex) -> bytes:
    """The index's canonical bytes; MalformedPackError when they would be too many."""
    frames = [frame for bundle in index.bundles for frame in bundle]
    items = [item for frame in frames for item in frame.items]
    streams = index.opened.streams + index.old_opened.streams
    ways = list(dict.fromkeys(stream.way for stream in streams))
    columns: tuple[object, ...] = (
        FORMAT,
        index.base,
        [len(bundle) for bundle in index.bundles],
        bytes(frame.codec for frame in frames),
        [frame.length for frame in frames],
        [len(frame.items) for frame in frames],
        _steps([item.piece for item in items]),
        bytes(len(item.bases) for item in items),
        _steps([base for item in items for base in item.bases]),
        [item.patch for item in items if item.patch],
        ways,
        _rows(index.opened, ways),
        list(index.opened.lengths),
        _rows(index.old_opened, ways),
        list(index.old_opened.lengths),
    )
    data: bytes = msgpack.packb(dict(zip(KEYS, columns, strict=True)))
    if len(data) > INDEX_BYTES_MAX:
        raise MalformedPackError(f"the index has {len(data)} bytes, at most {INDEX_BYTES_MAX}; take larger chunks")
    return data


def decode(data: bytes) -> PackIndex:
    """The index of these bytes. Only MalformedPackError for any others."""
    if len(data) > INDEX_BYTES_MAX:
        raise MalformedPackError(f"{len(data)} bytes are too many for a pack's index (at most {INDEX_BYTES_MAX})")
    document = _unpack(data)
    try:
        opened, old_opened = _opened(document, ""), _opened(document, "old_")
        index = PackIndex(document["base"], tuple(_bundles(document)), opened, old_opened)
    except (StopIteration, RuntimeError, TypeError, ValueError, IndexError):
        raise MalformedPackError("the columns of a pack's index do not fit together") from None
    if encode(index) != data:
        raise MalformedPackError("the index's bytes are not canonical")
    return index


def _unpack(data: bytes) -> dict[str, Any]:
    size = len(data)
    try:
        document = msgpack.unpackb(
            data, max_array_len=size, max_map_len=len(KEYS), max_ext_len=0, max_bin_len=size, max_str_len=size
        )
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise MalformedPackError(f"not a pack's index: {error or type(error).__name__}") from None
    if not isinstance(document, dict) or tuple(document) != KEYS:
        raise MalformedPackError(f"a pack's index has the keys {', '.join(KEYS)}, in this order")
    if document["format"] != FORMAT or type(document["format"]) is not int:
        raise MalformedPackError(f"pack format {document['format']!r} is unknown here (known: {FORMAT})")
    for key in KEYS[1:]:
        kind, within = (bytes if key in _BYTES else list), (str if key == "ways" else int)
        value = document[key]
        if type(value) is not kind or (kind is list and any(type(one) is not within for one in value)):
            raise MalformedPackError(f"{key} must be {'bytes' if kind is bytes else f'a row of {within.__name__}'}")
    return document


def _bundles(document: dict[str, Any]) -> Iterator[tuple[Frame, ...]]:
    pieces, bases = accumulate(document["pieces"]), accumulate(document["bases"])
    degrees, patches = iter(document["degrees"]), iter(document["patches"])
    rows = zip(document["codecs"], document["lengths"], document["counts"], strict=True)

    def item(codec: int) -> Item:
        found = tuple(next(bases) for _ in range(next(degrees)))
        return Item(next(pieces), found, next(patches) if found and codec != ZSTD_BASES else 0)

    def frame() -> Frame:
        codec, length, count = next(rows)
        return Frame(codec, length, tuple(item(codec) for _ in range(count)))

    for count in document["bundles"]:
        yield tuple(frame() for _ in range(count))
    for column in (rows, pieces, bases, degrees, patches):
        if next(column, None) is not None:
            raise ValueError("a column is too long")


def _rows(opened: Opened, ways: list[str]) -> list[int]:
    rows, end = list[int](), 0
    for stream in opened.streams:
        rows += (stream.offset - end, stream.length, stream.expanded_bytes, ways.index(stream.way))
        end = stream.end
    return rows


def _opened(document: dict[str, Any], side: str) -> Opened:
    row, ways = document[f"{side}streams"], document["ways"]
    streams, end = list[Stream](), 0
    if any(number < 0 for number in row) or len(row) % _ROW:
        raise ValueError("a stream's row is damaged")
    for at in range(0, len(row), _ROW):
        gap, length, expanded_bytes, way = row[at : at + _ROW]
        streams.append(Stream(end + gap, length, expanded_bytes, ways[way]))
        end += gap + length
    lengths = tuple(document[f"{side}opened"])
    if min(lengths, default=1) < 1 or max(lengths, default=0) > CHUNK_BYTES_MAX:
        raise ValueError("an opened piece has an impossible length")
    return Opened(tuple(streams), lengths)


def _steps(numbers: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(chain((0,), numbers))]
