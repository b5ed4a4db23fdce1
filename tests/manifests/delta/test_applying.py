"""What taking a bundle apart holds in memory."""

import tracemalloc
from array import array

from manifests.chunker import PROFILES
from manifests.delta import codecs
from manifests.delta.applying import Applied, apply_bundle
from manifests.delta.pack import ZSTD, Frame, Item
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest

PIECE_BYTES = 2**20


def test_of_a_bundles_pieces_one_is_in_memory_at_a_time() -> None:
    count, digest = 4, digest_function("blake3")(bytes(PIECE_BYTES))
    entries = (Entry("zeros", FILE, size=count * PIECE_BYTES),)
    lengths = array("I", [PIECE_BYTES] * count)
    release = Manifest("shop", "1", 0, "blake3", PROFILES["host"], count * digest, lengths, entries, tree=False)
    data = codecs.compress(ZSTD, bytes(count * PIECE_BYTES), 1)
    frame = Frame(ZSTD, len(data), tuple(map(Item, range(count))))
    tracemalloc.start()
    made = list(map(_bytes, apply_bundle([frame], data, release, lambda piece: None)))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made == [PIECE_BYTES] * count
    assert most_bytes < 1.5 * PIECE_BYTES


def _bytes(applied: Applied) -> int:
    return len(applied.data or b"")
