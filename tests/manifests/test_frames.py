"""A plain frame is zstd's, and there is one of each document."""

import hashlib

import pytest
import zstandard

from manifests.frames import BLOCK_BYTES, plain_digest, plain_frame

SIZES = (1, 255, 256, 65_791, 65_792, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES)


@pytest.mark.parametrize("size", SIZES)
def test_zstd_reads_it_and_knows_its_size(size: int) -> None:
    document = hashlib.shake_128(b"document").digest(size)
    frame = plain_frame(document)
    assert zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False) == document
    assert zstandard.get_frame_parameters(frame).content_size == size


def test_it_is_as_long_as_the_document_and_a_few_bytes() -> None:
    assert len(plain_frame(bytes(400))) == 400 + 4 + 1 + 2 + 3


@pytest.mark.parametrize("size", SIZES)
def test_its_digest_is_known_without_writing_it(size: int) -> None:
    assert plain_digest(bytes(size)) == hashlib.sha256(plain_frame(bytes(size))).digest()
