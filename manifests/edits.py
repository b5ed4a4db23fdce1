"""A manifest as edits of an earlier one: what a device that holds last month's needs to write this month's.

Most of a manifest is digests of pieces, which do not compress, and most pieces are those of the release before. Edits
copy from the old document and add what is new; a manifest's digest says whether that is the right one. No decompressor
is at work: edits come from anybody, and are worth what the digest says of the result. Normative: docs/manifest.md.
"""

from collections.abc import Iterator
from typing import Final

from .codec import document_of, frame_digest
from .digest import DIGEST_BYTES, manifest_digest
from .errors import MalformedManifestError
from .frames import plain_digest
from .limits import MANIFEST_BYTES_MAX
from .numbers import Row, number, signed

FRAMED: Final = 1
"""The format that says the digest of the new frame."""
PLAIN: Final = 2
"""The format of those that lead to a manifest in a plain frame, whose digest the reader makes."""
PACK_HEAD, PACK_TAIL = b"\x91\x94\xc4\x20", b"\xc4\x20"
"""What stands in a document around the digest of the base of its only pack, most often the old manifest's."""
SAME_MIN: Final = 12
"""A copy from anywhere that is shorter costs about as much as what it stands for."""
SAME_HERE_MIN: Final = 6
"""The same of one that goes on where the last one ended."""
_NEAR: Final = 512
"""How far the place where both go on alike is looked for before all of the old document is."""
_STRIDE: Final = 16
_LEAP: Final = 4096


def make(old: bytes, new: bytes) -> bytes | None:
    """What leads from one encoded manifest to another, verified both; None if the new one itself is not longer.

    What it takes is bounded by the sizes of both: it ends where it can't pay any more.
    """
    document, frame = document_of(new), frame_digest(new)
    plain = frame == plain_digest(document)
    text, begins = _text(old, plain)
    out = bytearray((PLAIN,) if plain else (FRAMED,)) + (b"" if plain else frame) + number(len(document))
    end = 0
    for fresh, at, length in _parts(text, document, len(new), begins):
        out += number(len(fresh)) + fresh
        if length:
            out += signed(at - end) + number(length)
            end = at + length
        if len(out) >= len(new):
            return None
    return bytes(out)


def apply(old: bytes, edits: bytes, digest: bytes) -> bytes:
    """The manifest of this digest, encoded (its document, behind its frame's digest); MalformedManifestError.

    `old`: an encoded manifest that was verified. The result is: whatever the edits are, it has the digest.
    """
    row = Row(edits)
    form = row.bytes(1)[0]
    if form not in (FRAMED, PLAIN):
        raise MalformedManifestError(f"edits of format {form}, which is unknown here; update this program")
    frame = row.bytes(DIGEST_BYTES) if form == FRAMED else b""
    size = row.number()
    if DIGEST_BYTES + size > MANIFEST_BYTES_MAX:
        raise MalformedManifestError("edits that lead to a manifest which is too long")
    document = _copied(_text(old, form == PLAIN)[0], row, size)
    found = (frame or plain_digest(document)) + document
    if not row.ended or manifest_digest(found) != digest:
        raise MalformedManifestError("edits lead to another manifest")
    return found


def _copied(text: bytes, row: Row, size: int) -> bytes:
    """The document of `size` bytes, of what is new and what is copied."""
    out, end = bytearray(), 0
    while len(out) < size:
        before = len(out)
        out += row.bytes(row.number())
        if len(out) < size:
            at = end + row.signed()
            end = at + row.number()
            if not 0 <= at < end <= len(text):
                raise MalformedManifestError("edits copy from outside of the old manifest")
            out += text[at:end]
        if not before < len(out) <= size:
            raise MalformedManifestError("edits lead to another length than they say")
    return bytes(out)


def between(base: bytes, old: bytes, digest: bytes, new: bytes) -> tuple[bytes, bytes] | None:
    """The base's digest, and what leads from it to the other manifest; None if either has another digest than is said,
    or that would not be shorter.
    """
    try:
        sound = manifest_digest(old) == base and manifest_digest(new) == digest
        made = make(old, new) if sound else None
    except MalformedManifestError:
        return None
    return None if made is None else (base, made)


def _text(encoded: bytes, plain: bool) -> tuple[bytes, int]:
    """What edits copy from, and where the document begins in it: a pack names the manifest that it starts from, so its
    digest is a part of it.
    """
    digest, document = manifest_digest(encoded), document_of(encoded)
    before = PACK_HEAD + digest + PACK_TAIL if plain else digest
    return before + document, len(before)


def _parts(old: bytes, new: bytes, fresh_max: int, begins: int) -> Iterator[tuple[bytes, int, int]]:
    """Bytes that are new, then a place in the old document and how many bytes from there on follow.

    At most `fresh_max` bytes are looked up that are nowhere.
    """
    index: dict[bytes, int] | None = None
    at, start, here = 0, 0, begins
    while at < len(new):
        found = _near(old, new, at, here)
        if found is None:
            if index is None:
                index = {old[place : place + _STRIDE]: place for place in range(0, len(old) - _STRIDE + 1, _STRIDE)}
            found = _anywhere(old, new, at, index, start, fresh_max)
        if found is None:
            break
        at, place = found
        length = _alike(old, new, at, place)
        yield new[start:at], place, length
        at = start = at + length
        here = place + length
    if start < len(new):
        yield new[start:], 0, 0


def _near(old: bytes, new: bytes, at: int, here: int) -> tuple[int, int] | None:
    """Where both go on alike: as many bytes further on, most likely, or after some that were put in or left out."""
    for step in range(min(_NEAR, len(new) - at)):
        probe = new[at + step : at + step + SAME_HERE_MIN]
        if old[here + step : here + step + SAME_HERE_MIN] == probe and len(probe) == SAME_HERE_MIN:
            return at + step, here + step
    for step in range(min(_NEAR, len(new) - at - SAME_MIN + 1)):
        place = old.find(new[at + step : at + step + SAME_MIN], here, here + _LEAP)
        if place >= 0:
            return at + step, place
    return None


def _anywhere(
    old: bytes, new: bytes, at: int, index: dict[bytes, int], start: int, fresh_max: int
) -> tuple[int, int] | None:
    for place in range(at, min(len(new) - _STRIDE + 1, start + fresh_max)):
        found = index.get(new[place : place + _STRIDE])
        if found is not None:
            back = 0
            while place - back > at and found > back and old[found - back - 1] == new[place - back - 1]:
                back += 1
            return place - back, found - back
    return None


def _alike(old: bytes, new: bytes, at: int, place: int) -> int:
    """How many bytes are the same from here on."""
    length, leap = 0, _LEAP
    while leap:
        if old[place + length : place + length + leap] == new[at + length : at + length + leap]:
            if at + length + leap > len(new) or place + length + leap > len(old):
                return min(len(new) - at, len(old) - place)
            length += leap
        else:
            leap //= 2
    return length
