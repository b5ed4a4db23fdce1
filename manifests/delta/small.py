"""A small pack as bytes: one object, verified as a whole by the digest that the release names it by.

    u8 kind | number: bytes of the plan | the plan, by LZMA2 | what is new, by zstd

A pack of a few kilobytes has no manifest, pieces or swarm of its own, and one patch for all of its pieces, laid end to
end: covers of the bases, laid end to end too, and literals between them. The literals are compressed with the bases as
zstd's dictionary, for what is new in a text is made of its words. Normative: docs/packs.md.
"""

import lzma
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

import zstandard

from manifests.errors import MalformedManifestError, MalformedPackError
from manifests.manifest import Manifest
from manifests.numbers import Row, number

from . import plans
from .limits import (
    DICTIONARY_BYTES_MAX,
    SMALL_BYTES_MAX,
    SMALL_LITERAL_BYTES_MAX,
    SMALL_NEW_BYTES_MAX,
    SMALL_PLAN_BYTES_MAX,
    WINDOW_BYTES_MAX,
)
from .patches import Cover
from .plans import Change, Plan, Way

KIND: Final = 0x10
"""Of every small pack; with it stand the context bits and what follows. (Kinds below were another layout.)"""
REPLACING: Final = 0x04
HOMING: Final = 0x08
APART: Final = 0x20
CONTEXT_BITS: Final = (0, 1, 3)
"""Of LZMA, that are worth a try."""
_EITHER: Final = (False, True)
WAYS: Final = tuple(Way(replacing, homing, apart) for replacing in _EITHER for homing in _EITHER for apart in _EITHER)
KIND_OF: Final = {
    (way, bits): KIND | bits | REPLACING * way.replacing | HOMING * way.homing | APART * way.apart
    for way in WAYS
    for bits in CONTEXT_BITS
}
KINDS: Final = {kind: both for both, kind in KIND_OF.items()}
"""The first byte, and what it says."""
_QUICK_LEVEL: Final = 9
_BEST_LEVEL: Final = 18
"""5 % less of a text, for a second for 5 MB of bases."""
_WORTH: Final = 0.05
"""Only where what is new takes such a part of the pack."""
_WINDOW_LOG: Final = WINDOW_BYTES_MAX.bit_length() - 1


@dataclass(frozen=True)
class SmallPack(Plan):
    """`packed`: what has no cover, the literals, compressed."""

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


def encode(
    pieces: Sequence[int], bases: Sequence[int], covers: Sequence[Cover], changes: Sequence[Change], literals: bytes,
    dictionary: bytes,
) -> bytes:  # fmt: skip
    """The object's bytes. `dictionary`: the bases that `SmallPack.dictionary` says, laid end to end."""

    def tried(way: Way, context_bits: int) -> tuple[bytes, Way]:
        plan = plans.encode(pieces, bases, covers, changes, len(literals), way)
        packed = lzma.compress(plan, lzma.FORMAT_RAW, filters=_filters(context_bits))
        return bytes((KIND_OF[way, context_bits],)) + number(len(packed)) + packed, way

    changing, homes = [way for way in WAYS if not way.homing], [False, True]
    _, way = min((tried(way, CONTEXT_BITS[0]) for way in changing), key=_length)
    _, way = min((tried(way._replace(homing=homing), CONTEXT_BITS[0]) for homing in homes), key=_length)
    plan, _ = min((tried(way, context_bits) for context_bits in CONTEXT_BITS), key=_length)
    return plan + (_best(literals, dictionary, len(plan)) if literals else b"")


def _length(one: tuple[bytes, Way]) -> int:
    return len(one[0])


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
    known = KINDS.get(outer.number())
    if known is None:
        raise MalformedPackError("a small pack of a kind that is unknown here; update this program")
    way, context_bits = known
    plan = plans.decode(_expand_plan(context_bits, outer.bytes(outer.number())), way)
    if plan.literal_bytes > SMALL_LITERAL_BYTES_MAX:
        raise MalformedPackError(f"a small pack has more than {SMALL_LITERAL_BYTES_MAX} new bytes")
    return SmallPack(**vars(plan), packed=data[outer.at :])


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


def literals(pack: SmallPack, dictionary: bytes | bytearray) -> bytes:
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
