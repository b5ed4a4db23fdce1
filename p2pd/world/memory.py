"""How the C library deals with memory that was freed.

Every piece takes a few buffers of its own size for a moment. glibc gives such back to the kernel at once, and takes new
ones, page by page: on two cores in a virtual machine, where each change of the page tables is told to the other core,
that has cost as much as receiving, verifying and writing the pieces together.
"""

import ctypes
from typing import Final

KEPT_BYTES_MAX: Final = 32 * 1024 * 1024
"""Freed, and kept for the next piece: two of what waits to be verified."""
BUFFER_BYTES_MAX: Final = 9 * 1024 * 1024
"""Larger ones come from the kernel each time: no piece of our profiles is, nor are the old ones, joined, that one of
the profile bulk is made from (8 MiB and 64 KiB). Were those, a device would hold 10 MiB more while it applies a pack.
"""
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def keep_freed() -> bool:
    """Keep some of what is freed, from now on; False where the C library is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, BUFFER_BYTES_MAX) and mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES_MAX))
