"""Metadata travels as gzip where both ends like: lists of hex digits in JSON are a quarter as long. Pure.

Content never does: its digest is checked before any decompressor sees it. Metadata is parsed before it is verified in
any case (a signature is inside); what is decompressed here stays within the bound that was asked for.
"""

import zlib
from functools import lru_cache
from typing import Final

PACKED_MIN_BYTES: Final = 1_200
"""Below this it fits one packet as it is."""
_LEVEL: Final = 6
_GZIP: Final = 16 + zlib.MAX_WBITS
_KEPT: Final = 64
"""Files kept packed: what a whole fleet asks for at the same time."""


@lru_cache(_KEPT)
def pack(data: bytes) -> bytes:
    """As gzip; the same bytes each time."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return compressor.compress(data) + compressor.flush()


def unpack(packed: bytes, bytes_max: int) -> bytes | None:
    """What was packed; None if it is no whole gzip, or has more than `bytes_max`."""
    decompressor = zlib.decompressobj(_GZIP)
    try:
        data = decompressor.decompress(packed, bytes_max + 1)
    except zlib.error:
        return None
    whole = decompressor.eof and not decompressor.unused_data
    return data if whole and len(data) <= bytes_max else None
