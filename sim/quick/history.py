"""Who met whom, and when, as in a run of real daemons: then nothing is left that the two could differ in.

Without it tier 2 has its own model of the way into the swarm (`meeting.py`). With it, what is compared is what the
brains did, message for message.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from sim.errors import ScenarioError
from sim.net.place import route
from sim.plan import COMMAND_S

from .crowd import Crowd
from .node import Node

ARRAYS: Final = ("began_s", "met")


class History:
    """`nodes`: hosts, then seeders, as the arrays number them."""

    def __init__(self, crowd: Crowd, nodes: Sequence[Node], arrays: Mapping[str, Any]) -> None:
        if not all(name in arrays for name in ARRAYS) or len(arrays["began_s"]) != len(nodes):
            raise ScenarioError("like: that is no run of the same hosts by the engine fleet")
        self._crowd, self._nodes, self._arrays = crowd, nodes, arrays

    def began_at(self, number: int) -> float:
        """When a node was in the swarm, on the clock; nan: never."""
        return COMMAND_S + float(self._arrays["began_s"][number])

    def book(self) -> None:
        """Let all of it happen. Call after the beginnings were booked: they come before meetings of the same time."""
        met = np.asarray(self._arrays["met"], dtype=np.float64)
        for at_s, one, other in met[np.argsort(met[:, 0], kind="stable")].tolist():
            learner, known = self._nodes[int(one)], self._nodes[int(other)]
            self._crowd.link(learner, known)
            at, latency_s = COMMAND_S + at_s, route(learner.place, known.place).latency_s
            heard: list[int] = []
            self._crowd.heap.at(at - latency_s, self._say, known, heard)
            self._crowd.heap.at(at, self._hear, learner, known, heard)

    def _say(self, known: Node, heard: list[int]) -> None:
        heard.append(known.brain.opening_bits() if known.brain is not None else 0)

    def _hear(self, learner: Node, known: Node, heard: Sequence[int]) -> None:
        self._crowd.join(learner, known, heard[0])
