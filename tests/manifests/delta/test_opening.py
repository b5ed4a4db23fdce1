"""Streams inside pieces: patches are made between what they hold, and the pieces come out byte for byte."""

import gzip
import lzma
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
import zstandard

from manifests.delta import index_codec, searching
from manifests.delta.applying import NO_BASE
from manifests.delta.closing import NOT_REMADE, can_close
from manifests.delta.opened import Opened, Pieces, Stream
from manifests.delta.pack import PackIndex
from manifests.delta.splitting import IMAGE_BYTES_MIN
from manifests.errors import MalformedPackError
from manifests.nested.recipes import MEMORY_BYTES_MAX, Recipe
from tests.manifests.nested.erofs_images import erofs

from .makings import SMALL, Made, make, noise, release, text

OLD = text(1, 20_000)
NEW = b" ".join(word + b"!" * (place % 1500 == 0) for place, word in enumerate(OLD.split()))
XZ_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 2**20}]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": lambda data: zlib.compress(data, 9),
    "deflate in a zip": lambda data: b"PK\3\4" + bytes(4) + b"\x08" + bytes(21) + zlib.compress(data, 6, wbits=-15),
    "xz": lambda data: lzma.compress(data, filters=XZ_FILTERS),
    "zstd": lambda data: zstandard.ZstdCompressor(level=3).compress(data),
}


def image(stream: bytes) -> bytes:
    """Something before it, something behind it."""
    return noise(1, 30_000) + stream + noise(2, 30_000)


def gzipped(opened_memory_bytes: int = MEMORY_BYTES_MAX) -> Made:
    new, old = (image(COMPRESSORS["gzip"](data)) for data in (NEW, OLD))
    return make(new, old, opened_memory_bytes=opened_memory_bytes)


def pieces_of(made: Made) -> dict[int, bytes]:
    return {applied.piece: applied.data for applied in made.apply() if applied.data is not None}


@pytest.mark.parametrize("compress", COMPRESSORS.values(), ids=COMPRESSORS)
def test_a_change_inside_a_stream_costs_what_it_costs_outside(compress: Callable[[bytes], bytes]) -> None:
    made = make(image(compress(NEW)), image(compress(OLD)))
    assert made.size < 0.15 * len(compress(NEW))
    lacking = [piece for piece in range(made.release.manifest.pieces) if piece in pieces_of(made)]
    assert pieces_of(made) == {piece: made.release.read(piece) for piece in lacking}
    assert sum(made.release.manifest.lengths[piece] for piece in lacking) >= len(compress(NEW)) * 0.9


@pytest.mark.parametrize("compress", COMPRESSORS.values(), ids=COMPRESSORS)
def test_a_file_that_is_nothing_but_a_stream_is_made_again(compress: Callable[[bytes], bytes]) -> None:
    made = make(compress(NEW), compress(OLD))
    assert made.index.opened.streams
    assert {one.why for one in made.apply()} == {""}


def test_without_memory_nothing_is_opened() -> None:
    made = gzipped(opened_memory_bytes=0)
    assert made.index.opened == Opened()
    assert made.size > 0.8 * len(COMPRESSORS["gzip"](NEW))


def test_a_device_that_is_to_be_quick_opens_nothing() -> None:
    new, old = (image(COMPRESSORS["gzip"](data)) for data in (NEW, OLD))
    assert make(new, old, apply_speed_min=300e6).index.opened == Opened()
    assert make(new, old, apply_speed_min=1e6).index.opened != Opened()


def test_a_host_is_quick_unless_somebody_says_otherwise() -> None:
    new, old = (image(COMPRESSORS["gzip"](data)) for data in (NEW, OLD))
    host = replace(SMALL, name="host")
    assert make(new, old, host).index.opened == Opened()
    assert make(new, old, host, apply_speed_min=0.0).index.opened != Opened()


