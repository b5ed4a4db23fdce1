"""A small pack's plan as bytes, before they are compressed: rows of numbers, what is alike side by side.

Gaps beside gaps and lengths beside lengths take 2 to 10 % less than cover after cover, change after change. What comes
next is said in the better of two ways, and so is where covers begin: see `Way`. Normative: docs/packs.md.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, NamedTuple

from manifests.errors import MalformedPackError
from manifests.numbers import Row, number, signed

from .limits import SMALL_NEW_BYTES_MAX
from .patches import Cover

HOME_BYTES: Final = 1024
"""A cover as long as this is where its surroundings come from."""


class Way(NamedTuple):
    """`replacing`: of a change its bytes are said, which suits text, not what is added to the old ones, which suits
    addresses. `homing`: where a cover begins is said as the difference from where the last one of HOME_BYTES would go
    on, for short ones come from anywhere, not as that from the end of the cover before. `apart`: gaps, lengths and
    bytes of changes stand apart, as suits text, not change after change, as suits code, whose gaps foretell its bytes.
    """

    replacing: bool
    homing: bool
    apart: bool


class Change(NamedTuple):
    """`gap`: covered bytes since the change before. `values`: what stands there; `added`: the same less the old."""

    gap: int
    values: bytes
    added: bytes


@dataclass(frozen=True)
class Plan:
    """`pieces` of the release, ascending, and `bases`, of the one before: of both what is made is laid end to end.
    `covers`: bytes that are like some of the bases. `changed`: of all bytes that have a cover, in order, the numbers of
    those that differ; `values`: what each becomes, or (unless `replacing`) what is to be added to it modulo 256.
    `literal_bytes`: so many have no cover.
    """

    pieces: tuple[int, ...]
    bases: tuple[int, ...]
    covers: tuple[Cover, ...] = field(repr=False)
    changed: "array[int]" = field(repr=False)
    values: bytes = field(repr=False)
    replacing: bool
    literal_bytes: int


def encode(
    pieces: Sequence[int], bases: Sequence[int], covers: Sequence[Cover], changes: Sequence[Change], literal_bytes: int,
    way: Way,
) -> bytes:  # fmt: skip
    """The plan's bytes."""
    plan = bytearray()
    for row in (pieces, bases):
        plan += number(len(row))
        plan += _numbers(after - before for before, after in zip((0, *row), row, strict=False))
    plan += number(len(covers))
    ends = (cover.new + cover.length for cover in covers)
    plan += _numbers(cover.new - end for cover, end in zip(covers, (0, *ends), strict=False))
    plan += b"".join(map(signed, _steps(covers, way)))
    plan += _numbers(cover.length for cover in covers)
    plan += number(len(changes)) + b"".join(_changes_rows(changes, way))
    return bytes(plan + number(literal_bytes))


def decode(data: bytes, way: Way) -> Plan:
    """The plan of these bytes. MalformedPackError, MalformedManifestError."""
    row = Row(data)
    pieces, bases = _ascending(row), _ascending(row)
    covers = tuple(_covers(row, way))
    changed, values = (_changes_apart if way.apart else _changes)(row)
    literal_bytes = row.number()
    if not row.ended:
        raise MalformedPackError("a small pack's plan has something behind its end")
    return Plan(pieces, bases, covers, changed, values, way.replacing, literal_bytes)


def _numbers(values: Iterable[int]) -> bytes:
    return b"".join(map(number, values))


def _changes_rows(changes: Sequence[Change], way: Way) -> Iterable[bytes]:
    values = [change.values if way.replacing else change.added for change in changes]
    if way.apart:
        return _numbers(change.gap for change in changes), _numbers(map(len, values)), b"".join(values)
    return (number(change.gap) + number(len(one)) + one for change, one in zip(changes, values, strict=True))


def _steps(covers: Iterable[Cover], way: Way) -> Iterable[int]:
    end = home = 0
    for cover in covers:
        yield cover.old - (cover.new + home if way.homing else end)
        end, home = cover.old + cover.length, _home(cover, home)


def _home(cover: Cover, home: int) -> int:
    """How much further on in the bases surroundings lie than in what is made, after this cover."""
    return cover.old - cover.new if cover.length >= HOME_BYTES else home


def _count(row: Row) -> int:
    """Of things that take a byte each at least."""
    count = row.number()
    if count > len(row.data) - row.at:
        raise MalformedPackError("a small pack promises more than it holds")
    return count


def _ascending(row: Row) -> tuple[int, ...]:
    found = tuple(accumulate(row.numbers(_count(row))))
    if len(set(found)) != len(found):
        raise MalformedPackError("a small pack names a piece twice")
    return found


def _covers(row: Row, way: Way) -> Iterable[Cover]:
    count = _count(row)
    gaps, steps = row.numbers(count), row.signed_numbers(count)
    new = end = home = 0
    for gap, step, length in zip(gaps, steps, row.numbers(count), strict=True):
        new += gap
        cover = Cover(new, (new + home if way.homing else end) + step, length)
        yield cover
        new, end, home = new + length, cover.old + length, _home(cover, home)


def _changes(row: Row) -> tuple["array[int]", bytes]:
    """Nearly all are of short numbers and one byte: there are tens of thousands, and a device has no time for a call
    for each.
    """
    data, changed, values, place = row.data, array("I"), bytearray(), 0
    count, at = _count(row), row.at
    try:
        for _ in range(count):
            if (gap := data[at]) < 0x80:
                at += 1
            else:
                row.at = at
                gap, at = row.number(), row.at
            place += gap
            if place > SMALL_NEW_BYTES_MAX:
                raise MalformedPackError("a small pack's changes lie outside of what it makes")
            if data[at] == 1:
                changed.append(place)
                values.append(data[at + 1])
                place, at = place + 1, at + 2
            else:
                row.at = at
                run = row.bytes(row.number())
                changed.extend(range(place, place + len(run)))
                values += run
                place, at = place + len(run), row.at
    except IndexError:
        raise MalformedPackError("a small pack's changes are cut short") from None
    row.at = at
    return changed, bytes(values)


def _changes_apart(row: Row) -> tuple["array[int]", bytes]:
    """Most are of one byte: there are tens of thousands, and a device has no time for a call for each."""
    count = _count(row)
    gaps, lengths = row.numbers(count), row.numbers(count)
    values = row.bytes(sum(lengths))
    if sum(gaps) + len(values) > SMALL_NEW_BYTES_MAX:
        raise MalformedPackError("a small pack's changes lie outside of what it makes")
    changed, place = array("I"), 0
    for gap, length in zip(gaps, lengths, strict=True):
        place += gap
        if length == 1:
            changed.append(place)
        else:
            changed.extend(range(place, place + length))
        place += length
    return changed, values
