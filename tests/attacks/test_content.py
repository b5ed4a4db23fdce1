"""Signed for is the raw form of each piece; what travels may be packed. However it comes, what was signed counts."""

import lzma
import resource
from array import array
from collections.abc import Callable
from hashlib import sha256
from random import Random

import pytest
import zstandard
from trio.testing import MockClock

from manifests.delta import codecs
from manifests.delta.applying import DAMAGED, Applied, apply_bundle
from manifests.delta.limits import WINDOW_BYTES_MAX
from manifests.delta.pack import RAW, XZ, ZSTD, ZSTD_BASES, Frame, Item
from manifests.entries import FILE, Entry
from manifests.errors import MalformedPackError
from manifests.manifest import Manifest, Profile
from tests.attacks.siege import Siege, nothing_visible

PIECE_BYTES = 100_000
BASE, PIECE = Random(1).randbytes(PIECE_BYTES), Random(1).randbytes(PIECE_BYTES - 100) + bytes(100)
BOMB_BYTES = 1 << 30
MEMORY_BYTES_MAX = 96 << 20
"""Two windows and some; a bomb would take a GiB."""


def release(piece: bytes = PIECE) -> Manifest:
    """One file, one piece."""
    return Manifest(
        "shop", "1", 1, "sha256", Profile("x", 1, len(piece), len(piece)), sha256(piece).digest(),
        array("I", [len(piece)]), (Entry("a", FILE, size=len(piece)),), tree=False,
    )  # fmt: skip


def applied(frame: Frame, data: bytes, base: bytes | None = BASE) -> list[Applied]:
    """What a bundle of one frame becomes."""
    return list(apply_bundle([frame], data, release(), lambda piece: base))


def zstd_bomb() -> bytes:
    """Zeros without end, and a frame that does not say how many."""
    compressor = zstandard.ZstdCompressor(level=19).compressobj()
    block = bytes(1 << 20)
    parts = [compressor.compress(block) for _ in range(BOMB_BYTES // len(block))]
    return b"".join(parts) + compressor.flush()


def xz_bomb() -> bytes:
    """The same in LZMA2."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": WINDOW_BYTES_MAX, "pb": 0}]
    compressor = lzma.LZMACompressor(format=lzma.FORMAT_RAW, filters=filters)
    block = bytes(1 << 20)
    return b"".join(compressor.compress(block) for _ in range(64)) + compressor.flush()


@pytest.mark.parametrize("codec, make", [(ZSTD, zstd_bomb), (XZ, xz_bomb)], ids=["zstd", "xz"])
def test_a_decompression_bomb(codec: int, make: Callable[[], bytes]) -> None:
    bomb = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (made,) = applied(Frame(codec, len(bomb), (Item(0),)), bomb)
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert (made.data, made.why) == (None, DAMAGED)
    assert grown_bytes < MEMORY_BYTES_MAX


def test_a_decompression_bomb_that_is_made_from_bases() -> None:
    bomb = codecs.compress_with(BASE, bytes(1 << 28), 3)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (made,) = applied(Frame(ZSTD_BASES, len(bomb), (Item(0, (0,)),)), bomb)
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert (made.data, made.why) == (None, DAMAGED)
    assert grown_bytes < MEMORY_BYTES_MAX


def test_a_patch_that_promises_a_gigabyte() -> None:
    patch = b"HDIFF13&\0" + b"\x84\x80\x80\x80\x00" + bytes(10)
    with pytest.raises(MalformedPackError):
        codecs.apply(BASE, patch, PIECE_BYTES)


@pytest.mark.parametrize("codec", [RAW, ZSTD])
def test_a_poisoned_delta_base(codec: int) -> None:
    """The base lies on our own disk, and somebody changed it behind our back."""
    patch = codecs.diff(BASE, PIECE)
    data = codecs.compress(codec, patch, 3)
    poisoned = BASE[:50_000] + b"!" + BASE[50_001:]
    (made,) = applied(Frame(codec, len(data), (Item(0, (0,), len(patch)),)), data, poisoned)
    assert (made.data, made.why) == (None, DAMAGED)


def test_the_right_base_gives_the_piece_so_that_the_test_above_says_something() -> None:
    patch = codecs.diff(BASE, PIECE)
    (made,) = applied(Frame(RAW, len(patch), (Item(0, (0,), len(patch)),)), patch)
    assert made.data == PIECE


@pytest.mark.parametrize("codec", [RAW, ZSTD, XZ])
def test_hash_of_the_encoded_form_right_and_of_the_raw_form_wrong(codec: int) -> None:
    """Who makes packs signs for them; that does not make their content what was released."""
    data = codecs.compress(codec, bytes(len(PIECE)), 3)
    (made,) = applied(Frame(codec, len(data), (Item(0),)), data)
    assert (made.data, made.why) == (None, DAMAGED)


async def test_a_poisoned_chunk_from_every_mirror(siege: Siege, autojump_clock: MockClock) -> None:
    honest = siege.publish("shop@1")
    good = dict(siege.mirror.files)
    name = honest.manifest.digest(0).hex()
    siege.mirror.files[f"chunks/{name[:2]}/{name}"] = bytes(honest.manifest.lengths[0])
    host = await siege.host()
    await siege.tracker.say(siege.goal("shop@1"))
    await siege.until(lambda: bool(host.service().get("progress")), host)
    assert nothing_visible(host)
    siege.mirror.files = good
    await siege.runs(host, "shop@1", within_s=200)
    assert host.files("/srv/shop/current") == honest.files
