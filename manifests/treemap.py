"""Areas for amounts: squarified treemaps (Bruls, Huizing, van Wijk, 2000)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `index`: whose amount it is."""

    index: int
    x: float
    y: float
    width: float
    height: float


def squarify(amounts: Sequence[float], width: float, height: float) -> list[Box]:
    """One box for each positive amount, largest first, as square as can be, filling `width` x `height`."""
    rows = sorted(((amount, index) for index, amount in enumerate(amounts) if amount > 0), reverse=True)
    total = sum(amount for amount, _ in rows)
    left = [(amount * width * height / total, index) for amount, index in rows]
    boxes: list[Box] = []
    x = y = 0.0
    while left:
        side = min(width - x, height - y)
        count = 1
        while count < len(left) and _worst(left[: count + 1], side) <= _worst(left[:count], side):
            count += 1
        row, left = left[:count], left[count:]
        depth = sum(area for area, _ in row) / side if side else 0.0
        across = width - x > height - y
        at = y if across else x
        for area, index in row:
            length = area / depth if depth else 0.0
            boxes.append(Box(index, x, at, depth, length) if across else Box(index, at, y, length, depth))
            at += length
        x, y = (x + depth, y) if across else (x, y + depth)
    return boxes


def _worst(row: Sequence[tuple[float, int]], side: float) -> float:
    """The worst ratio of sides when these areas share a row along `side`."""
    total = sum(area for area, _ in row)
    largest, smallest = row[0][0], row[-1][0]
    return max(side**2 * largest / total**2, total**2 / (side**2 * smallest)) if total and smallest else float("inf")
