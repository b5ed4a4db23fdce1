"""Streams opened from their start, as far as the time goes.

What compressors write depends on what they have seen: from the first half of what a stream holds comes the first half
of the stream, but for the last block. So a device may make that again, and have the rest as it is.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from manifests.nested import recipes
from manifests.nested.streams import expander_of, first, held_by_start

from .opened import Stream

PART_BYTES_MIN: Final = 2**16
"""Of a stream: what saves less is not opened."""
MARGIN_SHARE: Final = 8
"""Of the old stream this part more is opened: what is alike may lie a little later there."""


def start_of(stream: Stream, data: memoryview, share: float) -> tuple[Stream, bytes] | None:
    """The part of a stream that comes of this share of what it holds, and the compressed bytes behind it from which the
    rest of that share is known; None where the part is too small.

    `data`: the whole stream, perhaps more than `stream.length` of it.
    """
    expanded_bytes = int(stream.expanded_bytes * share)
    expander = expander_of(stream.way.partition(" ")[0], data)
    made = _equal_bytes(stream.way, first(expander, expanded_bytes), expanded_bytes, data)
    length = min(made, stream.length)
    if length < PART_BYTES_MIN:
        return None
    with data[length : expander.length] as rest:
        return replace(stream, length=length, expanded_bytes=expanded_bytes), bytes(rest)


def _equal_bytes(way: str, blocks: Iterator[bytes], expanded_bytes: int, data: memoryview) -> int:
    """How long what a recipe makes of these blocks is the start of `data`."""
    compressor = recipes.parse(way).compressor(expanded_bytes)
    made = b"".join([*map(compressor.compress, blocks), compressor.flush()])
    return _common(made, data)


def _common(made: bytes, data: memoryview) -> int:
    """Bytes at the start of both."""
    low, high = 0, min(len(made), len(data))
    while low < high:  # the start is the same up to some byte
        middle = (low + high + 1) // 2
        if made[low:middle] == data[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def start_of_base(stream: Stream, data: memoryview) -> Stream | None:
    """The part of an old stream that `data` is; None where nothing comes of that."""
    expanded_bytes = held_by_start(stream.way, data)
    return replace(stream, length=len(data), expanded_bytes=expanded_bytes) if expanded_bytes else None
