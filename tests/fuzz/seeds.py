"""Good examples of everything, for a fuzzer to begin with, and the honest publisher against whom it lies."""

import json
import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from manifests import codec, edits
from manifests.authority import Authority, Signers
from manifests.blobs import BlobStore
from manifests.delta import codecs, index_codec, small
from manifests.delta.pack import RAW, XZ, ZSTD, ZSTD_BASES, Frame, Item, PackIndex
from manifests.delta.patches import Cover
from manifests.delta.plans import Change
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest, Profile
from manifests.tuf_api import CryptoSigner
from p2pd.attestation.structure import CLOCK_AND_FIRMWARE_BYTES, MAGIC, QUOTE, SHA256
from p2pd.goals import sign_as_director, sign_as_operator
from p2pd.identity.token import JoinToken
from p2pd.install.memory import Aim, Candidate, Memory
from p2pd.install.memory import encode as encode_memory
from p2pd.wire.announce import Goal, Goals
from p2pd.wire.codec import encode
from p2pd.wire.framing import block_head
from p2pd.wire.messages import Hello
from p2pd.world.network import Identity
from tests.manifests.factory import DIGEST, NOW, Publisher, make_manifest
from tests.p2pd.wire.examples import PEER_MESSAGES, TRACKER_MESSAGES

CORPUS: Final = Path(__file__).parent / "corpus"
HELLO: Final = Hello(1, "prod", "host-1", "eu", "daemon", "")
KEYS: Final = ("root", "targets", "online", "build", "release", "director", "operator")
PIECE_BYTES: Final = 2_000


@dataclass(frozen=True)
class Published:
    """One honest repository: its files, its pinned root, and the release that both parties signed."""

    root: bytes
    files: Mapping[str, bytes]
    now: float
    digest: bytes
    authority: Authority
    director: CryptoSigner
    operator: CryptoSigner
    manifest: Manifest
    index: PackIndex
    base: bytes