def test_what_no_recipe_of_ours_makes_stays_as_it_is() -> None:
    def compress(data: bytes) -> bytes:
        compressor = zlib.compressobj(9, zlib.DEFLATED, 31, 8, zlib.Z_FILTERED)
        half = compressor.compress(data[: len(data) // 2]) + compressor.flush(zlib.Z_FULL_FLUSH)
        return half + compressor.compress(data[len(data) // 2 :]) + compressor.flush()

    made = make(image(compress(NEW)), image(compress(OLD)))
    assert made.index.opened == Opened()
    assert pieces_of(made)


def test_a_stream_where_two_looks_overlap_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "RUN_BYTES_MAX", 20_000)
    parts = [OLD[start : start + 5000] for start in range(0, 120_000, 5000)]
    new, old = (
        b"".join(noise(number, 300) + COMPRESSORS["gzip"](change + part) for number, part in enumerate(parts))
        for change in (b"new", b"old")
    )
    made = make(new, old)
    assert len(made.index.opened.streams) > 1
    assert {one.why for one in made.apply()} == {""}


def test_a_stream_that_did_not_change_is_not_opened() -> None:
    same = COMPRESSORS["xz"](text(3, 5000))
    old, new = (image(noise(seed, 5000) + same + COMPRESSORS["gzip"](data)) for seed, data in ((3, OLD), (4, NEW)))
    made = make(new, old)
    assert [stream.way.split()[0] for stream in made.index.opened.streams] == ["deflate"]
    assert [stream.way for stream in made.index.old_opened.streams] == ["deflate"]


def test_what_was_compressed_and_is_not_any_more_is_made_from_it() -> None:
    made = make(OLD + image(COMPRESSORS["gzip"](NEW)), image(COMPRESSORS["gzip"](OLD)))
    assert b"".join(piece for _, piece in sorted(pieces_of(made).items())).startswith(OLD[:50_000])
    assert made.size < 0.3 * len(COMPRESSORS["gzip"](NEW))


def test_what_is_in_several_pieces_waits_for_all_of_them() -> None:
    made = gzipped()
    (region,) = Pieces(made.release.manifest, made.index.opened).regions
    assert len(region.opened) > 3
    assert region.last > region.first


def test_a_base_that_is_damaged_costs_the_region_and_no_more() -> None:
    made = gzipped()
    (old,) = Pieces(made.base.manifest, made.index.old_opened).regions if made.base else ()
    read = made.base.read if made.base else None
    applied = made.apply(lambda piece: None if piece == old.last or read is None else read(piece))
    assert {one.why for one in applied if one.data is None} == {NO_BASE}
    assert len(applied) == len(pieces_of(made))


def test_another_compressor_than_the_publishers_is_noticed() -> None:
    made = gzipped()
    streams = tuple(replace(stream, way="deflate 1 8") for stream in made.index.opened.streams)
    made.index = replace(made.index, opened=replace(made.index.opened, streams=streams))
    assert {one.why for one in made.apply() if one.data is None} == {NOT_REMADE}


def test_a_base_that_expands_to_less_than_was_said_is_refused() -> None:
    made = gzipped()
    (stream,) = made.index.old_opened.streams
    lengths = made.index.old_opened.lengths
    more = Opened((replace(stream, expanded_bytes=stream.expanded_bytes + 1),), (*lengths[:-1], lengths[-1] + 1))
    made.index = replace(made.index, old_opened=more)
    assert {one.why for one in made.apply() if one.data is None} == {NO_BASE}


@pytest.mark.parametrize(
    "way, can",
    {
        "deflate 9 8": True,
        "zstd 10504000 3 0 1 1": False,  # no such version
        "xz 6 4 33554432": False,  # 400 MB
        "lzma 3": False,
    }.items(),
)
def test_a_machine_knows_what_it_can_make_again(way: str, can: bool) -> None:
    made = gzipped()
    (region,) = Pieces(made.release.manifest, made.index.opened).regions
    changed = replace(region, streams=(replace(region.streams[0], way=way),))
    assert can_close(changed, MEMORY_BYTES_MAX) is can


def test_opened_pieces_that_are_not_all_there_are_refused() -> None:
    source = release(image(OLD))
    stream = Stream(30_000, 50_000, 60_000, "deflate 9 8")
    with pytest.raises(MalformedPackError, match="do not fit"):
        Pieces(source.manifest, Opened((stream,), (5000,)))
    with pytest.raises(MalformedPackError, match="outside"):
        Pieces(source.manifest, Opened((replace(stream, offset=source.manifest.size - 10),), (5000,)))


def test_the_index_keeps_what_is_opened() -> None:
    opened = Opened((Stream(10, 20, 300, "deflate 9 8"), Stream(40, 5, 9, "xz 6 4 1048576")), (100, 235))
    index = PackIndex(bytes(32), (), opened, Opened((Stream(0, 7, 9, "deflate"),), (5000,)))
    assert index_codec.decode(index_codec.encode(index)) == index


def test_a_recipe_says_what_memory_it_takes() -> None:
    block = Recipe("zstd", (10504, 15, 0, 0, 1))  # of a squashfs
    assert block.memory_bytes(2**17) < 8 * 2**20 < 64 * 2**20 < block.memory_bytes(2**24)
    initrd = Recipe("zstd", (10504, 9, 1, 1, 0))  # a thread of its own: measured 108 MiB
    assert 64 * 2**20 < initrd.memory_bytes(125 * 10**6) < 150 * 2**20
    assert Recipe("deflate", (9, 9)).memory_bytes(2**30) <= 2**20


@pytest.mark.parametrize("kind", ["gzip", "xz", "zstd"])
def test_a_stream_that_an_image_keeps_in_two_places_is_opened(kind: str) -> None:
    old, new = (image_with(COMPRESSORS[kind](data)) for data in (OLD, NEW))
    made = make(new, old)
    (stream,) = made.index.opened.streams
    assert stream.end % 4096 == 0
    assert made.size < 4096 + 0.25 * len(COMPRESSORS[kind](NEW))
    assert {one.why for one in made.apply()} == {""}


def test_a_cut_stream_of_which_nothing_comes_is_no_base() -> None:
    def block(data: bytes) -> bytes:
        stream: bytes = zstandard.ZstdCompressor(level=3).compress(data[:130_000])  # one block of zstd's
        return stream

    made = make(image_with(block(NEW)), image_with(block(OLD)))
    assert made.index.old_opened == Opened()
    assert {one.why for one in made.apply()} == {""}


def image_with(stream: bytes) -> bytes:
    """An EROFS image; the stream's end lies before its start."""
    assert len(stream) % 4096 > 100
    return erofs({"changes.gz": stream}, blocks=IMAGE_BYTES_MIN // 4096)
