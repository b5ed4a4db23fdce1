"""Where a node is: REGION, REGION/ZONE or REGION/ZONE/RACK, as its certificate says; and how near two of them are.

Each level is behind a link that its nodes share, narrower from outside than within. What concerns a region (goals,
pauses, reports) looks at the first part only.
"""

from functools import lru_cache
from typing import Final

LEVELS: Final = ("region", "zone", "rack")
"""From the outside inwards."""
SEPARATOR: Final = "/"


def check_place(place: str) -> None:
    """ValueError, meant for a person, unless it is one to three names."""
    parts = place.split(SEPARATOR)
    if len(parts) > len(LEVELS) or not all(parts):
        raise ValueError(f"{place!r}: expected a region, REGION/ZONE or REGION/ZONE/RACK")


def region_of(place: str) -> str:
    """The region that it is in."""
    return place.partition(SEPARATOR)[0]


def around(place: str) -> tuple[str, ...]:
    """Itself and what it is in, the region first: as many as it names of LEVELS."""
    parts = place.split(SEPARATOR)
    return tuple(SEPARATOR.join(parts[:count]) for count in range(1, len(parts) + 1))


@lru_cache(maxsize=4_096)
def levels_shared(place: str, other: str) -> int:
    """How many levels two nodes have in common: 0, they are in different regions; 3, in the same rack."""
    shared = 0
    for _, ours, theirs in zip(LEVELS, place.split(SEPARATOR), other.split(SEPARATOR), strict=False):
        if ours != theirs:
            break
        shared += 1
    return shared
