"""Where hosts are: places within places (a rack or a home in a region in the world), each behind a link of its own.

What leaves a place goes through its link up, what enters it through its link down; what stays inside uses neither. So
a region is a place whose link is its share of the backbone, a home or an office one whose link is its access to the
internet and behind which nobody can be dialled (`nat`), and a host's own place is its network card.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import inf

from p2pd.policy.pacing import slice_bytes
from p2pd.policy.serving import SENDS_MIN


@dataclass(frozen=True, eq=False)
class Place:
    """Rates in bytes a second; `latency_s` is what its link adds in each direction."""

    name: str
    inside: "Place | None" = None
    up_bytes_per_s: float = inf
    down_bytes_per_s: float = inf
    latency_s: float = 0.0
    nat: bool = False

    def __repr__(self) -> str:
        return f"<Place {self.name}{f' in {self.inside.name}' if self.inside else ''}>"

    def upwards(self) -> Iterator["Place"]:
        """Itself, and the places around it."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.inside


@dataclass(frozen=True)
class Route:
    """From one host to another: the places left and entered in this order, and the delay of it all."""

    left: tuple[Place, ...]
    entered: tuple[Place, ...]
    latency_s: float

    def window_bytes(self, part_bytes: float, dilution: float = 1.0) -> float:
        """What a connection may have under way of pieces that travel in such parts, sent and not yet there: what the
        kernel leaves unsent (`p2pd.world.tcp`) or two parts, and bandwidth x round trip. Of rates that were divided
        by `dilution`."""
        up = min((place.up_bytes_per_s for place in self.left), default=inf)
        down = min((place.down_bytes_per_s for place in self.entered), default=inf)
        unsent = slice_bytes(up * dilution / SENDS_MIN) / dilution
        return max(unsent, 2 * part_bytes) + (2 * self.latency_s * min(up, down) if self.latency_s else 0.0)

    @property
    def reachable(self) -> bool:
        """Can the far end be dialled from here? Not behind a NAT."""
        return not any(place.nat for place in self.entered)


@lru_cache(maxsize=100_000)
def route(source: Place, destination: Place) -> Route:
    """Up to the first place that holds both, and down again."""
    here, there = list(source.upwards()), list(destination.upwards())
    left = tuple(place for place in here if place not in there)
    entered = tuple(place for place in reversed(there) if place not in here)
    return Route(left, entered, sum(place.latency_s for place in (*left, *entered)))
