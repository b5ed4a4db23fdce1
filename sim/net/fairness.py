"""The exact max-min fair rates, by progressive filling: what tests hold the simulated links to.

All flows grow alike until a link is full; its flows keep what they have, the others grow on (Bertsekas and Gallager,
"Data Networks", 2nd edition, 6.5.2).
"""

from collections.abc import Hashable, Mapping, Sequence
from math import inf
from typing import TypeVar

Link = TypeVar("Link", bound=Hashable)


def max_min_rates(flows: Sequence[Sequence[Link]], capacity: Mapping[Link, float]) -> list[float]:
    """The rate of each flow, given the links on its way and every link's capacity. A flow without links: inf."""
    rates = [inf] * len(flows)
    left = dict(capacity)
    growing = {index for index, links in enumerate(flows) if links}
    while growing:
        users = {link: [index for index in growing if link in flows[index]] for link in left}
        fair = {link: left[link] / len(found) for link, found in users.items() if found}
        tightest = min(fair, key=lambda link: fair[link])
        for index in users[tightest]:
            rates[index] = fair[tightest]
            growing.discard(index)
            for link in flows[index]:
                left[link] -= fair[tightest]
        del left[tightest]
    return rates