@cache
def published() -> Published:
    """Made once; the same keys in every process, so that a finding is one tomorrow."""
    keys = {name: CryptoSigner(Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())) for name in KEYS}
    publisher = Publisher(BlobStore("memory:///"), keys=dict(keys))
    publisher.repository.set_authority([keys["director"].public_key], [keys["operator"].public_key], keys["targets"])
    publisher.sign()
    publisher.promote()
    files = {path: publisher.store.get(path) for path in publisher.store.list("metadata")}
    director, operator = keys["director"], keys["operator"]
    authority = Authority(
        Signers({director.public_key.keyid: director.public_key}),
        Signers({operator.public_key.keyid: operator.public_key}),
    )
    base = bytes(range(250)) * (PIECE_BYTES // 250)
    return Published(
        publisher.root, files, NOW.timestamp(), DIGEST, authority, director, operator, _release(base), _index(), base
    )


def seeds(target: str) -> Iterator[bytes]:
    """A few good inputs of a target."""
    yield from _SEEDS[target]()


def write_corpus() -> int:
    """Put all seeds into the corpus; how many are new there."""
    new = 0
    for target in _SEEDS:
        for data in seeds(target):
            file = CORPUS / target / f"{sha256(data).hexdigest()[:16]}.bin"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
                new += 1
    return new


def wrapped(document: bytes) -> bytes:
    """A manifest's document as it is published: compressed, behind its digest."""
    return sha256(document).digest() + zstandard.ZstdCompressor(level=1).compress(document)


def unwrapped(encoded: bytes) -> bytes:
    """The document within a manifest's bytes."""
    return codec.document_of(encoded)


def _release(base: bytes) -> Manifest:
    pieces = [base, base[::-1], bytes(PIECE_BYTES), b"!" * PIECE_BYTES]
    return Manifest(
        "shop", "2.0", 2, "sha256", Profile("x", 1, PIECE_BYTES, PIECE_BYTES),
        b"".join(sha256(piece).digest() for piece in pieces), array("I", [PIECE_BYTES] * 4),
        (Entry("a", FILE, size=4 * PIECE_BYTES),), tree=False,
    )  # fmt: skip


def _index() -> PackIndex:
    patch = codecs.diff(bytes(PIECE_BYTES), bytes(PIECE_BYTES - 1) + b"!")
    return PackIndex(
        bytes(32),
        (
            (Frame(RAW, PIECE_BYTES, (Item(0),)),),
            (Frame(ZSTD, 100, (Item(1, (0,), len(patch)),)), Frame(XZ, 100, (Item(2),))),
            (Frame(ZSTD_BASES, 100, (Item(3, (0, 1)),)),),
        ),
    )


def _wire() -> Iterator[bytes]:
    hello = encode(HELLO)
    join, block = encode(PEER_MESSAGES[1]), block_head(1, 0, 0, 100) + bytes(100)
    yield hello
    yield hello + join + block
    yield hello + b"".join(encode(one) for one in PEER_MESSAGES[1:])
    yield hello + join + join
    yield block


def _messages() -> Iterator[bytes]:
    for message in (*PEER_MESSAGES, *TRACKER_MESSAGES):
        yield encode(message)[5:]


def _tracker() -> Iterator[bytes]:
    register = encode(TRACKER_MESSAGES[0]).replace(b"\xa4prod", b"\xa7default")
    register = struct.pack(">I", len(register) - 4) + register[4:]
    operator = register.replace(b"\xa6daemon", b"\xa8operator")
    operator = struct.pack(">I", len(operator) - 4) + operator[4:]
    rest = [encode(one) for one in TRACKER_MESSAGES[1:]]
    yield register
    yield register + b"".join(rest[:6])
    yield operator + b"".join(rest)
    for one in rest:
        yield register + one
        yield operator + one


def _goals() -> Iterator[bytes]:
    site, goal = published(), Goal("shop", "global", "shop@1.0", 7, at=1.9e9)
    signed = sign_as_director("default", goal, site.director, 1.9e9 + 1e5)
    back = sign_as_operator("default", Goal("shop", "eu", "shop@0.9", 8, True), site.operator)
    yield encode(Goals(7, (signed,)))[5:]
    yield encode(Goals(8, (goal, sign_as_director("default", back, site.director, 1.9e9 + 1e5))))[5:]
    yield encode_memory(Memory(aim=Aim("shop@1", 1), running=Candidate("shop@1", "releases/1"), failed={"shop@0": 1}))


def _manifest() -> Iterator[bytes]:
    for one in (make_manifest(), published().manifest):
        yield unwrapped(codec.encode(one))
        yield codec.encode(one)
        yield edits.make(codec.encode(published().manifest), codec.encode(replace(one, version="3"))) or b""


def _pack() -> Iterator[bytes]:
    index = index_codec.encode(published().index)
    yield index + bytes(len(index))
    yield index + published().base[: len(index)]
    bundle = published().base + codecs.compress(ZSTD, bytes(PIECE_BYTES), 3) + codecs.compress(XZ, bytes(9_000), 3)
    yield b"\x80" * len(bundle) + bundle
    changes = [Change(9, b"\1\2", b"ab"), Change(300, b"\3", b"c")]
    yield small.encode([0, 3], [1, 2], [Cover(0, 5, PIECE_BYTES + 99)], changes, bytes(PIECE_BYTES - 99), b"")


def _http() -> Iterator[bytes]:
    yield b"GET /metadata/timestamp.json HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
    yield b'GET http://a/chunks/00/ HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9\r\nIf-Range: "tag"\r\n\r\n' * 2
    yield b'HEAD /../x?y=1 HTTP/1.0\r\nConnection: keep-alive\r\nIf-None-Match: W/"tag", *\r\n\r\nGET'
    yield b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello"


def _metadata() -> Iterator[bytes]:
    for number, data in enumerate(published().files.values()):
        yield bytes([number % 6]) + data
    order = ("2.root", "timestamp", "2.snapshot", "3.targets", "1.build-shop", "1.release-shop")
    for number, name in enumerate(order):
        yield bytes([number]) + published().files.get(f"metadata/{name}.json", b"{}")


def _config() -> Iterator[bytes]:
    yield b'listen = "127.0.0.1:0"\nregion = "eu"\n[services.shop]\nrestart = ["true"]\nkeep_releases = 3\n'
    yield b'upload_bytes_per_s = "10 MiB/s"\norigins = ["http://a:1"]\ntrackers = ["a:1", "b:2"]\n'
    yield b'lease_s = "30s"\nconnections_max = 10\nupstream = "a:1"\n'


def _papers() -> Iterator[bytes]:
    yield JoinToken(bytes(32), bytes(32), Identity("host-1", "eu", "daemon", fleet="default")).text().encode()
    yield b"v\x001\x00node\x00a\x00fleet\x00b\x00h0\x00" + bytes(range(1, 65))
    yield b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
    yield json.dumps({"a": 1}).encode()


def _attestation() -> Iterator[bytes]:
    head = struct.pack(">IHHHH", MAGIC, QUOTE, 2, 0, 32) + bytes(32 + CLOCK_AND_FIRMWARE_BYTES)
    yield head + struct.pack(">IHB", 1, SHA256, 3) + b"\x81\0\0" + struct.pack(">H", 32) + bytes(32)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    yield key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


_SEEDS: Final = {
    "wire": _wire,
    "messages": _messages,
    "tracker": _tracker,
    "goals": _goals,
    "manifest": _manifest,
    "pack": _pack,
    "http": _http,
    "metadata": _metadata,
    "config": _config,
    "papers": _papers,
    "attestation": _attestation,
}
