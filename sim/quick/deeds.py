"""What a node's tasks do at some time, for the crowd."""

from math import inf
from typing import TYPE_CHECKING

from p2pd.wire.messages import AnyMessage

from .heap import Deed
from .node import Node
from .way import Way

if TYPE_CHECKING:
    from .crowd import Crowd


class Arrival(Deed):
    """Messages arrive, and nothing else with them. What is posted one right after another, for one time, is one deed:
    news goes to all neighbours at once, and often comes at once."""

    __slots__ = ("_crowd", "said", "ways", "when")

    def __init__(self, crowd: "Crowd", when: float) -> None:
        self._crowd, self.when = crowd, when
        self.ways: list[Way] = []
        self.said: list[list[AnyMessage]] = []
        """On each of these ways."""

    def do(self) -> None:
        """Tell."""
        self.when = inf  # nothing can be added to it any more
        for number, way in enumerate(self.ways):
            self._crowd.heard(way, self.said[number])
            self._crowd.write_all()


class Stored(Deed):
    """The job that verifies and writes has ended, of which nobody waited."""

    __slots__ = ("_crowd", "_node", "_piece")

    def __init__(self, crowd: "Crowd", node: Node, piece: int) -> None:
        self._crowd, self._node, self._piece = crowd, node, piece

    def do(self) -> None:
        """Tell."""
        self._crowd.stored(self._node, self._piece)


class Timekeeping(Deed):
    """A node's timekeeper is woken (`when`: -inf), or wakes, unless it was told another time meanwhile."""

    __slots__ = ("_crowd", "_node", "_when")

    def __init__(self, crowd: "Crowd", node: Node, when: float = -inf) -> None:
        self._crowd, self._node, self._when = crowd, node, when

    def do(self) -> None:
        """Look."""
        if self._when == -inf or self._when == self._node.timer_at:
            self._crowd.keep_time(self._node)
