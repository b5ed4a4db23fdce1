"""Releases in memory, and packs between them."""

import hashlib
import io
from array import array
from dataclasses import dataclass
from random import Random

from manifests import chunker
from manifests.delta import index_codec, making
from manifests.delta.applying import Applied, Base, apply_bundle
from manifests.delta.closing import Closing, OpenedBase
from manifests.delta.matching import Source
from manifests.delta.opened import Pieces
from manifests.delta.pack import PackIndex, check_index
from manifests.digest import digest_function, manifest_digest
from manifests.manifest import Entry, Manifest, Profile
from manifests.nested.recipes import MEMORY_BYTES_MAX

SMALL = Profile("small", 1024, 4096, 16384)


def release(data: bytes, profile: Profile = SMALL) -> Source:
    """A single file of these bytes."""
    digest_of = digest_function("blake3")
    digests, lengths = bytearray(), array("I")
    for chunk in chunker.cut(io.BytesIO(data), profile):
        digests += digest_of(chunk)
        lengths.append(len(chunk))
    entry = Entry("image", "file", 0o644, 0, len(data))
    manifest = Manifest("shop", "2", 2, "blake3", profile, bytes(digests), lengths, (entry,), False)
    offsets = manifest.offsets

    def read(piece: int) -> bytes:
        assert 0 <= piece < manifest.pieces
        return data[offsets[piece] : offsets[piece + 1]]

    return Source(manifest, read)


def text(seed: int, words: int) -> bytes:
    """Compressible bytes: words of a small language, in an order that does not repeat."""
    rng = Random(seed)
    language = [hashlib.sha256(bytes([number])).hexdigest()[: 3 + number % 7] for number in range(200)]
    return " ".join(rng.choice(language) for _ in range(words)).encode()


def noise(seed: int, size: int) -> bytes:
    """Bytes that can't be compressed."""
    return Random(seed).randbytes(size)


class MemoryScratch:
    """A scratch file in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.data[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        self.data.extend(bytes(max(0, offset + len(data) - len(self.data))))
        self.data[offset : offset + len(data)] = data


@dataclass
class Made:
    """A pack and all around it."""

    index: PackIndex
    bundles: list[bytes]
    release: Source
    base: Source | None

    @property
    def size(self) -> int:
        return sum(map(len, self.bundles)) + len(index_codec.encode(self.index))

    def apply(self, base: Base | None = None) -> list[Applied]:
        """All bundles, from the base as it is, or as `base` gives its pieces."""
        read = base or (self.base.read if self.base else lambda piece: None)
        pieces = Pieces(self.release.manifest, self.index.opened)
        if self.base:
            held = Pieces(self.base.manifest, self.index.old_opened)
            read = OpenedBase(held, read, MemoryScratch(), MEMORY_BYTES_MAX).piece
        closing = Closing(pieces, MemoryScratch())
        return [
            final
            for frames, data in zip(self.index.bundles, self.bundles, strict=True)
            for applied in apply_bundle(frames, data, pieces, read)
            for final in (
                [applied] if applied.piece < self.release.manifest.pieces else closing.take(applied.piece, applied.data)
            )
        ]


def make(
    new: bytes,
    old: bytes | None,
    profile: Profile = SMALL,
    *,
    opened_memory_bytes: int = MEMORY_BYTES_MAX,
    apply_speed_min: float | None = None,
) -> Made:
    """The pack from old to new bytes, checked against both manifests."""
    target, base = release(new, profile), None if old is None else release(old, profile)
    bundles: list[bytes] = []
    digest = b"" if old is None else manifest_digest(old)
    index = making.make(
        target, base, digest, bundles.append,
        threads=2, opened_memory_bytes=opened_memory_bytes, apply_speed_min=apply_speed_min,
    )  # fmt: skip
    made = Made(index_codec.decode(index_codec.encode(index)), bundles, target, base)
    lengths = array("I", [1, *map(len, bundles)])
    entry = Entry("pack", "file", size=sum(lengths))
    profile = Profile("pack", 1, 2**20, 2**24)
    pack = Manifest("shop", "2", 2, "blake3", profile, bytes(32 * len(lengths)), lengths, (entry,), False)
    check_index(made.index, pack, target.manifest, base.manifest if base else None)
    return made
