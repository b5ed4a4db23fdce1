"""Streams in two places are found wherever in a release the image lies, and only where something changed."""

import gzip
from dataclasses import replace

from manifests.delta.matching import Source
from manifests.delta.splitting import IMAGE_BYTES_MIN, split_streams
from manifests.entries import FILE, Entry
from tests.manifests.nested.erofs_images import BLOCK, erofs

from .makings import noise, release, text

WINDOW_BYTES = 2**20
STREAM = gzip.compress(text(5, 12_000), mtime=0)
IMAGE = erofs({"changes.gz": STREAM, "plain.txt": noise(6, 9000)}, blocks=IMAGE_BYTES_MIN // BLOCK)


def tree(*files: bytes) -> Source:
    """These files, in their order."""
    whole = release(b"".join(files))
    entries = tuple(Entry(f"{number}", FILE, size=len(data)) for number, data in enumerate(files))
    return Source(replace(whole.manifest, entries=entries, tree=True), whole.read)


def all_pieces(source: Source) -> set[int]:
    return set(range(source.manifest.pieces))


def test_an_image_behind_other_files_is_looked_into() -> None:
    source = tree(noise(7, 5000), IMAGE)
    (found,) = split_streams(source, all_pieces(source), WINDOW_BYTES)
    assert found.data == STREAM
    assert found.member.length == len(STREAM)
    assert found.offset == 5000 + IMAGE.index(STREAM[:BLOCK])


def test_a_small_file_is_no_image() -> None:
    source = tree(IMAGE[: IMAGE_BYTES_MIN - BLOCK])
    assert not list(split_streams(source, all_pieces(source), WINDOW_BYTES))


def test_what_did_not_change_is_not_looked_into() -> None:
    source = tree(IMAGE)
    assert not list(split_streams(source, {source.manifest.pieces - 1}, WINDOW_BYTES))
