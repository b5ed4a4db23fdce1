"""One swarm by itself, where a policy is tuned: a shield with everything, and one peer for each link, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from random import Random

from p2pd.policy.dialing import DEGREE
from p2pd.wire import bits
from sim.net import Place
from sim.plan import parts_of

from .crowd import Crowd
from .meeting import Meetings
from .node import Node

ANNOUNCE_S = 5.0


@dataclass(frozen=True)
class Link:
    """A node's access: bytes a second up and down; what it adds to the one-way delay of all its ways, in seconds."""

    up_bytes_per_s: float
    down_bytes_per_s: float
    latency_s: float = 0.001


@dataclass
class Outcome:
    """Seconds until each peer was complete (in order, inf: never), pieces that left the shield, messages that
    travelled (blocks among them), and bytes that came twice."""

    finished_s: list[float]
    shield_pieces: int
    messages: int
    duplicates: int


def simulate(
    lengths: Sequence[int], links: Sequence[Link], *, shield: Link, rng_seed: int, until_s: float, degree: int = DEGREE
) -> Outcome:
    """Until all have everything or `until_s`; neighbours are dialled by the daemon's own rule, `degree` of them."""
    everybody = (shield, *links)
    slowest = min(link.up_bytes_per_s for link in everybody)
    crowd = Crowd(lengths, parts_of(max(lengths), slowest))
    nodes = [_node(number, link) for number, link in enumerate(everybody)]
    for node in nodes:
        crowd.add(node)
    rng = Random(rng_seed)
    meetings = Meetings(crowd, rng, ANNOUNCE_S, degree)
    for node in nodes:
        crowd.begin(node, bits.full(len(lengths)) if node.shield else 0, Random(rng.random()))
    for node in nodes:
        meetings.enter(node)
    for node in nodes:
        meetings.come(node)
    crowd.heap.run(until_s)
    return Outcome(
        [node.finish_s if isfinite(node.finish_s) else float("inf") for node in nodes[1:]],
        nodes[0].sent_pieces,
        crowd.messages,
        crowd.wasted_bytes,
    )


def _node(number: int, link: Link) -> Node:
    key = f"n{number:05d}" if number else "shield"
    place = Place(key, None, link.up_bytes_per_s, link.down_bytes_per_s, link.latency_s)
    return Node(key, place, 0, shield=not number)
