"""The peer protocol as one table: what may be said when, and what a connection remembers. Pure.

    state     they may send                                                   then
    OPENING   Hello (same fleet, same version)                                OPEN
    OPEN      Join of a swarm that they have not joined here                  their channel is known
    OPEN      Leave, Have, Lost, Want, Request, Cancel, Reject, block         the channel is known, pieces in its range
    OPEN      ManifestRequest, ManifestPart, Ping, Pong                       any time
    OPEN      a second Hello; a known channel or a known swarm joined again   RemoteProtocolError

The same rules hold for what we send (LocalProtocolError). A channel belongs to the side that numbered it: a `Request`
on their channel 3 is for the swarm that *they* joined as 3.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from . import bits as bitset
from .codec import decode_peer, encode
from .errors import LocalProtocolError, RemoteProtocolError
from .framing import FRAME_BYTES_MAX, Block, block_head
from .inplace import InPlaceReader
from .messages import (
    CHANNELS_MAX,
    HELLO_BYTES_MAX,
    JOINED_PIECES_MAX,
    PROTOCOL_VERSION,
    AnyMessage,
    Cancel,
    Have,
    Hello,
    Join,
    Leave,
    Lost,
    ManifestPart,
    ManifestRequest,
    Ping,
    Pong,
    Reject,
    Request,
    Want,
)


class Joined(msgspec.Struct, frozen=True, gc=False):
    """They are in this swarm and hold `bits` of its `pieces`."""

    swarm: bytes
    pieces: int
    bits: int


class Left(msgspec.Struct, frozen=True, gc=False):
    """They are in this swarm no longer."""

    swarm: bytes


class About(msgspec.Struct, frozen=True, gc=False):
    """A message about a swarm that they joined."""

    swarm: bytes
    message: AnyMessage


class BlockReceived(msgspec.Struct, frozen=True, gc=False):
    """Bytes of a piece of a swarm that they joined."""

    swarm: bytes
    piece: int
    offset: int
    data: bytes | bytearray | memoryview


Event = Hello | Joined | Left | About | BlockReceived | ManifestRequest | ManifestPart | Ping | Pong

Place = Callable[[bytes, int, int, int], memoryview | None]


@dataclass(slots=True)
class _Channel:
    swarm: bytes
    pieces: int


class PeerConnection:
    """One side of one connection. `receive` what arrives; the other methods give bytes to send.

    `place`: where a block of this swarm, piece, offset and length belongs, as `inplace` has it.
    """

    def __init__(self, hello: Hello, place: Place | None = None) -> None:
        self._hello, self._place = hello, place
        self._reader = InPlaceReader(HELLO_BYTES_MAX, self._place_block)
        self._theirs: dict[int, _Channel] = {}
        self._ours: dict[bytes, int] = {}
        self._next_channel = 0
        self.remote: Hello | None = None

    def __repr__(self) -> str:
        who = self.remote.node[:8] if self.remote else "opening"
        return f"<PeerConnection {who} ours {len(self._ours)} theirs {len(self._theirs)}>"

    # -- they ---------------------------------------------------------------------------------------------------

    def space(self) -> memoryview:
        """Where to receive the next bytes; blocks that came before, and had no place, are void from now on."""
        return self._reader.space()

    @property
    def lacking(self) -> int:
        """Fewer bytes than these, at least one, end nothing that has begun."""
        return self._reader.lacking

    def received(self, count: int) -> Iterator[Event]:
        """What so many bytes there mean, in order; RemoteProtocolError at the first thing that may not be."""
        for frame in self._reader.received(count):
            if isinstance(frame, Block):
                yield self._block(frame)
            else:
                yield self._message(decode_peer(frame))

    def receive(self, data: bytes | bytearray) -> Iterator[Event]:
        """The same for bytes that lie elsewhere, which are copied; what it gives may be kept."""
        rest = memoryview(data)
        while rest:
            space = self.space()
            count = min(len(space), len(rest))
            space[:count], rest = rest[:count], rest[count:]
            for event in self.received(count):
                if isinstance(event, BlockReceived):
                    yield msgspec.structs.replace(event, data=bytes(event.data))
                else:
                    yield event

    def _message(self, message: AnyMessage) -> Event:
        if self.remote is None:
            return self._first(message)
        match message:  # in the order of how often each comes
            case Have() | Lost() | Want():
                channel, pieces = self._channel(message.channel), message.pieces
                if pieces and max(pieces) >= channel.pieces:
                    raise RemoteProtocolError(f"{type(message).__name__} names a piece beyond {channel.pieces}")
                return About(channel.swarm, message)
            case Request() | Cancel() | Reject():
                return About(self._piece_of(message.channel, message.piece), message)
            case ManifestRequest() | ManifestPart() | Ping() | Pong():
                return message
            case Join():
                return self._join(message)
            case Leave():
                return Left(self._left(message.channel))
            case Hello():
                raise RemoteProtocolError("a second Hello")

    def _first(self, message: AnyMessage) -> Event:
        if not isinstance(message, Hello):
            raise RemoteProtocolError(f"{type(message).__name__} before Hello")
        if message.version != PROTOCOL_VERSION:
            raise RemoteProtocolError(f"protocol version {message.version}, {PROTOCOL_VERSION} spoken here")
        if message.fleet != self._hello.fleet:
            raise RemoteProtocolError(f"a node of fleet {message.fleet[:64]!r}, this is {self._hello.fleet!r}")
        if not message.node:
            raise RemoteProtocolError("a Hello without a node")
        self.remote = message
        self._reader.frame_bytes_max = FRAME_BYTES_MAX
        return message

    def _join(self, message: Join) -> Joined:
        if message.channel in self._theirs:
            raise RemoteProtocolError(f"channel {message.channel} joined twice")
        if len(self._theirs) >= CHANNELS_MAX:
            raise RemoteProtocolError(f"more than {CHANNELS_MAX} swarms on one connection")
        if any(channel.swarm == message.swarm for channel in self._theirs.values()):
            raise RemoteProtocolError(f"swarm {message.swarm.hex()[:16]} joined twice")
        if sum(channel.pieces for channel in self._theirs.values()) + message.pieces > JOINED_PIECES_MAX:
            raise RemoteProtocolError(f"more than {JOINED_PIECES_MAX} pieces in all swarms of one connection")
        bits = bitset.from_bitfield(message.bitfield, message.pieces)
        self._theirs[message.channel] = _Channel(message.swarm, message.pieces)
        return Joined(message.swarm, message.pieces, bits)

    def _block(self, block: Block) -> BlockReceived:
        if self.remote is None:
            raise RemoteProtocolError("a block before Hello")
        swarm = self._piece_of(block.channel, block.piece)
        return BlockReceived(swarm, block.piece, block.offset, block.data)

    def _place_block(self, number: int, piece: int, offset: int, length: int) -> memoryview | None:
        """What may not be said is refused when it is whole."""
        channel = self._theirs.get(number)
        if channel is None or self._place is None or piece >= channel.pieces:
            return None
        return self._place(channel.swarm, piece, offset, length)

    def _channel(self, number: int) -> _Channel:
        channel = self._theirs.get(number)
        if channel is None:
            raise RemoteProtocolError(f"channel {number} was not joined")
        return channel

    def _left(self, number: int) -> bytes:
        channel = self._channel(number)
        del self._theirs[number]
        return channel.swarm

    def _piece_of(self, number: int, piece: int) -> bytes:
        channel = self._channel(number)
        if piece >= channel.pieces:
            raise RemoteProtocolError(f"piece {piece} of {channel.pieces}")
        return channel.swarm

    # -- we -----------------------------------------------------------------------------------------------------

    def hello(self) -> bytes:
        """Our first frame."""
        return encode(self._hello)

    def joined(self, swarm: bytes) -> bool:
        """We joined this swarm here."""
        return swarm in self._ours

    def join(self, swarm: bytes, pieces: int, bits: int) -> bytes:
        """We are in this swarm, holding `bits`."""
        if swarm in self._ours:
            raise LocalProtocolError("joined twice")
        self._next_channel += 1
        self._ours[swarm] = self._next_channel
        return encode(Join(self._next_channel, swarm, pieces, bitset.to_bitfield(bits, pieces)))

    def leave(self, swarm: bytes) -> bytes:
        """We are in this swarm no longer."""
        channel = self._our_channel(swarm)
        del self._ours[swarm]
        return encode(Leave(channel))

    def about(self, swarm: bytes, message: AnyMessage) -> bytes:
        """A message about a swarm that we joined; its channel is filled in."""
        return encode(msgspec.structs.replace(message, channel=self._our_channel(swarm)))

    def plain(self, message: ManifestRequest | ManifestPart | Ping | Pong) -> bytes:
        """A message that is about no channel."""
        return encode(message)

    def block_head(self, swarm: bytes, piece: int, offset: int, length: int) -> bytes:
        """What precedes `length` raw bytes of a piece."""
        return block_head(self._our_channel(swarm), piece, offset, length)

    def _our_channel(self, swarm: bytes) -> int:
        channel = self._ours.get(swarm)
        if channel is None:
            raise LocalProtocolError("a swarm that we have not joined here")
        return channel
