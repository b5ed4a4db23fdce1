"""Pieces in their forms, joined to bundles: what is alike is compressed together, nothing is split."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from typing import Final

from . import codecs, encoding
from .encoding import Form, Kind
from .matching import Match
from .pack import RAW, XZ, ZSTD, ZSTD_BASES, Frame, Item

PATCHES_BYTES: Final = 640 * 2**10
"""Of a bundle of patches, encoded: aimed at, so that it is between 256 KiB and 1 MiB, whatever the estimates are worth.
Most of them are fetched whole.
"""
WHOLE_BYTES: Final = 320 * 2**10
"""Of a bundle of a pack without a base, of which a device takes what it lacks."""
CONTENT_BYTES_MAX: Final = 16 * 2**20
"""Of one bundle before compression: what a publisher holds for each that is being made, and what a device must decode
again when it was interrupted within one.
"""

XZ_SHARE: Final = 1 / 128
"""Of the release's bytes, so many may be xz's. It makes frames 7 to 10 % smaller than zstd at its best, and is decoded
at 11 to 25 MB/s of what is encoded: a device that applies 300 MB/s a core has 10 to 20 % of its time for it.
"""
XZ_WHOLE_SHARE: Final = 1 / 40
"""A pack that is smaller than this is xz's altogether: where little is to be patched, there is time."""
XZ_WHOLE_BYTES: Final = 2 * 2**20
"""But no larger one, for it is held back until that is known."""


@dataclass
class Draft:
    """A bundle to be: matches and their forms, in the order of pieces. `bytes_max`: encoded, unless it has a single
    piece. `codec`: of its frames, XZ or ZSTD.
    """

    bytes_max: int
    codec: int = ZSTD
    rows: list[tuple[Match, Form]] = field(default_factory=list)
    estimate: int = 0
    content: int = 0

    def takes(self, form: Form) -> bool:
        """Is there room for one more?"""
        return not self.rows or (
            self.estimate + form.estimate <= self.bytes_max and self.content + len(form.content) <= CONTENT_BYTES_MAX
        )

    def add(self, match: Match, form: Form) -> None:
        """The next piece."""
        self.rows.append((match, form))
        self.estimate += form.estimate
        self.content += len(form.content)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Frames, and their bytes laid end to end."""

    frames: tuple[Frame, ...]
    data: bytes


def drafts(
    rows: Iterable[tuple[Match, Form]], release_bytes: int, bundle_bytes: int, xz_bytes_max: float = inf
) -> Iterator[Draft]:
    """Drafts for all pieces, in order; as many as may be are xz's. `release_bytes`: 0 if none is. `xz_bytes_max`: of
    all that are, encoded.
    """
    filled = _filled(rows, bundle_bytes)
    first, left = list[Draft](), min(XZ_WHOLE_SHARE * release_bytes, XZ_WHOLE_BYTES, xz_bytes_max)
    for draft in filled:
        first.append(draft)
        left -= draft.estimate
        if left < 0:
            left = min(XZ_SHARE * release_bytes, xz_bytes_max)
            break
    else:
        left = sum(draft.estimate for draft in first)
    for draft in chain(first, filled):
        if draft.estimate <= left:
            draft.codec = XZ
            left -= draft.estimate
        yield draft


def _filled(rows: Iterable[tuple[Match, Form]], bundle_bytes: int) -> Iterator[Draft]:
    draft = Draft(bundle_bytes)
    for match, form in rows:
        if not draft.takes(form):
            yield draft
            draft = Draft(bundle_bytes)
        draft.add(match, form)
    if draft.rows:
        yield draft


def close(draft: Draft, level: int) -> Bundle:
    """Compress a draft. `level`: zstd's."""
    frames: list[Frame] = []
    parts: list[bytes] = []

    def add(codec: int, data: bytes, rows: Sequence[tuple[Match, Form]]) -> None:
        frames.append(Frame(codec, len(data), tuple(_item(match, form) for match, form in rows)))
        parts.append(data)

    for kind, codec in ((Kind.PATCH, draft.codec), (Kind.WHOLE, draft.codec), (Kind.PLAIN, RAW)):
        rows = [(match, form) for match, form in draft.rows if form.kind is kind]
        if rows:
            content = b"".join(form.content for _, form in rows)
            if kind is Kind.PLAIN and encoding.has_repeats(content):
                codec = ZSTD
            packed = codecs.compress(codec, content, level)
            add(*((codec, packed) if len(packed) < len(content) else (RAW, content)), rows)
    for row in draft.rows:
        if row[1].kind is Kind.FRAME:
            add(ZSTD_BASES, row[1].content, [row])
    return Bundle(tuple(frames), b"".join(parts))


def _item(match: Match, form: Form) -> Item:
    return Item(
        match.piece,
        form.bases,
        len(form.content) if form.kind is Kind.PATCH else 0,
    )
