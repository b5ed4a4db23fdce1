"""The system's libzstd, where there is one: images are made with it, and its versions compress differently.

`zstandard` brings its own libzstd. What the system's made (an initrd mostly) can be made again by that only.
"""

import ctypes
from functools import cache
from typing import Final

import zstandard

SONAME: Final = "libzstd.so.1"
_LEVEL, _CONTENT_SIZE, _CHECKSUM, _WORKERS = 100, 200, 201, 400
"""ZSTD_cParameter, zstd.h."""
_CONTINUE, _END = 0, 2
"""ZSTD_EndDirective."""
_OUTPUT_BYTES: Final = 2**17

BUNDLED: Final = int("{}{:02}{:02}".format(*zstandard.ZSTD_VERSION))
"""The version that `zstandard` brings, as ZSTD_VERSION_NUMBER."""


class _Input(ctypes.Structure):
    """ZSTD_inBuffer. (Not ctypes.cast: what it makes holds itself, and so the data, until a collector comes by.)"""

    _fields_ = (("start", ctypes.c_char_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


class _Output(ctypes.Structure):
    """ZSTD_outBuffer."""

    _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(SONAME)
        library.ZSTD_versionNumber.restype = ctypes.c_uint
        library.ZSTD_createCCtx.restype = ctypes.c_void_p
        library.ZSTD_freeCCtx.argtypes = (ctypes.c_void_p,)
        library.ZSTD_CCtx_setParameter.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
        library.ZSTD_CCtx_setParameter.restype = ctypes.c_size_t
        library.ZSTD_CCtx_setPledgedSrcSize.argtypes = (ctypes.c_void_p, ctypes.c_ulonglong)
        library.ZSTD_CCtx_setPledgedSrcSize.restype = ctypes.c_size_t
        buffers = (ctypes.POINTER(_Output), ctypes.POINTER(_Input))
        library.ZSTD_compressStream2.argtypes = (ctypes.c_void_p, *buffers, ctypes.c_int)
        library.ZSTD_compressStream2.restype = ctypes.c_size_t
        library.ZSTD_isError.argtypes = (ctypes.c_size_t,)
    except (OSError, AttributeError):
        return None
    return library


def version() -> int:
    """Of the system's libzstd, as ZSTD_VERSION_NUMBER; 0 if there is none."""
    library = _library()
    return int(library.ZSTD_versionNumber()) if library else 0


class SystemCompressor:
    """Compresses a stream with the system's libzstd. `size` None: it was not known before. MemoryError."""

    _context: int | None = None

    def __init__(self, level: int, workers: int, *, checksum: bool, size: int | None) -> None:
        library = _library()
        if library is None:
            raise MemoryError("there is no libzstd")
        self._library = library
        self._context = library.ZSTD_createCCtx()
        for name, value in (
            (_LEVEL, level), (_WORKERS, workers), (_CHECKSUM, checksum), (_CONTENT_SIZE, size is not None),
        ):  # fmt: skip
            self._checked(library.ZSTD_CCtx_setParameter(self._context, name, value))
        if size is not None:
            self._checked(library.ZSTD_CCtx_setPledgedSrcSize(self._context, size))
        self._output = ctypes.create_string_buffer(_OUTPUT_BYTES)

    def __del__(self) -> None:
        if self._context is not None:
            self._library.ZSTD_freeCCtx(self._context)

    def compress(self, data: bytes) -> bytes:
        """What comes out now."""
        return self._run(data, _CONTINUE)

    def flush(self) -> bytes:
        """The end."""
        return self._run(b"", _END)

    def compress_all(self, data: bytes) -> bytes:
        """In one call, which takes room for what might come out."""
        self._output = ctypes.create_string_buffer(len(data) + (len(data) >> 7) + _OUTPUT_BYTES)
        return self._run(data, _END)

    def _run(self, data: bytes, directive: int) -> bytes:
        fresh = _Input(data, len(data), 0)
        parts = []
        while True:
            made = _Output(ctypes.addressof(self._output), len(self._output), 0)
            left = self._checked(
                self._library.ZSTD_compressStream2(self._context, ctypes.byref(made), ctypes.byref(fresh), directive)
            )
            parts.append(ctypes.string_at(self._output, made.position))
            if fresh.position == fresh.size and (directive == _CONTINUE or not left):
                return b"".join(parts)

    def _checked(self, code: int) -> int:
        if self._library.ZSTD_isError(code):
            raise MemoryError("libzstd refused")
        return code
