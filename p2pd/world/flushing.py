"""What the C library can do to bring written bytes to the disk, and Python's `os` can't say."""

import ctypes
import os
from typing import Final

BEHIND_BYTES: Final = 4 * 2**20
"""Of one file: when so much was written since the last time, the disk begins to take it, while more comes."""
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
