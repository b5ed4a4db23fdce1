"""Which objects a bounded cache keeps: names and sizes only, no bytes. A brain.

SIEVE (Zhang et al., NSDI 2024): new objects enter at the young end of a queue and never move; a hit only marks. When
room is needed, a hand walks from the old end towards the young, takes the marks it meets away, and evicts the first
object that has none. What was asked for once leaves soon, what is asked for again stays, and a hit costs nothing.
What is pinned (being read) is passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class _Node:
    key: str
    size: int
    marked: bool = False
    pins: int = 0
    younger: "_Node | None" = None
    older: "_Node | None" = None


class Cache:
    """Decides what is held within `bytes_max`."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes_held = 0
        self.evictions = 0
        self._pinned_bytes = 0
        self._nodes: dict[str, _Node] = {}
        self._youngest: _Node | None = None
        self._oldest: _Node | None = None
        self._hand: _Node | None = None

    def __repr__(self) -> str:
        return f"<Cache {len(self._nodes)} objects, {self.bytes_held} of {self.bytes_max} bytes>"

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        """Keys from the oldest to the youngest."""
        node = self._oldest
        while node:
            yield node.key
            node = node.younger

    def touch(self, key: str) -> bool:
        """Whether it is held; if so it was asked for once more."""
        node = self._nodes.get(key)
        if node is None:
            return False
        node.marked = True
        return True

    def size(self, key: str) -> int:
        """Bytes of an object that is held; KeyError otherwise."""
        return self._nodes[key].size

    def admit(self, key: str, size: int) -> list[str] | None:
        """Hold an object that is not held; the keys evicted for it, or None when there can be no room for it."""
        if key in self._nodes:
            raise ValueError(f"{key} is held already")
        if size > self.bytes_max - self._pinned_bytes:
            return None
        evicted = []
        while self.bytes_held + size > self.bytes_max:
            victim = self._next_victim()
            evicted.append(victim.key)
            self._unlink(victim)
        self.evictions += len(evicted)
        self._link(_Node(key, size))
        return evicted

    def pin(self, key: str) -> None:
        """It is being read: it stays until as many `unpin`."""
        node = self._nodes[key]
        node.pins += 1
        if node.pins == 1:
            self._pinned_bytes += node.size

    def unpin(self, key: str) -> None:
        """One reader less."""
        node = self._nodes[key]
        if node.pins == 0:
            raise ValueError(f"{key} is not pinned")
        node.pins -= 1
        if node.pins == 0:
            self._pinned_bytes -= node.size

    def remove(self, key: str) -> None:
        """It is gone for another reason; nothing when it was not held."""
        node = self._nodes.get(key)
        if node is not None:
            self._unlink(node)

    def _next_victim(self) -> _Node:
        """Ends because something is not pinned (`admit` saw to that), and marks are taken away in passing."""
        node = self._hand or self._oldest
        while node is None or node.pins or node.marked:
            if node is not None and not node.pins:
                node.marked = False
            node = (node.younger if node else None) or self._oldest
        self._hand = node.younger
        return node

    def _link(self, node: _Node) -> None:
        self._nodes[node.key] = node
        self.bytes_held += node.size
        node.older = self._youngest
        if self._youngest:
            self._youngest.younger = node
        else:
            self._oldest = node
        self._youngest = node

    def _unlink(self, node: _Node) -> None:
        if self._hand is node:
            self._hand = node.younger
        if node.older:
            node.older.younger = node.younger
        else:
            self._oldest = node.younger
        if node.younger:
            node.younger.older = node.older
        else:
            self._youngest = node.older
        if node.pins:
            self._pinned_bytes -= node.size
        self.bytes_held -= node.size
        del self._nodes[node.key]
