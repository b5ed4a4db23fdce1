"""Which process holds a disk: by a lock file."""


class MemoryLock:
    """Held until released, or until the process or the machine goes."""

    def __init__(self, locks: set[str], path: str) -> None:
        self._locks = locks
        self._path = path

    def release(self) -> None:
        """Give it back."""
        self._locks.discard(self._path)
