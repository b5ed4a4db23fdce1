"""Pieces in their smallest forms: a patch, the piece with its bases as zstd's dictionary, or the piece alone.

Trying all forms at full strength would cost ten times the time of the good one, so what can't win is not tried: each is
first made cheaply, and a second one is made well only where it looks better than the first. Neighbours, which start
from the same old pieces, are searched together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from typing import Final

from manifests.errors import MalformedPackError

from . import codecs, patches
from .limits import patch_bytes_max
from .pack import ZSTD

QUICK_LEVEL: Final = 3
GOOD_LEVEL: Final = 9
"""Good enough to tell how long a patch will be."""
BEST_LEVEL: Final = 18
"""zstd's; 19 takes a tenth longer for a thousandth less."""
PLAIN_SHARE: Final = 0.99
"""What does not shrink below this by the quickest means is compressed already."""
COPIES_SHARE: Final = 0.995
"""Then it is patched if, by the same means, so little of it is found in its bases: by chance nothing is."""
TOGETHER: Final = 0.85
"""What a patch takes compressed with others by xz, against alone by zstd at GOOD_LEVEL (measured: 0.82 to 0.87); and
whole pieces together at BEST_LEVEL, against alone at QUICK_LEVEL (0.83).
"""
GOOD_PATCH: Final = 1 / 32
"""A patch so much smaller than its piece is not contested."""
CONTEST: Final = 0.95
"""A piece is made with its bases as dictionary, which takes a second a megabyte, if already at QUICK_LEVEL it is so
much smaller than its patch at GOOD_LEVEL. (Trying more of them gained 0.5 % on ruff, for a tenth of all the time.)
"""


class Kind(Enum):
    """In what form a piece goes into its bundle."""

    PATCH = "a patch, to be compressed with others"
    WHOLE = "the piece, to be compressed with others"
    PLAIN = "the piece, which is compressed already"
    FRAME = "a frame of its own, with the bases as dictionary"


@dataclass(frozen=True, slots=True)
class Form:
    """A piece in one of its forms, and what it needs. `estimate`: bytes that it will take in its bundle."""

    kind: Kind
    content: bytes
    estimate: int
    bases: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pieces, and for each the bases that resemble it. `held`: the bytes of all these bases. `places`: where each piece
    would begin, by base and offset in that; None if it is not asked there.
    """

    pieces: Sequence[bytes]
    bases: Sequence[tuple[int, ...]]
    held: Mapping[int, bytes]
    places: Sequence[tuple[int, int] | None]

    def is_in_place(self, number: int) -> bool:
        """Is the start of this piece much like what stands in its place?"""
        from . import aligning

        place = self.places[number]
        return place is not None and aligning.is_alike(self.pieces[number], self.held[place[0]][place[1] :])

    def joined(self, bases: Sequence[int]) -> bytes:
        """Their bytes, laid end to end."""
        return b"".join([self.held[base] for base in bases])


def encode(these: Neighbours, bytes_max: int) -> list[Form]:
    """The smallest forms, proven to make the pieces; a patch may need other bases than were given for its piece.

    `bytes_max`: of what one piece is made from.
    """
    forms = [_whole(piece) for piece in these.pieces]
    searched = []
    for number, (piece, bases) in enumerate(zip(these.pieces, these.bases, strict=True)):
        if not bases:
            continue
        base = these.joined(bases)
        if piece == base and (patch := patches.identity(len(piece))):
            forms[number] = Form(Kind.PATCH, patch, len(patch) // 8, bases)
        elif forms[number].kind is not Kind.PLAIN or _has_copies(piece, base) or these.is_in_place(number):
            searched.append(number)
    found = _patches(these, searched, bytes_max) if searched else []
    for number, rival in zip(searched, found, strict=True):
        best = forms[number] if rival is None else _smaller(forms[number], rival)
        forms[number] = _contested(best, these.pieces[number], these.bases[number], these)
    return forms


def _whole(piece: bytes) -> Form:
    quick = len(codecs.compress(ZSTD, piece, QUICK_LEVEL))
    if quick > PLAIN_SHARE * len(piece):
        return Form(Kind.PLAIN, piece, len(piece))
    return Form(Kind.WHOLE, piece, round(TOGETHER * quick))


def _has_copies(piece: bytes, bases: bytes) -> bool:
    """What is compressed already resembles other such bytes only where they are the same, which zstd sees at once."""
    return len(codecs.compress_with(bases, piece, QUICK_LEVEL)) < COPIES_SHARE * len(piece)


def has_repeats(pieces: bytes) -> bool:
    """Of such pieces, laid end to end: has one of them what another has? The same table in many fonts, say."""
    return len(codecs.compress(ZSTD, pieces, GOOD_LEVEL)) < COPIES_SHARE * len(pieces)


def _patches(these: Neighbours, numbers: Sequence[int], bytes_max: int) -> list[Form | None]:
    """A patch for each of these pieces, from whichever of all their bases serve it; None where there is none."""
    from . import aligning, refining, sharing  # need numpy, which only those have who publish patches

    pieces = [these.pieces[number] for number in numbers]
    held = sorted({base for number in numbers for base in these.bases[number]})
    old, new = these.joined(held), b"".join(pieces)
    covers = refining.refined(patches.covers(codecs.diff(old, new)), new, old)
    covers = aligning.aligned(covers, new, old, _places(these, numbers, held))
    base_sizes = [len(these.held[base]) for base in held]
    shares = sharing.share_out(covers, [len(piece) for piece in pieces], base_sizes, bytes_max)
    found = list[Form | None]()
    for piece, (chosen, covers) in zip(pieces, shares, strict=True):
        bases = tuple(held[place] for place in chosen)
        base = these.joined(bases)
        patch = sharing.patch_of(covers, piece, base)
        if bases and len(patch) <= patch_bytes_max(len(piece)) and _makes(base, patch, piece):
            estimate = TOGETHER * len(codecs.compress(ZSTD, patch, GOOD_LEVEL))
            found.append(Form(Kind.PATCH, patch, round(estimate), bases))
        else:
            found.append(None)
    return found


def _places(these: Neighbours, numbers: Sequence[int], held: Sequence[int]) -> dict[int, int]:
    """By where a piece begins, of those that are joined: where in the joined bases it would."""
    sizes = (len(these.held[base]) for base in held)
    starts = dict(zip(held, accumulate(sizes, initial=0), strict=False))
    places, at = dict[int, int](), 0
    for number in numbers:
        if place := these.places[number]:
            places[at] = starts[place[0]] + place[1]
        at += len(these.pieces[number])
    return places


def _contested(best: Form, piece: bytes, bases: tuple[int, ...], these: Neighbours) -> Form:
    """Is the piece smaller yet with its bases as dictionary?"""
    if best.estimate <= GOOD_PATCH * len(piece):
        return best
    base = these.joined(bases)
    if len(codecs.compress_with(base, piece, QUICK_LEVEL)) >= CONTEST * best.estimate / TOGETHER:
        return best
    frame = codecs.compress_with(base, piece, BEST_LEVEL)
    return _smaller(best, Form(Kind.FRAME, frame, len(frame), bases))


def _smaller(one: Form, other: Form) -> Form:
    return one if one.estimate <= other.estimate else other


def _makes(base: bytes, patch: bytes, piece: bytes) -> bool:
    try:
        return codecs.apply(base, patch, len(piece)) == piece
    except MalformedPackError:
        return False
