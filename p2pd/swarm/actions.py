"""What the brain wants done; the body does it, in this order, and tells the brain what came of it."""

import msgspec

from p2pd.wire.messages import AnyMessage


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send a message to a peer. Its channel is filled in by the body, which numbers the channels."""

    peer: str
    message: AnyMessage


class Serve(msgspec.Struct, frozen=True, gc=False):
    """A peer asked for a piece that we have: queue it. `lacks`: what share of the pieces it has yet to get."""

    peer: str
    piece: int
    lacks: float


class Withdraw(msgspec.Struct, frozen=True, gc=False):
    """A peer no longer wants a piece: take it out of the queue."""

    peer: str
    piece: int


class Fetch(msgspec.Struct, frozen=True, gc=False):
    """Fetch a piece from an HTTP origin; answer with `delivered` or `failed` for the peer `ORIGIN`."""

    piece: int


class Drop(msgspec.Struct, frozen=True, gc=False):
    """Close the connection to a peer that broke the rules."""

    peer: str
    reason: str


class Complete(msgspec.Struct, frozen=True, gc=False):
    """Every piece is present."""


Action = Send | Serve | Withdraw | Fetch | Drop | Complete
