"""Where bytes lie: runs of files, and what copying one list of runs onto another takes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .artifact import Artifact


@dataclass(frozen=True, slots=True)
class Span:
    """`length` bytes at `offset` of the file at `path`."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Copy:
    """`length` bytes from one place to another."""

    source: str
    source_offset: int
    destination: str
    offset: int
    length: int

    def joined(self, following: "Copy") -> "Copy | None":
        """Both in one, if the other goes on where this ends, on both sides."""
        if (following.source, following.destination) != (self.source, self.destination):
            return None
        if (following.source_offset - self.source_offset, following.offset - self.offset) != (self.length,) * 2:
            return None
        return Copy(self.source, self.source_offset, self.destination, self.offset, self.length + following.length)


def spans_of(artifact: Artifact, piece: int) -> list[Span]:
    """Where a piece lies, or is to lie, now."""
    extents = artifact.manifest.extents(piece)
    return [Span(artifact.file_path(one.entry), one.offset, one.length) for one in extents]


def part_of(spans: Sequence[Span], offset: int, length: int) -> list[Span]:
    """Of bytes that lie there end to end, where `length` from `offset` on do, or as many as there are."""
    found = []
    for span in spans:
        if offset < span.length and length:
            count = min(length, span.length - offset)
            found.append(Span(span.path, span.offset + offset, count))
            offset, length = 0, length - count
        else:
            offset -= min(offset, span.length)
    return found


def copies(sources: Sequence[Span], destinations: Sequence[Span]) -> Iterator[Copy]:
    """From the ones to the others, which have as many bytes."""
    left, at = iter(sources), Span("", 0, 0)
    for wanted in destinations:
        offset, length = wanted.offset, wanted.length
        while length:
            if not at.length:
                at = next(left)
            count = min(at.length, length)
            yield Copy(at.path, at.offset, wanted.path, offset, count)
            at = Span(at.path, at.offset + count, at.length - count)
            offset, length = offset + count, length - count


def merged(parts: Iterable[Copy]) -> Iterator[Copy]:
    """The same with neighbours in one: a file system shares whole blocks only, and pieces seldom begin at one."""
    before: Copy | None = None
    for part in parts:
        both = before.joined(part) if before else None
        if before and both is None:
            yield before
        before = both or part
    if before:
        yield before
