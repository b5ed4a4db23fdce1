"""Packs of the past can be read for ever: every codec, in golden bytes."""

import hashlib
import json
from array import array
from pathlib import Path

from manifests.delta import index_codec, small
from manifests.delta.applying import apply_bundle
from manifests.delta.pack import RAW, XZ, ZSTD, ZSTD_BASES, PackIndex, check_index
from manifests.delta.rebuilding import Held, apply_small
from manifests.digest import digest_function
from manifests.manifest import Entry, Manifest, Profile

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "pack.json").read_text(encoding="utf-8"))
PIECE_BYTES = 4000


def old() -> bytes:
    """Three pieces of the base: SHAKE-256 of `old`, each of its bytes as two letters."""
    return hashlib.shake_256(b"old").digest(3 * PIECE_BYTES // 2).hex().encode()


def new() -> bytes:
    """Four pieces: one of the base with every 97th byte changed, two others joined with a gap, new text, new noise."""
    first, second, third = (old()[start : start + PIECE_BYTES] for start in range(0, 3 * PIECE_BYTES, PIECE_BYTES))
    changed = bytes(byte ^ (place % 97 == 0) for place, byte in enumerate(second))
    joined = first[1000:3000] + third[-2000:]
    text = hashlib.shake_256(b"text").digest(PIECE_BYTES // 2).hex().encode()
    return changed + joined + text + hashlib.shake_256(b"noise").digest(PIECE_BYTES)


def manifest(data: bytes, version: str) -> Manifest:
    pieces = [data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES)]
    digests = b"".join(map(digest_function("sha256"), pieces))
    entry = Entry("image", "file", size=len(data))
    profile = Profile("vector", 1, PIECE_BYTES, PIECE_BYTES)
    return Manifest("shop", version, 1, "sha256", profile, digests, array("I", map(len, pieces)), (entry,), tree=False)


def golden() -> tuple[PackIndex, list[bytes]]:
    index, *bundles = map(bytes.fromhex, VECTOR["pieces"])
    return index_codec.decode(index), bundles


def test_the_golden_index_is_this() -> None:
    assert index_codec.encode(golden()[0]).hex() == VECTOR["pieces"][0]


def test_the_golden_small_pack_makes_the_same_pieces() -> None:
    pack, base, release = small.decode(bytes.fromhex(VECTOR["small"])), manifest(old(), "1"), manifest(new(), "2")
    small.check(pack, release, base)
    made = apply_small(pack, release, base, Held(lambda piece: old()[piece * PIECE_BYTES : (piece + 1) * PIECE_BYTES]))
    assert b"".join(applied.data or b"" for applied in made) == new()


def test_the_golden_index_with_opened_streams_is_this() -> None:
    golden = VECTOR["opened"]
    index = index_codec.decode(bytes.fromhex(golden["index"]))
    streams = [[one.offset, one.length, one.expanded_bytes, one.way] for one in index.opened.streams]
    assert streams == golden["streams"]
    assert index_codec.encode(index).hex() == golden["index"]


def test_the_golden_pack_has_every_codec() -> None:
    index, _ = golden()
    assert {frame.codec for frames in index.bundles for frame in frames} == {RAW, ZSTD, XZ, ZSTD_BASES}


def test_the_golden_pack_becomes_the_release() -> None:
    index, bundles = golden()
    release, base = manifest(new(), "2"), manifest(old(), "1")
    lengths = [len(piece) // 2 for piece in VECTOR["pieces"]]
    entry = Entry("pack", "file", size=sum(lengths))
    pack = Manifest(
        "shop", "2", 1, "sha256", Profile("pack", 1, 2**20, 2**20), bytes(32 * len(lengths)), array("I", lengths),
        (entry,), tree=False,
    )  # fmt: skip
    check_index(index, pack, release, base)
    made = {}
    for frames, data in zip(index.bundles, bundles, strict=True):
        for applied in apply_bundle(
            frames, data, release, lambda piece: old()[piece * PIECE_BYTES : (piece + 1) * PIECE_BYTES]
        ):
            made[applied.piece] = applied.data
    assert b"".join(made[piece] or b"" for piece in range(release.pieces)) == new()
