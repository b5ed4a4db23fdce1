"""Messages to frames and back; any bytes give a message or RemoteProtocolError, nothing else."""

from typing import Final, TypeVar, cast

import msgspec

from .announce import AnyTrackerMessage, TrackerMessage
from .errors import RemoteProtocolError
from .framing import control_frame
from .messages import AnyMessage, Message

_encoder: Final = msgspec.msgpack.Encoder()
_peer_decoder: Final[msgspec.msgpack.Decoder[AnyMessage]] = msgspec.msgpack.Decoder(AnyMessage)
_tracker_decoder: Final = msgspec.msgpack.Decoder(AnyTrackerMessage)
T = TypeVar("T")


def encode(message: Message | TrackerMessage) -> bytes:
    """One whole control frame."""
    return control_frame(_encoder.encode(message))


def decode_peer(body: bytes) -> AnyMessage:
    """A peer's message from a control frame's body."""
    return _decode(_peer_decoder, body)


def decode_tracker(body: bytes) -> AnyTrackerMessage:
    """A tracker message from a control frame's body."""
    return cast("AnyTrackerMessage", _decode(_tracker_decoder, body))


def _decode(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"not a message: {error}") from None
