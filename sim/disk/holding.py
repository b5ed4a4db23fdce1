"""Who holds a disk: a process by a lock file, a change while it lasts."""

import threading
from collections.abc import Callable


class MemoryLock:
    """Held until released, or until the process or the machine goes."""

    def __init__(self, locks: set[str], path: str) -> None:
        self._locks = locks
        self._path = path

    def release(self) -> None:
        """Give it back."""
        self._locks.discard(self._path)


class Step:
    """Around each change: one at a time, and only if `begin` does not raise. One for all changes of a disk: a context
    manager made from a generator costs as much as the change itself."""

    def __init__(self, lock: "threading.RLock", begin: Callable[[], None]) -> None:
        self._lock, self._begin = lock, begin

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._begin()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()
