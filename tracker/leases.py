"""Leases: what is known of somebody holds until it is renewed or its time is over. Pure: told the time."""

from heapq import heappop, heappush
from math import inf
from typing import Generic, TypeVar

Key = TypeVar("Key", int, str)


class Leases(Generic[Key]):
    """When each key's lease ends. Renewing costs no heap operation unless the lease is to end sooner than before."""

    def __init__(self) -> None:
        self._ends: dict[Key, float] = {}
        self._queue: list[tuple[float, Key]] = []
        self._queued: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def __contains__(self, key: Key) -> bool:
        return key in self._ends

    def __repr__(self) -> str:
        return f"<Leases {len(self)}, next at {self.next_end():g}>"

    def renew(self, key: Key, until: float) -> None:
        """The lease now ends at `until`, whether that is later or sooner than before."""
        self._ends[key] = until
        if until < self._queued.get(key, inf):
            self._queued[key] = until
            heappush(self._queue, (until, key))

    def release(self, key: Key) -> None:
        """The lease is over, without further notice."""
        self._ends.pop(key, None)

    def next_end(self) -> float:
        """When to look again: no lease ends before this. Infinite when there is none."""
        return self._queue[0][0] if self._queue else inf

    def expire(self, now: float) -> list[Key]:
        """Keys whose lease has ended, the longest ended first; they are forgotten."""
        ended = []
        while self._queue and self._queue[0][0] <= now:
            at, key = heappop(self._queue)
            if self._queued.get(key) != at:
                continue
            del self._queued[key]
            ends = self._ends.get(key)
            if ends is None:
                continue
            if ends <= now:
                del self._ends[key]
                ended.append(key)
            else:
                self.renew(key, ends)
        return ended
