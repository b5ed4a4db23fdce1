"""The network seam: streams of bytes whose other end has a proven identity."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Identity:
    """Who is at the other end, as far as the transport proved it. All empty on a transport that proves nothing."""

    node: str = ""
    region: str = ""
    role: str = ""
    proven: bool = False


class Stream(Protocol):
    """A two-way stream. Errors are trio's: BrokenResourceError (they went), ClosedResourceError (we closed)."""

    identity: Identity
    remote_address: str
    """`host:port` of the other end, for messages."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send it all; returns when the transport took it."""
        ...

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What is there, at least one byte; empty at the end of the stream."""
        ...

    async def aclose(self) -> None:
        """Close both ways; never blocks for long."""
        ...


class Listener(Protocol):
    """A place where others dial us."""

    address: str
    """`host:port` as bound."""

    async def accept(self) -> Stream:
        """The next one who dialled."""
        ...

    async def aclose(self) -> None:
        """Stop listening."""
        ...


class Network(Protocol):
    """How to reach others."""

    async def dial(self, address: str) -> Stream:
        """Connect to `host:port`; OSError when nobody is there."""
        ...

    async def listen(self, address: str) -> Listener:
        """Listen at `host:port` (port 0: any free one); OSError when taken."""
        ...
