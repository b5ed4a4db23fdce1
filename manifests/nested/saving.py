"""What an update has to send for compressed streams: as they are, opened, or if they had not been compressed."""

import mmap
import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Final

from manifests import chunker
from manifests.delta.making import make, work_bytes
from manifests.delta.matching import Source
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest

from .advising import Nested
from .recipes import MEMORY_BYTES_MAX
from .streams import expander

ALGORITHM: Final = "blake3"
_BASE: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Saving:
    """What an update sends for these streams: patched as they are; with those opened that phones can make again; and if
    what they hold were stored as it is.
    """

    closed_bytes: int
    today_bytes: int
    plain_bytes: int


class Update:
    """From old files' streams to new ones', which lie in temporary files: as they are, and what they hold."""

    def __init__(self, old: Sequence[Nested], new: Sequence[Nested], stack: ExitStack) -> None:
        def spooled(files: Sequence[Nested], *, opened: bool) -> Source:
            return _spooled(files, stack.enter_context(tempfile.TemporaryFile()), opened=opened)

        self._closed = spooled(new, opened=False), spooled(old, opened=False)
        self._plain = spooled(new, opened=True), spooled(old, opened=True)

    @property
    def work_bytes(self) -> int:
        """What `saving` tells `advance` in all."""
        return sum(work_bytes(new.manifest, old.manifest) for new, old in (self._closed, self._closed, self._plain))

    def saving(self, advance: Callable[[int], None] = lambda count: None) -> Saving:
        """What it sends, measured by making the packs."""
        ways = ((self._closed, 0), (self._closed, MEMORY_BYTES_MAX), (self._plain, 0))
        return Saving(*(_sent_bytes(*pair, memory_bytes, advance) for pair, memory_bytes in ways))


@contextmanager
def update(old: Sequence[Nested], new: Sequence[Nested]) -> Iterator[Update]:
    """From the one to the other, as long as in the context."""
    with ExitStack() as stack:
        yield Update(old, new, stack)


def _sent_bytes(release: Source, base: Source, memory_bytes: int, advance: Callable[[int], None]) -> int:
    sizes: list[int] = []
    put = partial(_note, sizes)
    make(release, base, _BASE, put, opened_memory_bytes=memory_bytes, apply_speed_min=0.0, advance=advance)
    return sum(sizes)


def _note(sizes: list[int], bundle: bytes) -> None:
    sizes.append(len(bundle))


def _spooled(files: Sequence[Nested], spool: IO[bytes], *, opened: bool) -> Source:
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
