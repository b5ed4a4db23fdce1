"""From a verified bundle to verified pieces, one at a time, in memory that does not depend on what the bundle holds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from typing import Final

from manifests.digest import Buffer, digest_function
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
    checked = partial(_checked, release, digest_function(release.algorithm))
    left = memoryview(data)
    for frame in frames:
        encoded, left = left[: frame.length], left[frame.length :]
        # A loop's variable would hold a piece while the next one is made: 4 MiB more, whose pages take their time.
        yield from starmap(checked, _pieces(frame, encoded, release, partial(_joined, base, run)))


def _checked(
    release: Manifest | Pieces, digest_of: Callable[[Buffer], bytes], item: Item, piece: bytes | str
) -> Applied:
    if isinstance(piece, str):
        return Applied(item.piece, None, piece)
    digest = release.digest(item.piece)
    if digest is not None and digest_of(piece) != digest:
        return Applied(item.piece, None, DAMAGED)
    return Applied(item.piece, piece)


def _pieces(
    frame: Frame, encoded: Buffer, release: Manifest | Pieces, joined: Joined
) -> Iterator[tuple[Item, bytes | str]]:
    """Each item with its piece, or why there is none."""
    if frame.codec == ZSTD_BASES:
        make = partial(_expanded, encoded)
    else:
        make = partial(_read, codecs.reader(frame.codec, encoded))
    for item in frame.items:
        try:
            yield item, make(item, release, joined)
        except MalformedPackError:
            yield item, DAMAGED


def _expanded(encoded: Buffer, item: Item, release: Manifest | Pieces, joined: Joined) -> bytes | str:
    bases = joined(item.bases)
    return NO_BASE if bases is None else codecs.expand_with(bases, encoded, release.lengths[item.piece])


def _read(stream: codecs.Reader, item: Item, release: Manifest | Pieces, joined: Joined) -> bytes | str:
    content = codecs.read_exactly(stream, content_bytes(item, release))
    if not item.bases:
        return content
    bases = joined(item.bases)
    return NO_BASE if bases is None else codecs.apply(bases, content, release.lengths[item.piece])


def _joined(base: Base, run: Run, numbers: Sequence[int]) -> bytes | None:
    """These bases, laid end to end."""
    parts = list[bytes]()
    for neighbours in _runs(numbers):
        together = run(neighbours)
        found = [base(number) for number in neighbours] if together is None else [together]
        for part in found:
            if part is None:
                return None
            parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _runs(numbers: Sequence[int]) -> Iterator[range]:
    """The same numbers, neighbours together."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield range(first, last + 1)
            first = number
        last = number
    yield range(first, last + 1)
