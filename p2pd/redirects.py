"""Where a source may send us on to. Pure.

A CDN redirects within itself, or to another host that the site has configured, too. Anywhere else is refused: who
serves our content is configured, not told by a server. (What it served would be verified all the same; but it would
learn who we are and what we run, and could be a host of our own network that trusts us.)
"""

from collections.abc import Iterable
from typing import Final

import httpx

REDIRECTS_MAX: Final = 3
"""In a row: a name, a region, an edge."""
STATUSES: Final = frozenset({301, 302, 303, 307, 308})


def followed(asked: httpx.URL, location: str, sources: Iterable[str]) -> httpx.URL | None:
    """Where `asked` sends us by that `Location`; None where we don't go. `sources`: base URLs that we know.

    Only from https to https and from http to http, to the same host and port or those of a source.
    """
    try:
        target = asked.join(location)
        known = {_place(httpx.URL(one)) for one in sources} | {_place(asked)}
    except httpx.InvalidURL:
        return None
    if target.scheme != asked.scheme or target.userinfo or _place(target) not in known:
        return None
    return target


def _place(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
