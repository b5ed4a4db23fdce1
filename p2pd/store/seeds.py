"""Files and block devices in which old bytes may lie: cut as a release is, and remembered by what they looked like.

Nothing of a seed is trusted, its index neither: what is copied from it is verified where it is copied to. So an index
that is out of date costs a copy in vain, and no more.
"""

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import msgpack

from manifests import chunker
from manifests.digest import DIGEST_BYTES, digest_function
from manifests.manifest import Manifest, Profile
from p2pd.world.disk import Disk, FileStat

from .index import DigestIndex
from .spans import Span

READ_BYTES: Final = 2**20
LINKS_MAX: Final = 8
"""Symlinks followed: a boot slot's name is often one."""
INDEX_BYTES_MAX: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Key:
    """How a seed was cut. `end`: where it was taken to end, 0 for its own end: a partition is longer than its image."""

    path: str
    profile: Profile
    algorithm: str
    end: int

    @property
    def row(self) -> list[object]:
        """For the index."""
        profile = self.profile
        sizes = [profile.min_bytes, profile.average_bytes, profile.max_bytes]
        return [self.path, *sizes, self.algorithm, self.end]


@dataclass(frozen=True)
class Cut:
    """A file's chunks: packed digests, and where each begins; one more, for the end."""

    digests: bytes
    offsets: "array[int]"

    def digest(self, chunk: int) -> bytes:
        """The chunk's digest."""
        return self.digests[chunk * DIGEST_BYTES : (chunk + 1) * DIGEST_BYTES]


class Seeds:
    """`paths` may or may not be there. `directory`: keeps indexes. Call `learn` before `find`; both block."""

    def __init__(self, disk: Disk, directory: str, paths: Sequence[str] = ()) -> None:
        self._disk, self._directory, self.paths = disk, directory, tuple(paths)
        self._known: dict[Key, tuple[FileStat, str, Cut, DigestIndex]] = {}
        self.problems: dict[str, str] = {}
        """Why a seed is of no use, in words."""

    def learn(self, path: str, manifest: Manifest) -> None:
        """Know a seed's chunks as this release's are cut; quick when it is known and looks as it did."""
        try:
            place = self._follow(path)
            found = self._disk.stat(place)
            if found is None or found.kind not in ("file", "other"):
                raise OSError(f"a {found.kind}" if found else "not there")
            end = 0 if found.kind == "file" and found.size <= manifest.size else manifest.size
            key = Key(path, manifest.profile, manifest.algorithm, end)
            if key in self._known and self._known[key][0] == found:
                return
            cut = self._remembered(key, found) or self._look(key, place, found)
            self._known = {**self._known, key: (found, place, cut, DigestIndex(cut))}  # others may be looking into it
            self.problems.pop(path, None)
        except OSError as error:
            self._known = {key: known for key, known in self._known.items() if key.path != path}
            self.problems[path] = error.strerror or str(error)

    @property
    def known(self) -> bool:
        """There is a seed to look into."""
        return bool(self._known)

    def find(self, digest: bytes, length: int, algorithm: str) -> list[Span]:
        """Places where a chunk may lie."""
        found = []
        for key, (_, place, cut, index) in self._known.items():
            if key.algorithm == algorithm:
                for chunk in index.find(digest):
                    start, end = cut.offsets[chunk], cut.offsets[chunk + 1]
                    if end - start == length:
                        found.append(Span(place, start, length))
                        break
        return found

    def held_bytes(self, manifest: Manifest) -> int:
        """Of a release, what seems to lie in seeds."""
        pieces = range(manifest.pieces)
        held = (one for one in pieces if self.find(manifest.digest(one), manifest.lengths[one], manifest.algorithm))
        return sum(manifest.lengths[piece] for piece in held)

    def _follow(self, path: str) -> str:
        for _ in range(LINKS_MAX):
            target = self._disk.read_link(path)
            if target is None:
                return path
            path = os.path.normpath(os.path.join(os.path.dirname(path), target))
        raise OSError("too many symlinks")

    def _look(self, key: Key, place: str, found: FileStat) -> Cut:
        """Read all of it."""
        digest_of, digests, lengths = digest_function(key.algorithm), bytearray(), array("Q")
        for chunk in chunker.cut(_Stream(self._disk, place, key.end), key.profile):
            digests += digest_of(chunk)
            lengths.append(len(chunk))
        document = {"key": key.row, "stat": _looks(found), "digests": bytes(digests), "lengths": lengths.tobytes()}
        try:
            self._disk.make_directories(self._directory)
            self._disk.replace(self._index_path(key), msgpack.packb(document))
        except OSError:
            pass  # a full disk: it is read again next time
        return _cut(bytes(digests), lengths)

    def _remembered(self, key: Key, found: FileStat) -> Cut | None:
        path = self._index_path(key)
        if self._disk.stat(path) is None:
            return None
        try:
            document: Any = msgpack.unpackb(self._disk.read_all(path, INDEX_BYTES_MAX))
            if (document["key"], document["stat"]) != (key.row, _looks(found)):
                return None
            lengths = array("Q", document["lengths"])
            cut = _cut(document["digests"], lengths)
            return cut if len(cut.digests) == DIGEST_BYTES * len(lengths) else None
        except (ValueError, TypeError, KeyError, OSError, msgpack.UnpackException):
            return None  # torn, or another's

    def _index_path(self, key: Key) -> str:
        return f"{self._directory}/{digest_function('sha256')(msgpack.packb(key.row)).hex()[:32]}"


def _looks(found: FileStat) -> list[object]:
    """A device's times say nothing of its content; that its index is then out of date is found when copying."""
    return [found.kind, found.size, found.mtime_ns, found.inode]


def _cut(digests: bytes, lengths: "array[int]") -> Cut:
    return Cut(digests, array("Q", accumulate(lengths, initial=0)))


class _Stream:
    def __init__(self, disk: Disk, path: str, end: int) -> None:
        self._disk, self._path, self._end, self._offset = disk, path, end, 0

    def readinto(self, buffer: memoryview, /) -> int:
        count = min(len(buffer), READ_BYTES, self._end - self._offset if self._end else READ_BYTES)
        data = self._disk.read(self._path, self._offset, count)
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)
