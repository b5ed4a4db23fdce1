"""One piece in its smallest form: a patch, itself with its bases as zstd's dictionary, or itself.

Trying all forms at full strength would cost ten times the time of the good one, so what can't win is not tried: each is
first made cheaply, and only those within reach of the best are made well.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from manifests.errors import MalformedPackError

from . import codecs
from .limits import patch_bytes_max
from .pack import ZSTD

QUICK_LEVEL: Final = 3
GOOD_LEVEL: Final = 9
"""Good enough to tell which form wins."""
BEST_LEVEL: Final = 18
"""zstd's; 19 takes a tenth longer for a thousandth less."""
PLAIN_SHARE: Final = 0.97
"""What does not shrink below this by the quickest means is compressed already."""
TOGETHER: Final = 0.85
"""What a patch takes compressed with others by xz, against alone by zstd at GOOD_LEVEL (measured: 0.82 to 0.87); and
whole pieces together at BEST_LEVEL, against alone at QUICK_LEVEL (0.83).
"""
WELL: Final = 0.9
"""A piece with its bases as dictionary at BEST_LEVEL, against GOOD_LEVEL (measured: 0.9)."""
GOOD_PATCH: Final = 1 / 32
"""A patch so much smaller than its piece is not contested."""


class Kind(Enum):
    """In what form a piece goes into its bundle."""

    PATCH = "a patch, to be compressed with others"
    WHOLE = "the piece, to be compressed with others"
    PLAIN = "the piece, which is compressed already"
    FRAME = "a frame of its own, with the bases as dictionary"


@dataclass(frozen=True, slots=True)
class Form:
    """A piece in one of its forms. `estimate`: bytes that it will take in its bundle."""

    kind: Kind
    content: bytes
    estimate: int


def encode(piece: bytes, bases: bytes) -> Form:
    """The smallest form of a piece, proven to make it. `bases`: old pieces that resemble it, joined, or nothing."""
    if piece == bases and (patch := codecs.identity(len(piece))):
        return Form(Kind.PATCH, patch, len(patch) // 8)
    best = _whole(piece)
    if not bases or (best.kind is Kind.PLAIN and not _has_copies(piece, bases)):
        return best
    patch = codecs.diff(bases, piece)
    if len(patch) <= patch_bytes_max(len(piece)) and _makes(bases, patch, piece):
        estimate = TOGETHER * len(codecs.compress(ZSTD, patch, GOOD_LEVEL))
        best = _smaller(best, Form(Kind.PATCH, patch, round(estimate)))
    contested = best.estimate > GOOD_PATCH * len(piece)
    if contested and WELL * len(codecs.compress_with(bases, piece, GOOD_LEVEL)) < best.estimate:
        frame = codecs.compress_with(bases, piece, BEST_LEVEL)
        best = _smaller(best, Form(Kind.FRAME, frame, len(frame)))
    return best


def _whole(piece: bytes) -> Form:
    quick = len(codecs.compress(ZSTD, piece, QUICK_LEVEL))
    if quick > PLAIN_SHARE * len(piece):
        return Form(Kind.PLAIN, piece, len(piece))
    return Form(Kind.WHOLE, piece, round(TOGETHER * quick))


def _has_copies(piece: bytes, bases: bytes) -> bool:
    """What is compressed already resembles other such bytes only where they are the same, which zstd sees at once."""
    return len(codecs.compress_with(bases, piece, QUICK_LEVEL)) < PLAIN_SHARE * len(piece)


def _smaller(one: Form, other: Form) -> Form:
    return one if one.estimate <= other.estimate else other


def _makes(bases: bytes, patch: bytes, piece: bytes) -> bool:
    try:
        return codecs.apply(bases, patch, len(piece)) == piece
    except MalformedPackError:
        return False
