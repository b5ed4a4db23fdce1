"""What the C library can do to bring written bytes to the disk, and Python's `os` can't say."""

import ctypes
import os
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final

BEHIND_BYTES: Final = 4 * 2**20
"""Of one file: when so much was written since the last time, the disk begins to take it, while more comes."""
IDLE_S: Final = 10.0
"""A thread without a file for so long ends."""
_WRITE: Final = 2  # SYNC_FILE_RANGE_WRITE
_LIBRARY: Final = ctypes.CDLL(None, use_errno=True)
_sync_file_range = getattr(_LIBRARY, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def begin_flush(descriptor: int) -> None:
    """Let the disk begin to take what was written, so that little is left to wait for when it is synced; promises
    nothing, and does nothing where it can't be had."""
    if _sync_file_range is not None:
        _sync_file_range(descriptor, 0, 0, _WRITE)


def sync_file_system(descriptor: int, path: str) -> None:
    """syncfs(2); sync(2), which is wider, where the C library lacks it. OSError names `path`."""
    syncfs = getattr(_LIBRARY, "syncfs", None)
    if syncfs is None:
        os.sync()
    elif syncfs(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)


class Flusher:
    """Begins flushes in a thread of its own, which comes and goes as it is needed: where the disk's queue is full even
    beginning waits, for 20 to 60 ms, and who writes should take in what comes meanwhile."""

    def __init__(self) -> None:
        self._files: SimpleQueue[int] = SimpleQueue()
        self._lock = Lock()
        self._runs = False

    def __repr__(self) -> str:
        return f"<Flusher {self._files.qsize()} files{', at work' if self._runs else ''}>"

    def begin(self, descriptor: int) -> bool:
        """`begin_flush` soon; False if other files still wait for that. The descriptor may be closed meanwhile."""
        with self._lock:
            if not self._files.empty():
                return False
            self._files.put(os.dup(descriptor))
            if not self._runs:
                self._runs = True
                Thread(target=self._work, name="flusher", daemon=True).start()
        return True

    def _work(self) -> None:
        while True:
            try:
                descriptor = self._files.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if self._files.empty():
                        self._runs = False
                        return
                continue
            try:
                begin_flush(descriptor)
            finally:
                os.close(descriptor)
