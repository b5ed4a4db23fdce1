"""What a release has compressed inside, file by file, and what of it an update has to send."""

import mmap
import os
import stat
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Final

from manifests import chunker
from manifests.delta.making import make
from manifests.delta.matching import Source
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest

from .finding import Member, members, squashfs_codec
from .recipes import MEMORY_BYTES_MAX, Recipe
from .recreating import Recipes
from .streams import expander

ALGORITHM: Final = "blake3"
MEMORY_BYTES: Final = 2**30
"""What making a stream again may take, to be told: a publisher's machine has it."""
_BASE: Final = bytes(32)


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


@dataclass(frozen=True, slots=True)
class Saving:
    """What an update sends for these streams: patched as they are; with those opened that phones can make again; and if
    what they hold were stored as it is.
    """

    closed_bytes: int
    today_bytes: int
    plain_bytes: int


def survey(path: Path, advance: Callable[[int], None] = lambda count: None) -> list[Nested]:
    """All files at `path` that have compressed streams, by path. `advance` is told of bytes of files looked at."""
    found = []
    for place in files(path):
        streams, squashfs = tuple(members(place)), squashfs_codec(place)
        if streams or squashfs:
            name = str(place.relative_to(path)) if place != path else path.name
            found.append(Nested(name, place, streams, tuple(_ways(place, streams)), squashfs))
        advance(place.stat().st_size)
    return found


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


def saving(old: list[Nested], new: list[Nested], advance: Callable[[int], None] = lambda count: None) -> Saving:
    """What an update from the old files' streams to the new ones' sends, measured by making both packs."""
    sent = []
    for opened, memory_bytes in ((False, 0), (False, MEMORY_BYTES_MAX), (True, 0)):
        with tempfile.TemporaryFile() as before, tempfile.TemporaryFile() as after:
            base, release = _spooled(old, before, opened=opened), _spooled(new, after, opened=opened)
            sizes: list[int] = []
            put = partial(_note, sizes)
            make(release, base, _BASE, put, opened_memory_bytes=memory_bytes, advance=advance)
            sent.append(sum(sizes))
    return Saving(*sent)


def _note(sizes: list[int], bundle: bytes) -> None:
    sizes.append(len(bundle))


def _spooled(files: list[Nested], spool: IO[bytes], *, opened: bool) -> Source:
    """The files' streams, end to end, in a temporary file, as a release."""
    for file in files:
        for block in _contents(file, opened=opened):
            spool.write(block)
    spool.flush()
    spool.seek(0)
    digest_of = digest_function(ALGORITHM)
    digests, lengths, profile = bytearray(), array("I"), chunker.PROFILES["host"]
    for chunk in chunker.cut(_Whole(spool), profile):
        digests += digest_of(chunk)
        lengths.append(len(chunk))
    entry = Entry("streams", FILE, size=sum(lengths))
    manifest = Manifest("local", "streams", 0, ALGORITHM, profile, bytes(digests), lengths, (entry,), tree=False)

    def read(piece: int) -> bytes:
        spool.seek(manifest.offsets[piece])
        return spool.read(manifest.lengths[piece])

    return Source(manifest, read)


def _contents(file: Nested, *, opened: bool) -> Iterator[bytes]:
    with file.place.open("rb") as opened_file:
        with mmap.mmap(opened_file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            for member in file.members:
                with view[member.offset : member.offset + member.length] as stream:
                    if not opened:
                        yield bytes(stream)
                    else:
                        yield from expander(member.kind, stream)


class _Whole:
    """A file's bytes for the chunker."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to `len(buffer)` bytes."""
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
