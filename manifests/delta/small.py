"""A small pack as bytes: one object, verified as a whole by the digest that the release names it by.

    u8 literal context bits | number: bytes of the plan | the plan, by LZMA2 | what is new, by zstd

A pack of a few kilobytes has no manifest, pieces or swarm of its own, and one patch for all of its pieces, laid end to
end: covers of the bases, laid end to end too, and literals between them. The literals are compressed with the bases as
zstd's dictionary, for what is new in a text is made of its words. Normative: docs/packs.md.
"""

import lzma
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

import zstandard

from manifests.errors import MalformedManifestError, MalformedPackError
from manifests.manifest import Manifest
from manifests.numbers import Row, number, signed

from .limits import (
    DICTIONARY_BYTES_MAX,
    SMALL_BYTES_MAX,
    SMALL_LITERAL_BYTES_MAX,
    SMALL_NEW_BYTES_MAX,
    SMALL_PLAN_BYTES_MAX,
    WINDOW_BYTES_MAX,
)
from .patches import Cover

CONTEXT_BITS: Final = (0, 1, 3)
"""Of LZMA, that are worth a try."""
_QUICK_LEVEL: Final = 9
_BEST_LEVEL: Final = 18
"""5 % less of a text, for a second for 5 MB of bases."""
_WORTH: Final = 0.05
"""Only where what is new takes such a part of the pack."""
_WINDOW_LOG: Final = WINDOW_BYTES_MAX.bit_length() - 1


@dataclass(frozen=True)
class SmallPack:
    """`pieces` of the release, ascending, and `bases`, of the one before: of both what is made is laid end to end.
    `covers`: bytes that are like some of the bases. `changed`: of all bytes that have a cover, in order, the numbers of
    those that differ; `added`: what is to be added to each of these (modulo 256; never 0). `literals`: the bytes
    without a cover; `packed`: the same, compressed.
    """

    pieces: tuple[int, ...]
    bases: tuple[int, ...]
    covers: tuple[Cover, ...] = field(repr=False)
    changed: "array[int]" = field(repr=False)
    added: bytes = field(repr=False)
    literal_bytes: int
    packed: bytes = field(repr=False)

    def made_starts(self, release: Manifest) -> list[int]:
        """Where each piece begins among all that is made; the last is where it ends."""
        return list(accumulate((release.lengths[piece] for piece in self.pieces), initial=0))

    def dictionary(self, base: Manifest | None) -> tuple[int, ...]:
        """The bases that the literals are compressed with: from the first on as many as may be."""
        left, found = DICTIONARY_BYTES_MAX, 0
        for piece in self.bases:
            left -= base.lengths[piece] if base else 0
            if left < 0:
                break
            found += 1
        return self.bases[:found]

    @cached_property
    def covered_bytes(self) -> int:
        """Of what is made."""
        return sum(cover.length for cover in self.covers)


def encode(pieces: Sequence[int], bases: Sequence[int], covers: Sequence[Cover],
           changes: Sequence[tuple[int, bytes]], literals: bytes, dictionary: bytes) -> bytes:  # fmt: skip
    """The object's bytes. `dictionary`: the bases that `SmallPack.dictionary` says, laid end to end."""
    plan = bytearray()
    for row in (pieces, bases):
        plan += number(len(row))
        for before, after in zip((0, *row), row, strict=False):
            plan += number(after - before)
    plan += number(len(covers))
    new = old = 0
    for cover in covers:
        plan += number(cover.new - new) + signed(cover.old - old) + number(cover.length)
        new, old = cover.new + cover.length, cover.old + cover.length
    plan += number(len(changes))
    for gap, values in changes:
        plan += number(gap) + number(len(values)) + values
    plan += number(len(literals))
    tries = ((bits, lzma.compress(plan, lzma.FORMAT_RAW, filters=_filters(bits))) for bits in CONTEXT_BITS)
    bits, packed = min(tries, key=lambda one: (len(one[1]), one[0]))
    return (
        bytes((bits,)) + number(len(packed)) + packed + (_best(literals, dictionary, len(packed)) if literals else b"")
    )


def decode(data: bytes) -> SmallPack:
    """The small pack of these bytes, whose digest was verified. Only MalformedPackError for any others."""
    try:
        return _decode(data)
    except MalformedPackError:
        raise
    except MalformedManifestError as error:
        raise MalformedPackError(f"a small pack is damaged: {error}") from None


def _decode(data: bytes) -> SmallPack:
    if len(data) > SMALL_BYTES_MAX:
        raise MalformedPackError(f"{len(data)} bytes are too many for a small pack (at most {SMALL_BYTES_MAX})")
    outer = Row(data)
    bits = outer.number()
    if bits not in CONTEXT_BITS:
        raise MalformedPackError("a small pack of an unknown kind")
    row = Row(_expand_plan(bits, outer.bytes(outer.number())))
    pieces, bases = _ascending(row), _ascending(row)
    covers = tuple(_covers(row))
    changed, added = _changes(row)
    literal_bytes = row.number()
    if not row.ended or literal_bytes > SMALL_LITERAL_BYTES_MAX:
        raise MalformedPackError("a small pack has more than it may, or something behind its end")
    return SmallPack(pieces, bases, covers, changed, added, literal_bytes, data[outer.at :])


