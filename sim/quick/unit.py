"""What travels through links: a part of a piece, and the messages that were said behind it."""

from collections.abc import Sequence

from p2pd.swarm.uploads import Owed
from p2pd.wire.messages import AnyMessage


class Unit:
    """`piece`: what is whole when this has arrived, None for all but the last part. `stage`: how far it is."""

    __slots__ = ("cost", "followers", "piece", "stage")

    def __init__(self, cost: float, piece: Owed | None) -> None:
        self.cost, self.piece, self.stage = cost, piece, -1
        self.followers: list[Sequence[AnyMessage]] = []

    def __repr__(self) -> str:
        return f"<Unit of {self.cost:.0f} bytes at stage {self.stage}>"
