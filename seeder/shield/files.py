"""The cache's files: `<directory>/<path of the object>`. Blocking; a body calls it within `world.run_blocking`.

Nothing is synced: a cache may lose anything in a crash. So every read is verified, and what is torn, rotten or gone
is simply not there. Exceptions are OSError, from writing only.
"""

from collections.abc import Iterable
from typing import Final

from p2pd.world.disk import Disk, Lock
from seeder.resources import Resource, resource

_ROOMS: Final = ("chunks", "manifests")


class CacheInUse(Exception):
    """Another process uses this cache directory. The operator's: give each seeder its own."""


class CacheFiles:
    """Objects as files below `directory`, an absolute path."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self._disk = disk
        self._directory = directory.rstrip("/")
        self._rooms_made: set[str] = set()

    def __repr__(self) -> str:
        return f"<CacheFiles {self._directory}>"

    def open(self) -> Lock:
        """Make the directory ours until the lock is released; CacheInUse."""
        self._disk.make_directories(self._directory)
        lock = self._disk.lock(f"{self._directory}/lock")
        if lock is None:
            raise CacheInUse(f"another seeder uses the cache directory {self._directory}; give this one its own")
        return lock

    def scan(self) -> list[tuple[str, int]]:
        """(path, bytes) of what is there from an earlier run, oldest first; what does not belong is removed."""
        found: list[tuple[int, str, int]] = []
        for path in self._listed():
            stat = self._disk.stat(self._place(path))
            if stat is not None and stat.kind == "file" and resource(path) is not None:
                found.append((stat.mtime_ns, path, stat.size))
            else:
                self._disk.remove_tree(self._place(path))
        return [(path, size) for _, path, size in sorted(found)]

    def read(self, asked: Resource, size: int) -> bytes | None:
        """The object, verified; None when it is torn, rotten or gone (and then it is gone)."""
        try:
            data = self._disk.read(self._place(asked.path), 0, size)
        except OSError:
            data = b""
        if len(data) == size and not asked.fault(data):
            return data
        self._disk.remove_tree(self._place(asked.path))
        return None

    def replace(self, evicted: Iterable[str], path: str, data: bytes) -> None:
        """Remove what was evicted, write what was admitted; OSError when there is no room or no disk."""
        self.remove(evicted)
        place = self._place(path)
        room = place.rpartition("/")[0]
        if room not in self._rooms_made:
            self._disk.make_directories(room)
            self._rooms_made.add(room)
        self._disk.remove_tree(place)
        self._disk.create(place, len(data))
        try:
            self._disk.write(place, 0, data)
        except OSError:
            self._disk.remove_tree(place)
            raise

    def remove(self, paths: Iterable[str]) -> None:
        """Remove these."""
        for path in paths:
            self._disk.remove_tree(self._place(path))

    def _place(self, path: str) -> str:
        return f"{self._directory}/{path}"

    def _listed(self) -> Iterable[str]:
        for room in _ROOMS:
            for name in self._disk.list_directory(self._place(room)):
                if room == "manifests":
                    yield f"{room}/{name}"
                else:
                    yield from (
                        f"{room}/{name}/{chunk}" for chunk in self._disk.list_directory(self._place(f"{room}/{name}"))
                    )
