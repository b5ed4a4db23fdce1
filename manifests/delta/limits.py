"""What a pack may ask of the device that takes it apart."""

from typing import Final

from manifests.manifest import Profile

INDEX_BYTES_MAX: Final = 8 * 2**20
"""Encoded. About 6 bytes a piece: a million pieces."""

BASES_MAX: Final = 64
"""Old pieces that one new piece is made from; each costs a read, a digest and a turn in the index."""

WINDOW_BYTES_MAX: Final = 8 * 2**20
"""How far back a decompressor may look, and so what it holds in memory."""

REGION_BYTES_MAX: Final = 512 * 2**20
"""Of one region, opened: it lies on the device's disk until its pieces are made, which begins anew when interrupted."""

_MARGIN_BYTES: Final = 64 * 2**10


def base_bytes_max(profile: Profile) -> int:
    """Of all old pieces together that one new piece is made from: they are in memory at once.

    Twice the *largest* piece, not twice the one that is made: a small piece of a large file's middle lies in large old
    ones (measured on ruff and duckdb: 22 % fewer bytes than with twice the piece; four times the largest gains 3 %).
    """
    return 2 * profile.max_bytes + _MARGIN_BYTES


def patch_bytes_max(piece_bytes: int) -> int:
    """Of a patch before it is compressed. One that is longer than its piece can pay; one twice as long can't."""
    return 2 * piece_bytes + _MARGIN_BYTES


SMALL_BYTES_MAX: Final = 64 * 2**10
"""A pack that fits in so many bytes is a small one: it travels whole, from one source, and again when interrupted."""

SMALL_NEW_BYTES_MAX: Final = 64 * 2**20
"""Of the pieces that a small pack makes, one by one; and of those that it starts from. Who makes it holds them all."""

SMALL_LITERAL_BYTES_MAX: Final = 4 * 2**20
"""Of what is new in it, expanded."""

SMALL_PLAN_BYTES_MAX: Final = 2**20
"""Of its plan, expanded."""

DICTIONARY_BYTES_MAX: Final = 8 * 2**20
"""Of the old pieces that what is new is compressed with: in memory twice while it is expanded."""
