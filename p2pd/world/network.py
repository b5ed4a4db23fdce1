"""The network seam: streams of bytes whose other end has a proven identity."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from p2pd.policy.yielding import Transit

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Identity:
    """Who is at the other end, as far as the transport proved it. All empty on a transport that proves nothing.

    `products`: patterns of the products whose releases it may have; none: all. `stranger`: it could have shown a
    certificate on this transport and did not: it may ask for one, and nothing else. `attestation`: by which key it says
    what it runs (`tpm:` or `software:`, and the key's digest in hex; '': by none).
    """

    node: str = ""
    region: str = ""
    role: str = ""
    proven: bool = False
    fleet: str = ""
    products: tuple[str, ...] = ()
    stranger: bool = False
    attestation: str = ""


class UnprovenError(ConnectionError):
    """Who answers did not prove to be whom we want to speak to, or would not take us."""


class Stream(Protocol):
    """A two-way stream. Errors are trio's: BrokenResourceError (they went), ClosedResourceError (we closed).

    One task may send while another receives.
    """

    identity: Identity
    """Known after `handshake`."""
    remote_address: str
    """`host:port` of the other end, for messages."""

    async def handshake(self) -> None:
        """Prove to each other who both are; before anything else on a stream that was accepted (a dialled one has
        done it). Bounded in time; BrokenResourceError says who did not prove what."""
        ...

    async def send_all(self, *parts: Buffer) -> None:
        """Send all parts, one after the other; returns when the transport took them."""
        ...

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What is there, at least one byte; empty at the end of the stream."""
        ...

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """The same into the beginning of a buffer of at least one byte: how many bytes; 0 at the end.

        `least`: fewer are of no use to the caller, who need not be woken for them. A hint: fewer may come.
        """
        ...

    async def aclose(self) -> None:
        """Close both ways; never blocks for long."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A stream that knows how it fares on its way. Not all do."""

    def transit(self) -> Transit | None:
        """What is known; None when nothing is (any more)."""
        ...

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Let bytes leave evenly, no faster than that; let few come that are not read at once; ask routers to let
        others go first."""
        ...


class Listener(Protocol):
    """A place where others dial us."""

    address: str
    """`host:port` as bound."""

    async def accept(self) -> Stream:
        """The next one who dialled; do the `handshake` in a task of its own."""
        ...

    async def aclose(self) -> None:
        """Stop listening."""
        ...


class Network(Protocol):
    """How to reach others."""

    url_scheme: str
    """What a URL begins with whose server is reached over this network: `http`, or `fleet` (HTTP over the fleet's own
    TLS, where certificates name members and no hosts)."""

    async def dial(self, address: str) -> Stream:
        """Connect to `host:port`; OSError when nobody is there, or nobody who proves to be of our fleet."""
        ...

    async def listen(self, address: str, *, strangers: bool = False) -> Listener:
        """Listen at `host:port` (port 0: any free one); OSError when taken. `strangers` may come in too."""
        ...

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """Take signed lists of certificates that do not count any more: who shows one is let in no longer, and
        connections of theirs end. Lists that the fleet's own authority did not sign, or older ones, change nothing.
        The lists in force then."""
        ...
