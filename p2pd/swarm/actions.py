"""What the brain wants done; the body does it, in this order, and tells the brain what came of it."""

from dataclasses import dataclass

from p2pd.wire.messages import AnyMessage


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to a peer. Its channel is filled in by the body, which numbers the channels."""

    peer: str
    message: AnyMessage


@dataclass(frozen=True, slots=True)
class Serve:
    """A peer asked for a piece that we have: queue it."""

    peer: str
    piece: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A peer no longer wants a piece: take it out of the queue."""

    peer: str
    piece: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch a piece from an HTTP origin; answer with `delivered` or `failed` for the peer `ORIGIN`."""

    piece: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection to a peer that broke the rules."""

    peer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Complete:
    """Every piece is present."""


Action = Send | Serve | Withdraw | Fetch | Drop | Complete
