"""Tracker messages over a stream; the one place where bytes of a tracker connection become messages."""

from collections import deque
from typing import Final

import trio

from .wire.announce import AnyTrackerMessage, TrackerMessage, check
from .wire.codec import decode_tracker, encode
from .wire.errors import RemoteProtocolError
from .wire.framing import CONTROL_BYTES_MAX, Block, FrameReader
from .world.network import Identity, Stream

RECEIVE_BYTES: Final = 64 * 1024


class ConnectionEndedError(ConnectionError):
    """The other side closed, or the connection broke. The world's fault: try again."""


class TrackerStream:
    """Messages out, checked messages in. One task may send while another receives."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._reader = FrameReader(CONTROL_BYTES_MAX + 1)
        self._received: deque[AnyTrackerMessage] = deque()

    def __repr__(self) -> str:
        return f"<TrackerStream to {self._stream.remote_address}>"

    @property
    def identity(self) -> Identity:
        """Who the transport says is there."""
        return self._stream.identity

    @property
    def remote_address(self) -> str:
        """`host:port` of the other end."""
        return self._stream.remote_address

    @property
    def has_more(self) -> bool:
        """Whether the next message is here already."""
        return bool(self._received)

    async def send(self, *messages: TrackerMessage) -> None:
        """Send them in one go; ConnectionEndedError when the other side is gone."""
        await self.send_frames(b"".join(map(encode, messages)))

    async def send_frames(self, frames: bytes | bytearray) -> None:
        """The same for messages that were encoded before (one push to many)."""
        try:
            await self._stream.send_all(frames)
        except trio.BrokenResourceError as error:
            raise ConnectionEndedError(f"{self.remote_address}: connection broken ({error})") from error

    async def receive(self) -> AnyTrackerMessage:
        """The next message. ConnectionEndedError at the end, RemoteProtocolError for what is none or breaks a bound."""
        while not self._received:
            try:
                data = await self._stream.receive_some(RECEIVE_BYTES)
            except trio.BrokenResourceError as error:
                raise ConnectionEndedError(f"{self.remote_address}: connection broken ({error})") from error
            if not data:
                raise ConnectionEndedError(f"{self.remote_address} closed the connection")
            self._received.extend(map(_message, self._reader.feed(bytes(data))))
        return self._received.popleft()

    async def aclose(self) -> None:
        """Close both ways."""
        await self._stream.aclose()


def _message(frame: bytes | Block) -> AnyTrackerMessage:
    if isinstance(frame, Block):
        raise RemoteProtocolError("a block of a piece on a tracker connection")
    message = decode_tracker(frame)
    check(message)
    return message
