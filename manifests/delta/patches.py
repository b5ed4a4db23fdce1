"""What a patch says: HDiffPatch's compressed-diff format, of which we leave nothing compressed.

After a name eleven numbers, then four runs of bytes: *covers*, each saying that so many bytes of the piece are like
some of the base; what is to be added to all bytes, in runs (a control stream, and codes); the bytes that no cover has.
Source: https://github.com/sisong/HDiffPatch, `read_diffz_head`, `read_covers`, `serialize_compressed_diff`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from manifests.errors import MalformedPackError

_NAME: Final = b"HDIFF13&\0"
_FIELDS: Final = 11
"""Sizes: new, old, number of covers, then four streams, each with its compressed size, which is 0."""
_IDENTITY_MIN: Final = 64
_ONE: Final = tuple(bytes((value,)) for value in range(0x80))
"""Numbers of one byte, as most are."""


class Cover(NamedTuple):
    """`length` bytes of the piece at `new` are mostly those of the base at `old`."""

    new: int
    old: int
    length: int


def identity(size: int) -> bytes:
    """The patch from bytes to themselves, which needs no search; b"" where a search is as quick."""
    if size <= _IDENTITY_MIN:
        return b""
    return joined(size, size, [Cover(0, 0, size)], b"\x20" + number(size - 1), b"", b"")


def joined(size: int, base_size: int, covers: Sequence[Cover], control: bytes, codes: bytes, literals: bytes) -> bytes:
    """A patch of these parts. `covers` ascend in the piece, and don't overlap there."""
    places, at, back = bytearray(), 0, 0
    for new, old, length in covers:
        step, gap = old - back, new - at
        places += _ONE[step] if 0 <= step < 0x40 else _signed(step)
        places += _ONE[gap] if gap < 0x80 else number(gap)
        places += _ONE[length] if length < 0x80 else number(length)
        at, back = new + length, old + length
    fields = (size, base_size, len(covers), len(places), 0, len(control), 0, len(codes), 0, len(literals), 0)
    return b"".join((_NAME, *map(number, fields), places, control, codes, literals))


def covers(patch: bytes) -> list[Cover]:
    """Those of a patch that was checked, ascending in the piece."""
    fields, at = _header(patch)
    found, new, old = [], 0, 0
    for _ in range(fields[2]):
        first = patch[at]
        step, at = (first & 0x3F, at + 1) if first < 0x40 or 0x80 <= first < 0xC0 else _number(patch, at, first & 0x3F)
        old += -step if first & 0x80 else step
        gap, length = patch[at], patch[at + 1]
        if gap < 0x80 and length < 0x80:
            at += 2
        else:
            gap, at = _number(patch, at)
            length, at = _number(patch, at)
        new += gap
        found.append(Cover(new, old, length))
        new, old = new + length, old + length
    return found


def connected(covers: Iterable[Cover]) -> Iterator[Cover]:
    """Those that go on in both are one."""
    last = Cover(0, 0, 0)
    for cover in covers:
        if (last.new + last.length, last.old + last.length) == (cover.new, cover.old):
            last = last._replace(length=last.length + cover.length)
            continue
        if last.length:
            yield last
        last = cover
    if last.length:
        yield last


def check(patch: bytes, size: int, base_size: int) -> None:
    """MalformedPackError unless the header is one for these sizes, and for a patch of this length."""
    fields, at = _header(patch)
    new, old, _, places, packed1, control, packed2, codes, packed3, literals, packed4 = fields
    if (new, old) != (size, base_size) or any((packed1, packed2, packed3, packed4)):
        raise MalformedPackError("a patch is for other sizes, or compressed in itself")
    if at + places + control + codes + literals != len(patch):
        raise MalformedPackError("a patch has another length than its header says")


def number(value: int) -> bytes:
    """7 bits a byte, high ones first; the top bit says that more follow."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _signed(value: int) -> bytes:
    """As `number`, but the first byte has 6 bits, behind the sign and `more follow`."""
    sign, value = (0x80, -value) if value < 0 else (0, value)
    if value < 0x40:
        return bytes((sign | value,))
    low = number(value)
    first = low[0] & 0x7F
    if first < 0x40:
        return bytes((sign | 0x40 | first,)) + low[1:]
    return bytes((sign | 0x40,)) + low


def _header(patch: bytes) -> tuple[list[int], int]:
    if not patch.startswith(_NAME):
        raise MalformedPackError("not a patch, or one that hdiffpatch compressed")
    at, fields = len(_NAME), []
    for _ in range(_FIELDS):
        value, at = _number(patch, at)
        fields.append(value)
    return fields, at


def _number(patch: bytes, at: int, high: int | None = None) -> tuple[int, int]:
    """The number at a place, and what follows it. `high`: bits of a first byte that has a sign, too."""
    value = 0
    if high is not None:
        value, at = high, at + 1
    while True:
        if at >= len(patch) or value >> 56:
            raise MalformedPackError("a patch's header is damaged")
        byte, at = patch[at], at + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
