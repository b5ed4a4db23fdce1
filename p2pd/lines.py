"""The connections that HTTP comes over, as far as they can be measured: the background looks at them, too.

Requests are short, connections live longer: one is kept here for a while after it was last used, so that it can be seen
at two looks in a row. Each request is acknowledged, so each tells how long the way takes.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

import httpx
import trio

from p2pd.policy.yielding import Transit
from p2pd.world.http import measured
from p2pd.world.network import Measured

KEPT_S: Final = 30.0
"""After the last answer began. Where others leave us little, a chunk takes many seconds; and who is met anew with each
request is never seen twice."""


class Line:
    """One connection. `used_at`: when an answer began to come over it."""

    def __init__(self, stream: Measured, number: int) -> None:
        self.used_at = 0.0
        self._stream, self._number = stream, number

    def transit(self) -> Transit | None:
        """As its transport tells; several to one host are told apart."""
        found = self._stream.transit()
        if found is None:
            return None
        return replace(found, address=f"{found.address.rpartition(':')[0]}:http-{self._number}", seldom=True)

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Be gentle."""
        self._stream.hold_to(upload_bytes_per_s)


class Lines:
    """Those in use."""

    def __init__(self) -> None:
        self._lines: dict[object, Line] = {}
        self._numbers = count(1)

    def __repr__(self) -> str:
        return f"<Lines {len(self._lines)}>"

    def __iter__(self) -> Iterator[Line]:
        """Of the last moments."""
        now = trio.current_time()
        self._lines = {key: line for key, line in self._lines.items() if now - line.used_at <= KEPT_S}
        return iter(self._lines.values())

    def use(self, response: httpx.Response) -> None:
        """An answer begins to come."""
        key = response.extensions.get("network_stream")
        line = self._lines.get(key)
        if line is None:
            stream = measured(response)
            if stream is None:
                return
            line = self._lines[key] = Line(stream, next(self._numbers))
        line.used_at = trio.current_time()
