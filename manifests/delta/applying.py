"""From a verified bundle to verified pieces, one at a time, in memory that does not depend on what the bundle holds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from manifests.digest import digest_function
from manifests.errors import MalformedPackError
from manifests.manifest import Manifest

from . import codecs
from .opened import Pieces
from .pack import ZSTD_BASES, Frame, Item, content_bytes

NO_BASE: Final = "no base"
"""An old piece is missing or damaged: the device's own matter."""
DAMAGED: Final = "damaged"
"""The pack does not make the piece that was signed for: its publisher's fault."""

Base = Callable[[int], bytes | None]
"""The bytes of a piece of the release that a pack starts from, verified; None when it can't be had."""
Run = Callable[[range], bytes | None]
"""The same of neighbours, joined; None where they are to be asked for one by one."""
Joined = Callable[[Sequence[int]], bytes | None]


@dataclass(frozen=True, slots=True)
class Applied:
    """`data`: the piece's bytes, which have its digest; None, and `why`, when it must be had as it is."""

    piece: int
    data: bytes | None
    why: str = ""


def apply_bundle(
    frames: Sequence[Frame], data: bytes, release: Manifest | Pieces, base: Base, run: Run = lambda pieces: None
) -> Iterator[Applied]:
    """The pieces that a bundle becomes. `frames`: `index.bundles[b]` of a checked index; `data`: the bundle's bytes,
    which have the digest that the pack's manifest says.

    Items of a frame come in ascending order; opened pieces are not verified, for what is made of them is. Never raises
    for what the bytes are: what can't be made is said so.
    """
    digest_of = digest_function(release.algorithm)
    left = memoryview(data)
    for frame in frames:
        encoded, left = bytes(left[: frame.length]), left[frame.length :]
        for item, piece in _pieces(frame, encoded, release, partial(_joined, base, run)):
            if isinstance(piece, str):
                yield Applied(item.piece, None, piece)
            elif (digest := release.digest(item.piece)) is not None and digest_of(piece) != digest:
                yield Applied(item.piece, None, DAMAGED)
            else:
                yield Applied(item.piece, piece)


def _pieces(
    frame: Frame, encoded: bytes, release: Manifest | Pieces, joined: Joined
) -> Iterator[tuple[Item, bytes | str]]:
    """Each item with its piece, or why there is none."""
    stream = None if frame.codec == ZSTD_BASES else codecs.reader(frame.codec, encoded)
    for item in frame.items:
        try:
            content = encoded if stream is None else codecs.read_exactly(stream, content_bytes(item, release))
            yield item, _piece(item, content, release.lengths[item.piece], joined, patch=stream is not None)
        except MalformedPackError:
            yield item, DAMAGED


def _piece(item: Item, content: bytes, size: int, joined: Joined, *, patch: bool) -> bytes | str:
    if not item.bases:
        return content
    bases = joined(item.bases)
    if bases is None:
        return NO_BASE
    return (codecs.apply if patch else codecs.expand_with)(bases, content, size)


def _joined(base: Base, run: Run, numbers: Sequence[int]) -> bytes | None:
    """These bases, laid end to end."""
    neighbours = range(numbers[0], numbers[0] + len(numbers))
    if len(numbers) > 1 and tuple(numbers) == tuple(neighbours) and (together := run(neighbours)) is not None:
        return together
    parts = list[bytes]()
    for number in numbers:
        found = base(number)
        if found is None:
            return None
        parts.append(found)
    return b"".join(parts)
