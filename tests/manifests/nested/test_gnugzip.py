"""Streams that GNU gzip made, which zlib seldom makes."""

import subprocess
import zlib

import pytest

from manifests.nested import gnugzip
from manifests.nested.recipes import Recipe
from manifests.nested.recreating import Recipes
from manifests.nested.streams import DEFLATE, GZIP
from tests.manifests.delta.makings import noise, text

TEXT = text(1, 40_000) + noise(1, 300_000) + text(2, 10_000)
HERE = [6, 9] if gnugzip.is_here() else []


def gzipped(level: int) -> bytes:
    return subprocess.run(["gzip", f"-{level}", "-n", "-c"], input=TEXT, capture_output=True, check=True).stdout


@pytest.mark.parametrize("level", HERE)
def test_what_the_command_made_is_made_again(level: int) -> None:
    recipe = Recipes(2**25).find(GZIP, memoryview(gzipped(level)), len(TEXT))
    assert recipe is not None
    compressor = recipe.compressor(len(TEXT))
    stream = b"".join(compressor.compress(TEXT[at : at + 70_000]) for at in range(0, len(TEXT), 70_000))
    assert stream + compressor.flush() == gzipped(level)[10:-8]


@pytest.mark.parametrize("level", HERE)
def test_what_comes_out_is_raw_deflate(level: int) -> None:
    compressor = Recipe(DEFLATE, (level,)).compressor(len(TEXT))
    stream = compressor.compress(TEXT) + compressor.flush()
    assert zlib.decompress(stream, wbits=-15) == TEXT


@pytest.mark.parametrize("level", HERE)
def test_a_process_that_died_makes_too_little(level: int) -> None:
    compressor = gnugzip.GnuGzip(level)
    compressor._process.kill()
    assert zlib.decompressobj(-15).decompress(compressor.compress(TEXT) + compressor.flush()) == b""


@pytest.mark.parametrize("level", HERE)
def test_one_that_is_not_needed_any_more_leaves_nothing(level: int) -> None:
    compressor = gnugzip.GnuGzip(level)
    compressor.compress(TEXT[:100])
    process = compressor._process
    del compressor
    assert process.returncode is not None


def test_a_machine_without_it_knows_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gnugzip, "COMMAND", "no-such-command")
    gnugzip.is_here.cache_clear()
    assert not Recipe(DEFLATE, (9,)).is_here
    with pytest.raises(ValueError, match="deflate 9"):
        Recipe(DEFLATE, (9,)).compressor(1)
    monkeypatch.undo()
    gnugzip.is_here.cache_clear()
