"""What two peers say to each other about the swarms they share.

One connection carries many swarms. Each side numbers the swarms that it joined on this connection with small
integers of its own, *channels*; a message carries its sender's channel. `docs/wire.md` is the normative text.
"""

from typing import Final

import msgspec

PROTOCOL_VERSION: Final = 1
SWARM_ID_BYTES: Final = 32
PIECES_MAX: Final = 4_000_000
"""Pieces of one manifest: 256 GB in 64 KiB chunks."""
HAVES_MAX: Final = 4_096
"""Pieces named in one message: a batch of 0.1 s at 2.5 GB/s in 64 KiB pieces."""
CHANNELS_MAX: Final = 256
"""Swarms joined on one connection at once."""


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Base of all peer messages: a MessagePack array whose first item is the name."""


class Hello(Message, frozen=True, tag="hello"):
    """First on every connection, from both sides."""

    version: int
    fleet: str
    node: str
    region: str
    role: str
    address: str


class Join(Message, frozen=True, tag="join"):
    """I am in this swarm, its channel is `channel`, and I have these pieces (big-endian bits; empty: none)."""

    channel: int
    swarm: bytes
    pieces: int
    bitfield: bytes


class Leave(Message, frozen=True, tag="leave"):
    """I am no longer in the swarm of this channel."""

    channel: int


class Have(Message, frozen=True, tag="have"):
    """You may ask me for these pieces now. A super-seeding source names each piece to one peer first."""

    channel: int
    pieces: tuple[int, ...]


class Lost(Message, frozen=True, tag="lost"):
    """I no longer have these (evicted, or found damaged on disk)."""

    channel: int
    pieces: tuple[int, ...]


class Want(Message, frozen=True, tag="want"):
    """I miss these and know nobody who has them: name them to me if you have them."""

    channel: int
    pieces: tuple[int, ...]


class Request(Message, frozen=True, tag="request"):
    """Send me this piece, whole."""

    channel: int
    piece: int


class Cancel(Message, frozen=True, tag="cancel"):
    """Don't, if it has not left yet."""

    channel: int
    piece: int


class Reject(Message, frozen=True, tag="reject"):
    """I won't send this piece now: `busy` (ask again later), `gone`, or `choked`."""

    channel: int
    piece: int
    reason: str


class ManifestRequest(Message, frozen=True, tag="manifest?"):
    """Send me this swarm's manifest from `offset`."""

    swarm: bytes
    offset: int


class ManifestPart(Message, frozen=True, tag="manifest"):
    """Bytes of a manifest at `offset`, of `total`; total 0: I don't have it."""

    swarm: bytes
    offset: int
    total: int
    data: bytes


class Ping(Message, frozen=True, tag="ping"):
    """Still there? Answered by `Pong` with the same number."""

    number: int


class Pong(Message, frozen=True, tag="pong"):
    """Still here."""

    number: int


AnyMessage = (
    Hello | Join | Leave | Have | Lost | Want | Request | Cancel | Reject | ManifestRequest | ManifestPart | Ping | Pong
)
