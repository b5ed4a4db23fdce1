"""Pieces owed to one peer, read when it is their turn to be sent; where the link is fast, before that: the next one is
read and verified while one is sealed and sent.

On a slow link reading takes no time to speak of, whoever sends does it himself, and a piece stays in the queue as long
as can be, where it can still be withdrawn, or sent to somebody else.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from p2pd.policy.pacing import Rate

from .bell import Bell

Upload = tuple[bytes, int, bytes | bytearray]
"""Swarm, piece, and the piece's bytes."""
FAST_PER_S: Final = 12_500_000
"""100 Mbit/s to this peer: there a piece still takes a hundred times as long to send as to read."""
AHEAD_BYTES: Final = 1024 * 1024
"""Read further while less than this waits: 1 ms at 10 Gbit/s, as long as it takes to be woken twice."""


class ReadAhead:
    """`read`: the next piece that is owed, or None. `tell`: called when it is worth while to `take`."""

    def __init__(self, read: Callable[[], Awaitable[Upload | None]], tell: Callable[[], None]) -> None:
        self._read, self._tell = read, tell
        self._ready: deque[Upload] = deque()
        self._ready_bytes = 0
        self._owed = False
        """There may be something to read."""
        self._sending = False
        self._reading = False
        """Ahead: so that pieces keep their order, nobody else reads meanwhile."""
        self._rate = Rate()
        self._fast = False
        """It was, when a piece last left."""
        self._changed = Bell()

    def __repr__(self) -> str:
        return f"<ReadAhead {len(self._ready)} pieces{', sending' if self._sending else ''}>"

    @property
    def fast(self) -> bool:
        """It is worth while to read ahead: from the first time on, `run` must run."""
        return self._fast

    def look(self) -> None:
        """There may be something to read."""
        self._owed = True
        if self._fast:
            self._changed.ring()
        elif not self._sending:
            self._tell()

    async def take(self) -> Upload | None:
        """The next piece to send, read now or before; say `sent` afterwards. None: wait to be told."""
        if self._ready:
            upload = self._ready.popleft()
            self._ready_bytes -= len(upload[2])
            self._sending = True
            if self._fast:
                self._changed.ring()
            return upload
        if self._fast or self._reading or not self._owed:
            return None
        self._owed = False
        found = await self._read()
        self._sending = found is not None
        return found

    def sent(self, count: int, now: float, *, more: bool) -> None:
        """So many bytes of what was taken left; `more`: there may be something to read."""
        self._sending = False
        self._rate.add(count, now)
        self._fast = self._rate.per_s(now) >= FAST_PER_S
        if more:
            self._owed = True
            if self._fast:
                self._changed.ring()

    async def run(self) -> None:
        """Read ahead until cancelled."""
        while True:
            self._changed.hush()
            upload = await self._read_ahead() if self._has_room() else None
            if upload is not None:
                self._ready.append(upload)
                self._ready_bytes += len(upload[2])
                self._tell()
            else:
                await self._changed.wait()

    async def _read_ahead(self) -> Upload | None:
        self._owed, self._reading = False, True
        upload = await self._read()
        self._reading = False
        if self._owed and not self._fast:
            self._tell()  # who was told meanwhile was sent away
        return upload

    def _has_room(self) -> bool:
        # The rate only falls until a piece leaves: where it was too low then, there is no need to look.
        if not self._fast:
            return False
        if not self._ready and not self._sending:
            return True
        return self._ready_bytes < AHEAD_BYTES and self._rate.per_s(trio.current_time()) >= FAST_PER_S
