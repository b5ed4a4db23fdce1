"""What travels through links: a part of a piece, and the messages that were said behind it."""

from typing import TYPE_CHECKING

from p2pd.swarm.uploads import Owed
from p2pd.wire.messages import AnyMessage

from .heap import Deed

if TYPE_CHECKING:
    from .way import Way


class Unit(Deed):
    """On `way`. `piece`: what is whole when this has arrived, None for all but the last part. `stage`: how far it is.
    `behind`: the next one of its way at the link that it waits for."""

    __slots__ = ("behind", "cost", "followers", "piece", "stage", "way")

    def __init__(self, way: "Way", cost: float, piece: Owed | None) -> None:
        self.way, self.cost, self.piece, self.stage = way, cost, piece, -1
        self.followers: list[list[AnyMessage]] | None = None
        self.behind: Unit | None = None

    def __repr__(self) -> str:
        return f"<Unit of {self.cost:.0f} bytes at stage {self.stage}>"

    def do(self) -> None:
        """A link or the latency is behind it, or it is its turn to be read."""
        self.way.moved(self)
