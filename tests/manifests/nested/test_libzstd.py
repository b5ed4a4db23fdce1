"""Streams that the system's libzstd made, which is seldom of the version that `zstandard` brings."""

import sys

import pytest
import zstandard

from manifests.nested import libzstd
from manifests.nested.recipes import AT_ONCE, Recipe, parse
from manifests.nested.streams import ZSTD
from tests.manifests.delta.makings import text

TEXT = text(1, 8_000)
ELSEWHERE = Recipe(ZSTD, (10_300, 3, 1, 1, 0))
"""Of a version that nobody has any more."""


@pytest.mark.parametrize("version", sorted({libzstd.BUNDLED, libzstd.version()} - {0}))
@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("sized", [0, 1, AT_ONCE])
def test_a_recipe_of_a_version_that_is_here_makes_a_stream_of_it(version: int, workers: int, sized: int) -> None:
    compressor = Recipe(ZSTD, (version, 9, workers, 1, sized)).compressor(len(TEXT))
    stream = compressor.compress(TEXT[:30_000]) + compressor.compress(TEXT[30_000:]) + compressor.flush()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(stream) == TEXT
    assert zstandard.get_frame_parameters(stream).has_checksum


@pytest.mark.parametrize("version", {libzstd.version()} - {0})
def test_what_was_compressed_is_not_held_until_a_collector_comes_by(version: int) -> None:
    data = text(2, 1000)
    references = sys.getrefcount(data)
    compressor = Recipe(ZSTD, (version, 3, 0, 0, 1)).compressor(len(data))
    compressor.compress(data)
    compressor.flush()
    assert sys.getrefcount(data) == references


def test_a_version_that_is_not_here_is_said_so() -> None:
    assert not ELSEWHERE.is_here
    with pytest.raises(ValueError, match="10300 is not here"):
        ELSEWHERE.compressor(1)


@pytest.mark.parametrize("words", ["", "zstd", "deflate", "deflate 9 8 1", "deflate 09 8", "lzma 1 2", "xz -1 2 3"])
def test_words_that_are_no_recipe_are_refused(words: str) -> None:
    with pytest.raises(ValueError):
        parse(words)


def test_impossible_settings_are_refused_when_a_stream_is_to_be_made() -> None:
    with pytest.raises(ValueError, match="deflate 77 8"):
        parse("deflate 77 8").compressor(1)
