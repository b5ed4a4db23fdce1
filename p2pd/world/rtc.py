"""The WebRTC seam: a stream to somebody whom nobody can dial, once a third party has carried two letters."""

from typing import Protocol

from .network import Stream


class Offer(Protocol):
    """Our side of a connection that is not there yet."""

    letter: bytes
    """To be carried to the other one."""

    async def connect(self, answer: bytes) -> Stream:
        """With the other one's letter: the stream, handshake done. OSError when no way is found; bounded in time."""
        ...

    async def aclose(self) -> None:
        """Give it up."""
        ...


class Reply(Protocol):
    """The other side's."""

    letter: bytes
    """To be carried back."""

    async def connect(self) -> Stream:
        """The stream, handshake not done; OSError when they don't come. Bounded in time."""
        ...


class Rtc(Protocol):
    """How to write and read such letters. OSError for a letter that can't be read."""

    async def offer(self) -> Offer:
        """Begin."""
        ...

    async def reply(self, letter: bytes) -> Reply:
        """To somebody's offer."""
        ...
