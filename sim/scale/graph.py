"""Who knows whom: neighbour tables as arrays of host numbers, -1 where nobody is."""

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.int32]


def _weave(table: Table, members: npt.NDArray[np.int64], column: int, rounds: int, rng: np.random.Generator) -> None:
    """Join the members into `rounds` random circles: each gains the one before and the one after, both ways."""
    for k in range(rounds):
        if len(members) < 2:
            return
        circle = rng.permutation(members)
        table[circle, column + 2 * k] = np.roll(circle, 1)
        if len(members) > 2:
            table[circle, column + 2 * k + 1] = np.roll(circle, -1)


def circles(groups: npt.NDArray[np.int32], degree: int, rng: np.random.Generator) -> Table:
    """A table of [hosts, degree] where everybody's neighbours are of its own group; connected, symmetric, regular."""
    table = np.full((len(groups), degree), -1, dtype=np.int32)
    order = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(groups[order])) + 1
    for members in np.split(order, edges):
        _weave(table, members, 0, degree // 2, rng)
    return table


def across(regions: npt.NDArray[np.int32], degree: int, rng: np.random.Generator) -> Table:
    """A table of [hosts, degree] of neighbours in other regions; those who would be of the same region are left out."""
    table = np.full((len(regions), degree), -1, dtype=np.int32)
    if degree and len(np.unique(regions)) > 1:
        _weave(table, np.arange(len(regions)), 0, degree // 2, rng)
        table[(table >= 0) & (regions[table] == regions[:, None])] = -1
    return table
