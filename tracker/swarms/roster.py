"""A set of names that can be drawn from at random in constant time, in an order that a seed repeats."""

from collections.abc import Container, Iterator
from random import Random
from typing import Final

SAMPLED_MAX: Final = 256
"""A roster of so many names may be gone through as a whole; of a larger one a few are drawn."""
TRIES: Final = 16
"""For each name wanted, where most of those drawn may not be named: with more in vain, fewer come."""


class Roster:
    """Names in no meaningful but deterministic order; adding, removing and drawing cost the same for 10 or 100,000."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def __repr__(self) -> str:
        return f"<Roster of {len(self)}>"

    def add(self, name: str) -> None:
        """Nothing if it is there."""
        if name not in self._places:
            self._places[name] = len(self._names)
            self._names.append(name)

    def discard(self, name: str) -> None:
        """Nothing if it is not there. The last name takes the place."""
        place = self._places.pop(name, None)
        if place is None:
            return
        last = self._names.pop()
        if last != name:
            self._names[place] = last
            self._places[last] = place

    def draw(self, count: int, rng: Random, without: Container[str] = (), spare: int = 0) -> list[str]:
        """Up to `count` different names, none of `without`, of whom at most `spare` are in this roster."""
        count, there = max(0, count), len(self._names)
        if (count + spare) * 2 > there and there <= SAMPLED_MAX:
            chosen = rng.sample(self._names, there)
            return [name for name in chosen if name not in without][:count]
        drawn: dict[str, None] = {}
        for _ in range(TRIES * count):  # of many a few: mostly half of the draws or more are new, and this is fast
            if len(drawn) >= count:
                break
            name = self._names[int(rng.random() * there)]
            if name not in without:
                drawn[name] = None
        return list(drawn)
