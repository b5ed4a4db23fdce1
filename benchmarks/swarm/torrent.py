"""A .torrent file of one file, as BEP 3 has it. Pure."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

Bencoded = int | bytes | str | list["Bencoded"] | dict[str, "Bencoded"]


@dataclass(frozen=True)
class Torrent:
    """`encoded`: the file's bytes. `info_hash`: 20 bytes."""

    encoded: bytes
    info_hash: bytes


def bencode(value: Bencoded) -> bytes:
    """BEP 3; the keys of a dictionary are sorted as bytes."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    items = sorted((key.encode(), part) for key, part in value.items())
    return b"d" + b"".join(bencode(key) + bencode(part) for key, part in items) + b"e"


def torrent_of(content: Path, announce: str, piece_bytes: int) -> Torrent:
    """Of a file, private: peers come from this tracker only. The whole file is read."""
    pieces = bytearray()
    with content.open("rb") as file:
        while part := file.read(piece_bytes):
            pieces += hashlib.sha1(part).digest()
    info: dict[str, Bencoded] = {
        "length": content.stat().st_size,
        "name": content.name,
        "piece length": piece_bytes,
        "pieces": bytes(pieces),
        "private": 1,
    }
    return Torrent(bencode({"announce": announce, "info": info}), hashlib.sha1(bencode(info)).digest())