def check(pack: SmallPack, release: Manifest, base: Manifest | None) -> None:
    """MalformedPackError unless it fits the release that it leads to, and the one that it starts from (None: no
    release).
    """
    if not pack.pieces or pack.pieces[-1] >= release.pieces:
        raise MalformedPackError("a small pack is for other pieces than the release has")
    if pack.bases and (base is None or pack.bases[-1] >= base.pieces):
        raise MalformedPackError("a small pack starts from other pieces than the base has")
    made = sum(release.lengths[piece] for piece in pack.pieces)
    held = sum(base.lengths[piece] for piece in pack.bases) if base else 0
    end = 0
    for cover in pack.covers:
        if cover.new < end or not 0 <= cover.old <= cover.old + cover.length <= held or not cover.length:
            raise MalformedPackError("a cover lies outside of what it covers")
        end = cover.new + cover.length
    if end > made or max(made, held) > SMALL_NEW_BYTES_MAX or pack.covered_bytes + pack.literal_bytes != made:
        raise MalformedPackError("a small pack does not add up")
    if pack.changed and pack.changed[-1] >= pack.covered_bytes:
        raise MalformedPackError("changes lie outside of what is covered")


def literals(pack: SmallPack, dictionary: bytes) -> bytes:
    """The bytes that are new; MalformedPackError. `dictionary`: see `encode`."""
    if not pack.literal_bytes:
        return b""
    bases = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if dictionary else None
    decompressor = zstandard.ZstdDecompressor(
        dict_data=bases, max_window_size=WINDOW_BYTES_MAX, format=zstandard.FORMAT_ZSTD1_MAGICLESS
    )
    try:
        found: bytes = decompressor.stream_reader(pack.packed).read(pack.literal_bytes)
    except (zstandard.ZstdError, MemoryError) as error:
        raise MalformedPackError(f"what is new in a small pack is damaged: {error}") from None
    if len(found) != pack.literal_bytes:
        raise MalformedPackError("what is new in a small pack ends too early")
    return found


def _best(data: bytes, dictionary: bytes, plan_bytes: int) -> bytes:
    quick = _compress(data, dictionary, _QUICK_LEVEL)
    if len(quick) < _WORTH * plan_bytes:
        return quick
    return min(quick, _compress(data, dictionary, _BEST_LEVEL), key=len)


def _compress(data: bytes, dictionary: bytes, level: int) -> bytes:
    parameters: Any = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=len(data) + len(dictionary), dict_size=len(dictionary), window_log=_WINDOW_LOG,
        write_checksum=False, write_content_size=False, format=zstandard.FORMAT_ZSTD1_MAGICLESS,
    )  # fmt: skip
    bases = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if dictionary else None
    packed: bytes = zstandard.ZstdCompressor(dict_data=bases, compression_params=parameters).compress(data)
    return packed


def _filters(context_bits: int) -> list[dict[str, int]]:
    preset = 9 | lzma.PRESET_EXTREME
    return [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": SMALL_PLAN_BYTES_MAX, "lc": context_bits, "pb": 0}]


def _expand_plan(context_bits: int, packed: bytes) -> bytes:
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(context_bits))
    try:
        plan = decompressor.decompress(packed, SMALL_PLAN_BYTES_MAX)
    except (lzma.LZMAError, MemoryError) as error:
        raise MalformedPackError(f"a small pack's plan is damaged: {error}") from None
    if not decompressor.eof or decompressor.unused_data:
        raise MalformedPackError(f"a small pack's plan is cut short, or has more than {SMALL_PLAN_BYTES_MAX} bytes")
    return plan


def _count(row: Row) -> int:
    """Of things that take a byte each at least."""
    count = row.number()
    if count > len(row.data) - row.at:
        raise MalformedPackError("a small pack promises more than it holds")
    return count


def _ascending(row: Row) -> tuple[int, ...]:
    found = tuple(accumulate(row.number() for _ in range(_count(row))))
    if len(set(found)) != len(found):
        raise MalformedPackError("a small pack names a piece twice")
    return found


def _changes(row: Row) -> tuple["array[int]", bytes]:
    """Nearly all are of short numbers and one byte: there are tens of thousands, and a device has no time for a call
    for each.
    """
    data, short, changed, added, place = row.data, 0x80, array("I"), bytearray(), 0
    count, at = _count(row), row.at
    try:
        for _ in range(count):
            if (gap := data[at]) < short:
                at += 1
            else:
                row.at = at
                gap, at = row.number(), row.at
                if place + gap > SMALL_NEW_BYTES_MAX:
                    raise MalformedPackError("a small pack's changes lie outside of what it makes")
            place += gap
            if data[at] == 1:
                changed.append(place)
                added.append(data[at + 1])
                place, at = place + 1, at + 2
            else:
                row.at = at
                values = row.bytes(row.number())
                changed.extend(range(place, place + len(values)))
                added += values
                place, at = place + len(values), row.at
    except IndexError:
        raise MalformedPackError("a small pack's changes are cut short") from None
    row.at = at
    return changed, bytes(added)


def _covers(row: Row) -> Iterator[Cover]:
    new = old = 0
    for _ in range(_count(row)):
        new, old, length = new + row.number(), old + row.signed(), row.number()
        yield Cover(new, old, length)
        new, old = new + length, old + length
