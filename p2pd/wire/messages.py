"""What two peers say to each other about the swarms they share.

One connection carries many swarms. Each side numbers the swarms that it joined on this connection with small
integers of its own, *channels*; a message carries its sender's channel. `docs/wire.md` is the normative text.

The bounds are part of the types: the codec refuses what breaks them while it decodes, before it costs memory.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

PROTOCOL_VERSION: Final = 1
SWARM_ID_BYTES: Final = 32
PIECES_MAX: Final = 4_000_000
"""Pieces of one manifest: 256 GB in 64 KiB chunks."""
HAVES_MAX: Final = 4_096
"""Pieces named in one message: a batch of 0.1 s at 2.5 GB/s in 64 KiB pieces."""
CHANNELS_MAX: Final = 256
"""Swarms joined on one connection at once."""
JOINED_PIECES_MAX: Final = 4_000_000
"""Pieces of all swarms joined on one connection: what we remember of a peer stays below 2 MB."""
HELLO_CHARS_MAX: Final = 256
"""Of every string in a Hello: enough for a host name, and a bound."""
HELLO_BYTES_MAX: Final = 8 * 1024
"""The frame of a Hello: who has not said who it is gets no more memory than this."""
MANIFEST_PART_BYTES_MAX: Final = 256 * 1024
"""As a block: one part never keeps other messages waiting for long."""
HELD_MAX: Final = 4
"""Manifests that a request for one may name as held: those of the last releases."""
REASON_CHARS_MAX: Final = 64

Channel = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""What a block's header can carry."""
Piece = Annotated[int, Meta(ge=0, lt=PIECES_MAX)]
Pieces = Annotated[tuple[Piece, ...], Meta(max_length=HAVES_MAX)]
SwarmId = Annotated[bytes, Meta(min_length=SWARM_ID_BYTES, max_length=SWARM_ID_BYTES)]
Text = Annotated[str, Meta(max_length=HELLO_CHARS_MAX)]
Amount = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Base of all peer messages: a MessagePack array whose first item is the name."""


class Hello(Message, frozen=True, tag="hello"):
    """First on every connection, from both sides."""

    version: Number
    fleet: Text
    node: Text
    region: Text
    role: Text
    address: Text


class Join(Message, frozen=True, tag="join"):
    """I am in this swarm, its channel is `channel`, and I have these pieces (big-endian bits; empty: none)."""

    channel: Channel
    swarm: SwarmId
    pieces: Annotated[int, Meta(ge=0, le=PIECES_MAX)]
    bitfield: Annotated[bytes, Meta(max_length=(PIECES_MAX + 7) // 8)]


class Leave(Message, frozen=True, tag="leave"):
    """I am no longer in the swarm of this channel."""

    channel: Channel


class Have(Message, frozen=True, tag="have"):
    """You may ask me for these pieces now. A super-seeding source names each piece to one peer first."""

    channel: Channel
    pieces: Pieces


class Lost(Message, frozen=True, tag="lost"):
    """I no longer have these (evicted, or found damaged on disk)."""

    channel: Channel
    pieces: Pieces


class Want(Message, frozen=True, tag="want"):
    """I miss these and know nobody who has them: name them to me if you have them."""

    channel: Channel
    pieces: Pieces


class Request(Message, frozen=True, tag="request"):
    """Send me this piece, whole. `lacking`: pieces that I have yet to get; 0: not said."""

    channel: Channel
    piece: Piece
    lacking: Annotated[int, Meta(ge=0, le=PIECES_MAX)] = 0


class Cancel(Message, frozen=True, tag="cancel"):
    """Don't, if it has not left yet."""

    channel: Channel
    piece: Piece


class Reject(Message, frozen=True, tag="reject"):
    """I won't send this piece now: `busy` (ask again later), `gone`, or `choked`."""

    channel: Channel
    piece: Piece
    reason: Annotated[str, Meta(max_length=REASON_CHARS_MAX)]


class ManifestRequest(Message, frozen=True, tag="manifest?"):
    """Send me this swarm's manifest (or small pack) from `offset`; as edits of one that I hold, if you can."""

    swarm: SwarmId
    offset: Amount
    held: Annotated[tuple[SwarmId, ...], Meta(max_length=HELD_MAX)] = ()


class ManifestPart(Message, frozen=True, tag="manifest"):
    """Bytes of a manifest at `offset`, of `total`; total 0: I don't have it. `base`: the one that they are edits of;
    empty: they are the manifest itself."""

    swarm: SwarmId
    offset: Amount
    total: Amount
    data: Annotated[bytes, Meta(max_length=MANIFEST_PART_BYTES_MAX)]
    base: Annotated[bytes, Meta(max_length=SWARM_ID_BYTES)] = b""


class Ping(Message, frozen=True, tag="ping"):
    """Still there? Answered by `Pong` with the same number."""

    number: Number


class Pong(Message, frozen=True, tag="pong"):
    """Still here."""

    number: Number


AnyMessage = (
    Hello | Join | Leave | Have | Lost | Want | Request | Cancel | Reject | ManifestRequest | ManifestPart | Ping | Pong
)
