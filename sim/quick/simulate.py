"""One swarm by itself, where a policy is tuned: a shield with everything, and one peer for each link, all at once.

Peers may stand in sites, each behind a link of its own that they share, and to the tracker a region of its own, or one
of several LANs of a region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from random import Random
from types import MappingProxyType

from p2pd.policy.dialing import DEGREE
from p2pd.wire import bits
from sim.net import Place
from sim.plan import parts_of

from .crowd import Crowd
from .heap import uncollected
from .meeting import Meetings
from .node import Node

ANNOUNCE_S = 5.0


@dataclass(frozen=True)
class Link:
    """A node's or a site's access: bytes a second up and down; what it adds to the one-way delay of all ways through
    it, in seconds. `site`: where the node stands; '': in none."""

    up_bytes_per_s: float
    down_bytes_per_s: float
    latency_s: float = 0.001
    site: str = ""


@dataclass
class Outcome:
    """Seconds until each peer was complete (in order, inf: never), pieces that left the shield, messages that
    travelled (blocks among them), and bytes that came twice. `entered_bytes`: pieces through each site's link."""

    finished_s: list[float]
    shield_pieces: int
    messages: int
    duplicates: int
    entered_bytes: Mapping[str, int]


def simulate(
    lengths: Sequence[int],
    links: Sequence[Link],
    *,
    shield: Link,
    rng_seed: int,
    until_s: float,
    degree: int = DEGREE,
    sites: Mapping[str, Link] = MappingProxyType({}),
    lans: bool = False,
    deaths: Mapping[int, float] = MappingProxyType({}),
) -> Outcome:
    """Until all have everything or `until_s`; neighbours are dialled by the daemon's own rule, `degree` of them.
    `lans`: the sites are no regions, but their hosts hear each other. `deaths`: when the process of a peer (by its
    place in `links`) ends for good."""
    everybody = (shield, *links)
    slowest = min(link.up_bytes_per_s for link in everybody)
    crowd = Crowd(lengths, parts_of(max(lengths), slowest))
    places = {name: _place(name, None, link) for name, link in sites.items()}
    nodes = [_node(number, link, places, lans=lans) for number, link in enumerate(everybody)]
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
    for number, at in deaths.items():
        crowd.heap.at(at, _die, crowd, meetings, nodes[1 + number])
    with uncollected():
        crowd.heap.run(until_s)
    return Outcome(
        [node.finish_s if isfinite(node.finish_s) else float("inf") for node in nodes[1:]],
        nodes[0].sent_pieces,
        crowd.messages,
        crowd.wasted_bytes,
        {name: crowd.entered_bytes.get(_where(name, places, lans=lans), 0) for name in places},
    )


def _place(name: str, inside: Place | None, link: Link) -> Place:
    return Place(name, inside, link.up_bytes_per_s, link.down_bytes_per_s, link.latency_s)


def _node(number: int, link: Link, places: Mapping[str, Place], *, lans: bool) -> Node:
    key = f"n{number:05d}" if number else "shield"
    region, lan = _where(link.site, places, lans=lans)
    return Node(key, _place(key, places.get(link.site), link), region, shield=not number, lan=lan)


def _where(site: str, places: Mapping[str, Place], *, lans: bool) -> tuple[int, int]:
    """Region and LAN of who stands there."""
    number = 1 + list(places).index(site) if site else 0
    return (0, number) if lans else (number, 0)


def _die(crowd: Crowd, meetings: Meetings, node: Node) -> None:
    """Its process ends: the neighbours' kernels are told at once."""
    unfinished = node.finish_s != node.finish_s
    neighbours = [crowd.nodes[key] for key in node.ways]
    meetings.die(node)
    for other in neighbours:
        crowd.part(other, node)
    if unfinished:
        crowd.finished()
