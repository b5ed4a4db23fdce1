"""Which bundles are xz's, and what of them is compressed at all."""

import pytest

from manifests.delta.bundling import XZ_SHARE, XZ_WHOLE_SHARE, Draft, close, drafts
from manifests.delta.encoding import BEST_LEVEL, Form, Kind
from manifests.delta.matching import Match
from manifests.delta.pack import RAW, XZ, ZSTD

from .makings import noise

RELEASE_BYTES = 2**24


def codecs_of(
    share: float, *, pieces: int = 16, release_bytes: int = RELEASE_BYTES, xz_share_max: float = 1.0
) -> list[int]:
    """Of bundles with one piece each, which together take this share of the release."""
    size = int(share * RELEASE_BYTES) // pieces
    rows = ((Match(piece), Form(Kind.PATCH, b"patch", size)) for piece in range(pieces))
    return [draft.codec for draft in drafts(rows, release_bytes, size, xz_share_max * RELEASE_BYTES)]


def test_a_small_pack_is_xzs_altogether() -> None:
    assert set(codecs_of(0.99 * XZ_WHOLE_SHARE)) == {XZ}


def test_of_a_larger_one_so_much_is_as_a_device_has_time_for() -> None:
    share = 1.1 * XZ_WHOLE_SHARE
    count = int(16 * XZ_SHARE / share)
    assert codecs_of(share) == [XZ] * count + [ZSTD] * (16 - count)


def test_a_pack_without_a_base_is_none_of_it() -> None:
    assert set(codecs_of(0.01, release_bytes=0)) == {ZSTD}


def test_no_more_is_xzs_than_there_is_time_for() -> None:
    share = 0.99 * XZ_WHOLE_SHARE
    count = int(16 * 0.5 * XZ_SHARE / share)
    assert codecs_of(share, xz_share_max=0.5 * XZ_SHARE) == [XZ] * count + [ZSTD] * (16 - count)


@pytest.mark.parametrize("shared_bytes, codec", [(2000, ZSTD), (0, RAW)])
def test_what_is_compressed_already_is_compressed_with_others_that_have_the_same(shared_bytes: int, codec: int) -> None:
    shared, draft = noise(1, shared_bytes), Draft(10**6)
    for piece in range(20):
        content = noise(2 + piece, 8000) + shared
        draft.add(Match(piece), Form(Kind.PLAIN, content, len(content)))
    bundle = close(draft, BEST_LEVEL)
    (frame,) = bundle.frames
    assert frame.codec == codec
    assert len(bundle.data) < 161_000 + 2 * shared_bytes
