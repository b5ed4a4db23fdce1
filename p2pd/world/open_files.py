"""Files kept open for writing, so that a piece costs one pwrite and not an open and a close as well."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

OPEN_FILES_MAX: Final = 128
"""Well under the usual limit of 1024 descriptors, most of which the sockets need."""


@dataclass(slots=True)
class OpenFile:
    """One of them."""

    descriptor: int
    unflushed_bytes: int = 0
    """Counted by who writes; two that do so at once may miss some."""
    users: int = 0
    stale: bool = False


class OpenFiles:
    """The most recently used files, by path. Safe from any thread; nothing is closed while it is in use."""

    def __init__(self, files_max: int = OPEN_FILES_MAX) -> None:
        self._files: OrderedDict[str, OpenFile] = OrderedDict()
        self._files_max = files_max
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._files)

    @contextmanager
    def use(self, path: str) -> Iterator[OpenFile]:
        """The file at `path`, open for writing within the block. The file must exist and be no symlink."""
        file = self._acquire(path)
        try:
            yield file
        finally:
            self._release(file)

    def forget(self, path: str) -> None:
        """The path, and all below it, is about to mean something else."""
        below = path + "/"
        with self._lock:
            for known in [known for known in self._files if known == path or known.startswith(below)]:
                self._drop(self._files.pop(known))

    def _acquire(self, path: str) -> OpenFile:
        with self._lock:
            file = self._files.get(path)
            if file is None:
                flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
                file = self._files[path] = OpenFile(os.open(path, flags))
                if len(self._files) > self._files_max:
                    self._drop(self._files.popitem(last=False)[1])
            else:
                self._files.move_to_end(path)
            file.users += 1
            return file

    def _release(self, file: OpenFile) -> None:
        with self._lock:
            file.users -= 1
            if file.stale and file.users == 0:
                os.close(file.descriptor)

    def _drop(self, file: OpenFile) -> None:
        file.stale = True
        if file.users == 0:
            os.close(file.descriptor)
