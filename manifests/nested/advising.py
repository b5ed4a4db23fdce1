"""What a release has compressed inside, file by file."""

import filecmp
import mmap
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .finding import Member, members, squashfs_codec
from .recipes import Recipe
from .recreating import Recipes

MEMORY_BYTES: Final = 2**30
"""What making a stream again may take, to be told: a publisher's machine has it."""


@dataclass(frozen=True)
class Nested:
    """A file with compressed streams, or a squashfs; `ways`: for each, the recipe that makes it again, or None.

    `squashfs`: by what it is compressed, "" if it is none.
    """

    path: str
    place: Path
    members: tuple[Member, ...]
    ways: tuple[Recipe | None, ...] = field(default=())
    squashfs: str = ""

    @property
    def kinds(self) -> list[str]:
        """What there is, each once."""
        return sorted({f"squashfs ({self.squashfs})"} if self.squashfs else {one.kind for one in self.members})

    @property
    def stored_bytes(self) -> int:
        """Of all streams as they lie there."""
        return sum(member.length for member in self.members)

    @property
    def expanded_bytes(self) -> int:
        """Of what they hold."""
        return sum(member.expanded_bytes for member in self.members)

    def recreated_bytes(self, memory_bytes_max: int = MEMORY_BYTES) -> int:
        """Of the streams that can be made again in so much memory."""
        return sum(member.length for member, bytes_ in self._memory() if bytes_ <= memory_bytes_max)

    @property
    def memory_bytes(self) -> int:
        """What making any of them again takes at most."""
        return max((bytes_ for _, bytes_ in self._memory()), default=0)

    def _memory(self) -> Iterator[tuple[Member, int]]:
        rows = zip(self.members, self.ways, strict=True)
        return ((member, way.memory_bytes(member.expanded_bytes)) for member, way in rows if way)


def survey(
    path: Path, advance: Callable[[int], None] = lambda count: None, *, recipes: bool = True, unlike: Path | None = None
) -> list[Nested]:
    """All files at `path` that have compressed streams, by path. `advance` is told of bytes of files looked at.

    `recipes`: find out, too, what makes the streams again. `unlike`: only files that another tree has not just so.
    """
    found = []
    for place in files(path):
        name = str(place.relative_to(path)) if place != path else path.name
        if unlike is None or not is_same(place, unlike / name if place != path else unlike):
            streams, squashfs = tuple(members(place)), squashfs_codec(place)
            if streams or squashfs:
                ways = _ways(place, streams) if recipes else (None for _ in streams)
                found.append(Nested(name, place, streams, tuple(ways), squashfs))
        advance(place.stat().st_size)
    return found


def is_same(one: Path, other: Path) -> bool:
    """Is there another file, with the same bytes?"""
    return not other.is_symlink() and other.is_file() and filecmp.cmp(one, other, shallow=False)


def files(path: Path) -> list[Path]:
    """The regular files at `path` that are not empty, in order; no link is followed. FileNotFoundError."""
    if not path.is_dir():
        return [path] if path.stat().st_size else []
    return sorted(
        place
        for directory, _, names in os.walk(path)
        for name in names
        if stat.S_ISREG((status := (place := Path(directory, name)).lstat()).st_mode) and status.st_size
    )


def _ways(place: Path, streams: Iterable[Member]) -> Iterator[Recipe | None]:
    recipes = Recipes(MEMORY_BYTES)
    with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with memoryview(mapped) as view:
            for member in streams:
                with view[member.offset : member.offset + member.length] as stream:
                    yield recipes.find(member.kind, stream, member.expanded_bytes)
