"""Two releases and the pack between them, small enough to be looked at."""

import gzip
from array import array
from dataclasses import dataclass, replace
from functools import cache

from manifests import codec
from manifests.delta import codecs, index_codec, making
from manifests.delta.matching import Source
from manifests.delta.pack import ZSTD, ZSTD_BASES, Frame, Item, PackIndex
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest, Profile
from manifests.packs import Pack
from p2pd.patching.patch import Base, Patch
from p2pd.store import Artifact, Store
from tests.p2pd.store.releases import DESTINATION, Release, cut, install, noise

PIECE_BYTES = 4000
NEW_DESTINATION = "/srv/web/releases/2"
PACK_FILE = "/var/packs/files/pack"
_PROFILE = Profile("pack", 1, 2**20, 2**20)


@dataclass(frozen=True)
class Packed:
    """`new` names `named`, which leads from `old` to it (or from nothing)."""

    old: Release
    new: Release
    named: Pack
    pack: Release


def image(changes: dict[int, bytes], version: str) -> Release:
    """12 pieces of one file; the last is the same as the first. `changes`: bytes written over a piece's middle."""
    pieces = [bytearray(noise(f"piece {number}", PIECE_BYTES)) for number in range(11)]
    for number, data in changes.items():
        pieces[number][1000 : 1000 + len(data)] = data
    stream = b"".join([*pieces, pieces[0]])
    entry = Entry("image.bin", FILE, 0o640, 21_000_000_000, len(stream))
    return cut([entry], stream, version=version, is_tree=False, piece_bytes=PIECE_BYTES)


@cache
def packed(*, base: bool = True) -> Packed:
    """Pieces 0, 3, 7 and 11 are new; a bundle holds one piece."""
    old, new = image({}, "1"), image({0: b"one", 3: b"two", 7: b"three"}, "2")
    named, pack = make_pack(old if base else None, new)
    manifest = replace(new.manifest, packs=(named,))
    return Packed(old, Release(manifest, codec.encode(manifest), new.data), named, pack)


@cache
def reopened() -> Packed:
    """Both have a compressed stream in the middle of 6 pieces, which the pack opens."""
    words = [noise(f"word {number}", 3).hex().encode() for number in range(4500)]
    changed = [word + b"!" * (number % 400 == 0) for number, word in enumerate(words)]
    old, new = (_with_a_stream(b" ".join(each), version) for each, version in ((words, "1"), (changed, "2")))
    sources = [Source(one.manifest, one.data.__getitem__) for one in (old, new)]
    bundles: list[bytes] = []
    index = making.make(sources[1], sources[0], old.swarm, bundles.append, threads=1)
    named, pack = wrapped(new.manifest, index, bundles)
    manifest = replace(new.manifest, packs=(named,))
    return Packed(old, Release(manifest, codec.encode(manifest), new.data), named, pack)


def _with_a_stream(data: bytes, version: str) -> Release:
    head = noise("head", PIECE_BYTES + 1000)
    stream = head + gzip.compress(data, mtime=0)
    stream += noise("tail", 6 * PIECE_BYTES)[len(stream) :]
    entry = Entry("image.bin", FILE, 0o640, 21_000_000_000, len(stream))
    made = cut([entry], stream, version=version, is_tree=False, piece_bytes=PIECE_BYTES)
    manifest = replace(made.manifest, profile=Profile("small", 1024, 2048, 4096))
    return Release(manifest, codec.encode(manifest), made.data)


def make_pack(old: Release | None, new: Release) -> tuple[Pack, Release]:
    """One bundle a piece: the piece with what it was before as zstd's dictionary, or compressed alone."""
    held = set(old.data) if old else set()
    lacking = [piece for piece, data in enumerate(new.data) if data not in held and new.data.index(data) == piece]
    frames, bundles = [], []
    for piece in lacking:
        data = new.data[piece]
        packed = codecs.compress_with(old.data[piece], data, 9) if old else codecs.compress(ZSTD, data, 9)
        item = Item(piece, (piece,)) if old else Item(piece)
        frames.append((Frame(ZSTD_BASES if old else ZSTD, len(packed), (item,)),))
        bundles.append(packed)
    return wrapped(new.manifest, PackIndex(old.swarm if old else b"", tuple(frames)), bundles)


@cache
def joined(*made: int) -> Packed:
    """These pieces (none: 3) are made from pieces 2 to 4, joined; a bundle holds one."""
    pieces = made or (3,)
    old, new = image({}, "1"), image(dict.fromkeys(pieces, b"two"), "2")
    bases = b"".join(old.data[2:5])
    data = [codecs.compress_with(bases, new.data[piece], 9) for piece in pieces]
    bundles = tuple(
        (Frame(ZSTD_BASES, len(packed), (Item(piece, (2, 3, 4)),)),) for piece, packed in zip(pieces, data, strict=True)
    )
    named, pack = wrapped(new.manifest, PackIndex(old.swarm, bundles), data)
    return Packed(old, Release(new.manifest, new.encoded, new.data), named, pack)


def wrapped(release: Manifest, index: PackIndex, bundles: list[bytes]) -> tuple[Pack, Release]:
    """The artifact of an index and its bundles."""
    data = (index_codec.encode(index), *bundles)
    digest, size = digest_function(release.algorithm), sum(map(len, data))
    manifest = replace(
        release,
        profile=_PROFILE,
        digests=b"".join(map(digest, data)),
        lengths=array("I", map(len, data)),
        entries=(Entry("from.pack", FILE, 0o644, 0, size),),
        tree=False,
        health=None,
    )
    made = Release(manifest, codec.encode(manifest), data)
    return Pack(index.base, made.swarm, len(made.encoded), size), made


def prepared(store: Store, packs: Store, which: Packed, *, pieces: range | None = None) -> tuple[Patch, Artifact]:
    """The old release installed, the new one staged with what can be reused, the pack's pieces (all) fetched."""
    base = None
    if which.named.base:
        old = install(store, which.old, DESTINATION)
        base = Base(old.manifest, old)
    release = store.add(which.new.encoded, NEW_DESTINATION)
    for batch in store.reusable(release):
        store.reuse(release, batch)
    pack = packs.add(which.pack.encoded, PACK_FILE)
    for piece in range(which.pack.manifest.pieces) if pieces is None else pieces:
        packs.write_piece(pack, piece, which.pack.data[piece], "peer")
    return Patch(store, packs, release, pack, which.named, base), release
