"""A device that has time for a part of a stream makes that part again, and has the rest as it is."""

import gzip

import pytest

from manifests.delta import cutting
from manifests.delta.opened import Stream
from manifests.nested import gnugzip, libzstd
from manifests.nested.recipes import parse
from manifests.nested.streams import expander_of, first

from .makings import Made, make, noise, text

CONTENT = text(1, 150_000)
CHANGED = b" ".join(word + b"!" * (place % 1500 == 0) for place, word in enumerate(CONTENT.split()))
WAYS = ["deflate 6 8", "xz 0 4 262144", f"zstd {libzstd.BUNDLED} 3 0 0 0", *["deflate 6"] * gnugzip.is_here()]


def made_by(way: str, content: bytes) -> bytes:
    compressor = parse(way).compressor(len(content))
    return compressor.compress(content) + compressor.flush()


def in_time(share: float) -> Made:
    """An update of a gzip file by a device that has time for about this share of it."""
    new, old = (noise(1, 30_000) + gzip.compress(data, 6, mtime=0) for data in (CHANGED, CONTENT))
    seconds = share * len(CHANGED) * (1 / 31e6 + 1 / 170e6) + len(new) / 400e6
    return make(new, old, apply_speed_min=len(new) / seconds)


@pytest.mark.parametrize("way", WAYS)
def test_of_the_first_part_of_what_a_stream_holds_comes_the_streams_first_part(way: str) -> None:
    whole = memoryview(made_by(way, CONTENT))
    stream = Stream(70_000, len(whole), len(CONTENT), way)
    cut = cutting.start_of(stream, whole, 0.5)
    assert cut
    start, behind = cut
    assert (start.offset, start.expanded_bytes, start.way) == (70_000, len(CONTENT) // 2, way)
    assert 0.3 * len(whole) < start.length < 0.51 * len(whole)
    assert made_by(way, CONTENT[: start.expanded_bytes])[: start.length] == whole[: start.length]
    with memoryview(bytes(whole[: start.length]) + behind) as known:
        held = b"".join(first(expander_of(way.split(maxsplit=1)[0], known), start.expanded_bytes))
    assert held == CONTENT[: start.expanded_bytes]


def test_a_part_that_saves_next_to_nothing_is_not_opened() -> None:
    whole = made_by("deflate 6 8", CONTENT)
    stream = Stream(0, len(whole), len(CONTENT), "deflate 6 8")
    assert cutting.start_of(stream, memoryview(whole), 0.9 * cutting.PART_BYTES_MIN / len(whole)) is None


def test_an_old_stream_is_read_as_far_as_it_is_given() -> None:
    whole = memoryview(made_by("deflate 6 8", CONTENT))
    start = cutting.start_of_base(Stream(9, len(whole), len(CONTENT), "deflate"), whole[:100_000])
    assert start
    assert (start.offset, start.length) == (9, 100_000)
    assert 0 < start.expanded_bytes < len(CONTENT)
    assert cutting.start_of_base(Stream(9, len(whole), len(CONTENT), "deflate"), whole[:1]) is None


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_what_a_device_has_time_for_is_opened_and_the_update_whole(share: float) -> None:
    made = in_time(share)
    (stream,) = made.index.opened.streams
    (old,) = made.index.old_opened.streams
    assert 0.9 * share < stream.expanded_bytes / len(CHANGED) < 1.1 * share
    assert stream.length <= old.length < 1.2 * stream.length
    assert {one.why for one in made.apply()} == {""}


def test_more_time_is_fewer_bytes() -> None:
    sizes = [in_time(share).size for share in (0.3, 0.6, 1.2)]
    assert sizes[0] > 1.4 * sizes[1] > 1.4 * 2 * sizes[2]
