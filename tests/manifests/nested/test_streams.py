"""Streams are found, measured and made again; what is none is left alone."""

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from manifests.nested import libzstd
from manifests.nested.finding import members, squashfs_codec
from manifests.nested.recipes import AT_ONCE
from manifests.nested.recreating import SEARCHES_IN_VAIN_MAX, Recipes
from manifests.nested.streams import DEFLATE, GZIP, XZ, ZLIB, ZSTD, DamagedStreamError, expander
from tests.manifests.delta.makings import noise, text

TEXT = text(1, 8_000)
MEMORY_BYTES = 2**30


def gzipped(level: int = 9, name: str = "") -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(name, "wb", level, buffer, mtime=0) as file:
        file.write(TEXT)
    return buffer.getvalue()


def zstd() -> bytes:
    frame: bytes = zstandard.ZstdCompressor(level=19, write_checksum=True).compress(TEXT)
    return frame


def piped_zstd() -> bytes:
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    start: bytes = compressor.compress(TEXT)
    return start + compressor.flush()


BCJ = ({"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 2**22, "preset": 6})
STREAMS = {
    "gzip": (GZIP, gzipped()),
    "gzip of a name": (GZIP, gzipped(6, "changelog")),
    "xz": (XZ, lzma.compress(TEXT, preset=6)),
    "xz of modules": (XZ, lzma.compress(TEXT, check=lzma.CHECK_CRC32, preset=9 | lzma.PRESET_EXTREME)),
    "xz of a kernel": (XZ, lzma.compress(TEXT, check=lzma.CHECK_CRC32, filters=BCJ)),
    "zstd": (ZSTD, zstd()),
    "zstd from a pipe": (ZSTD, piped_zstd()),
    "zlib": (ZLIB, zlib.compress(TEXT, 9)),
    "deflate": (DEFLATE, zlib.compress(TEXT, 9, wbits=-15)),
}


@pytest.mark.parametrize("kind, stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_is_expanded_and_measured_whatever_follows(kind: str, stream: bytes) -> None:
    expanded = expander(kind, memoryview(stream + noise(1, 500)))
    assert b"".join(expanded) == TEXT
    assert expanded.length == len(stream)


@pytest.mark.parametrize("kind, stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_our_libraries_made_can_be_made_again(kind: str, stream: bytes) -> None:
    assert Recipes(MEMORY_BYTES).find(kind, memoryview(stream), len(TEXT))


@pytest.mark.parametrize("kind, stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_ends_too_early_is_none(kind: str, stream: bytes) -> None:
    with pytest.raises(DamagedStreamError):
        list(expander(kind, memoryview(stream[:-40])))


@given(st.sampled_from((GZIP, DEFLATE, XZ, ZSTD)), st.binary(max_size=300))
def test_any_bytes_are_a_stream_or_none(kind: str, data: bytes) -> None:
    try:
        for block in expander(kind, memoryview(data)):
            assert len(block) <= 2**20
    except DamagedStreamError:
        pass


def test_blocks_are_bounded_whatever_a_stream_expands_to() -> None:
    for kind, bomb in ((GZIP, gzip.compress(bytes(2**25))), (XZ, lzma.compress(bytes(2**25)))):
        assert {len(block) <= 2**20 for block in expander(kind, memoryview(bomb))} == {True}


def test_what_somebody_else_compressed_in_another_way_can_not_be_made_again() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 8, zlib.Z_FILTERED)
    half = len(TEXT) // 2
    stream = compressor.compress(TEXT[:half]) + compressor.flush(zlib.Z_FULL_FLUSH)
    stream += compressor.compress(TEXT[half:]) + compressor.flush()
    assert Recipes(MEMORY_BYTES).find(DEFLATE, memoryview(stream), len(TEXT)) is None


def test_streams_are_found_where_files_of_an_image_begin(tmp_path: Path) -> None:
    image = bytearray(noise(1, 400_000))
    for place, (_, stream) in zip(
        (0, 102_400, 204_800), (STREAMS["xz"], STREAMS["gzip"], STREAMS["zstd"]), strict=True
    ):
        image[place : place + len(stream)] = stream
    (tmp_path / "image").write_bytes(image)
    found = members(tmp_path / "image")
    assert [(one.kind, one.offset) for one in found] == [(XZ, 0), (GZIP, 102_400), (ZSTD, 204_800)]
    assert {one.expanded_bytes for one in found} == {len(TEXT)}


def test_a_stream_is_found_wherever_it_begins(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"!" + gzipped())
    assert [one.offset for one in members(tmp_path / "image")] == [1]


def test_members_of_a_zip_are_found_by_its_directory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "wheel", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one", TEXT)
        archive.writestr("stored", TEXT, zipfile.ZIP_STORED)
        archive.writestr("two", TEXT)
    found = members(tmp_path / "wheel")
    assert [(one.kind, one.name, one.expanded_bytes) for one in found] == [
        (DEFLATE, "one", len(TEXT)),
        (DEFLATE, "two", len(TEXT)),
    ]


def test_what_zstd_made_in_one_call_is_made_again() -> None:
    data = b"".join(text(seed, 6_000) + noise(seed, 40_000) for seed in range(20))
    stream = zstandard.ZstdCompressor(level=5).compress(data)
    recipe = Recipes(MEMORY_BYTES).find(ZSTD, memoryview(stream), len(data))
    assert recipe is not None
    assert (recipe.settings[4] == AT_ONCE) is (libzstd.BUNDLED >= 10507)
    compressor = recipe.compressor(len(data))
    parts = [compressor.compress(data[at : at + 70_000]) for at in range(0, len(data), 70_000)]
    assert b"".join(parts) + compressor.flush() == stream


def test_what_made_one_stream_is_looked_for_first_and_what_nobody_makes_is_given_up() -> None:
    strange = memoryview(zlib.compress(TEXT[:4000], 9, wbits=-15) + b"?")
    known, fresh = Recipes(MEMORY_BYTES), Recipes(MEMORY_BYTES)
    (_, good), (_, other) = STREAMS["deflate"], STREAMS["gzip of a name"]
    assert known.find(DEFLATE, memoryview(good), len(TEXT))
    for _ in range(SEARCHES_IN_VAIN_MAX):
        assert not known.find(DEFLATE, strange, 4000)
        assert not fresh.find(DEFLATE, strange, 4000)
    assert known.find(DEFLATE, memoryview(good), len(TEXT))
    assert not fresh.find(GZIP, memoryview(other), len(TEXT))


def test_a_squashfs_says_by_what_it_is_compressed(tmp_path: Path) -> None:
    head = struct.pack("<4sIIIIHHHHHHQQ", b"hsqs", 1, 2, 3, 4, 6, 17, 0, 1, 4, 0, 0, 4096)
    (tmp_path / "root.squashfs").write_bytes(head + bytes(8192))
    assert squashfs_codec(tmp_path / "root.squashfs") == "zstd"
    (tmp_path / "root.squashfs").write_bytes(bytes(96))
    assert not squashfs_codec(tmp_path / "root.squashfs")
