"""Whole pieces on their way in, from peers or HTTP: verified and written, within a budget of memory.

While the disk is prompt and who sends is not fast, the task that read a piece also keeps it; else another task does,
and the next piece is read meanwhile. Where there is no room on the disk, the first piece that can't be written is tried
until it can; nothing more is asked for meanwhile.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import trio

from manifests.errors import DigestMismatchError
from p2pd.origin import OriginError
from p2pd.policy.sources import Tier
from p2pd.swarm import ORIGIN

from .ahead import FAST_PER_S
from .caps import Caps
from .content import Content, StorageError
from .membership import Membership

UNVERIFIED_BYTES_MAX: Final = 16 * 1024 * 1024
"""Pieces received and not yet verified and written: above this, connections are read no further."""
PROMPT_S: Final = 0.02
"""A write that took no longer is worth waiting for: what a slow peer sends meanwhile the kernel holds."""
STORAGE_RETRY_S: Final = 2.0
ORIGIN_REST_S: Final = 0.5
ORIGIN_REST_S_MAX: Final = 10.0
"""Where there is no source at all now, one may be named meanwhile."""


class Owner(Protocol):
    """What the intake needs of the exchange."""

    memberships: dict[bytes, Membership]
    bytes_received: int
    caps: Caps

    def settle(self, membership: Membership, now: float) -> None:
        """Do what a brain wants after it was told something."""
        ...

    def spawn(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Run a task that ends with the exchange."""
        ...


class Intake:
    """Takes pieces in."""

    def __init__(self, owner: Owner, content: Content) -> None:
        self._owner, self._content = owner, content
        self._unverified_bytes = 0
        """Of pieces that tasks of their own keep."""
        self._verified = trio.Event()
        self._prompt = False
        """The last write took no time to speak of."""

    def __repr__(self) -> str:
        return f"<Intake {self._unverified_bytes} bytes to verify>"

    async def take(
        self, membership: Membership, key: str, source: str, piece: int, data: bytes | bytearray, now: float
    ) -> None:
        """A whole piece came from the peer `key`: keep it, in the background unless that takes no time, or unless too
        much waits for it already."""
        brain = membership.brain
        fresh = brain.delivered(key, piece, now)
        self._owner.settle(membership, now)
        if not fresh:
            return
        if self._prompt and brain.rate_of(key, now) < FAST_PER_S:
            try:
                if await self._keep_now(membership, key, source, piece, data, now):
                    return
            except trio.Cancelled:  # its connection ended before the write began: the piece is kept all the same
                self._keep_later(membership, key, source, piece, data)
                raise
        self._keep_later(membership, key, source, piece, data)  # and then waited, for the same reason
        while self._unverified_bytes > UNVERIFIED_BYTES_MAX:
            await self._verified.wait()

    def _keep_later(self, membership: Membership, key: str, source: str, piece: int, data: bytes | bytearray) -> None:
        self._unverified_bytes += len(data)
        self._owner.spawn(self._keep, membership, key, source, piece, data)

    async def _keep_now(
        self, membership: Membership, key: str, source: str, piece: int, data: bytes | bytearray, began: float
    ) -> bool:
        """False when the disk does not take it."""
        self._prompt = False  # another that comes meanwhile does not wait behind this one
        try:
            await self._content.write_piece(membership.swarm, piece, data, source)
        except StorageError:
            return False
        except DigestMismatchError:
            now = trio.current_time()
            membership.brain.corrupt(key, piece, now)
        else:
            now = trio.current_time()
            self._stored(membership, piece, now)
        self._prompt = now - began <= PROMPT_S
        self._owner.settle(membership, now)
        return True

    async def _keep(self, membership: Membership, key: str, source: str, piece: int, data: bytes | bytearray) -> None:
        brain, began = membership.brain, trio.current_time()
        try:
            stored = await self._store(membership, source, piece, data)
        except DigestMismatchError:
            brain.corrupt(key, piece, trio.current_time())
        else:
            if stored:
                now = trio.current_time()
                self._prompt = now - began <= PROMPT_S
                self._stored(membership, piece, now)
            else:
                brain.failed(key, piece, trio.current_time())
        finally:
            full = self._unverified_bytes > UNVERIFIED_BYTES_MAX
            self._unverified_bytes -= len(data)
            if full:  # else nobody waits
                self._verified.set()
                self._verified = trio.Event()
        self._owner.settle(membership, trio.current_time())

    def _stored(self, membership: Membership, piece: int, now: float) -> None:
        membership.brain.stored(piece, now)
        membership.tell()

    async def _store(self, membership: Membership, source: str, piece: int, data: bytes | bytearray) -> bool:
        """Write a piece. The first that can't be written is tried until it can: then there is room, and asking goes on.

        What was asked for before and comes meanwhile is given up (False): it would only fill the memory. So is
        everything once we left the swarm. DigestMismatchError when it is not the piece.
        """
        brain, waits = membership.brain, False
        while True:
            try:
                await self._content.write_piece(membership.swarm, piece, data, source)
                break
            except StorageError as error:
                brain.pause()
                self._owner.settle(membership, trio.current_time())
                if membership.problem and not waits:
                    return False
                waits, membership.problem = True, str(error)
            await trio.sleep(STORAGE_RETRY_S)
            if self._owner.memberships.get(membership.swarm) is not membership:
                return False
        if waits:
            membership.problem = ""
            if not membership.paused:
                brain.resume(trio.current_time())
        return True

    async def fetch(self, membership: Membership, piece: int) -> None:
        """Bring a piece from an HTTP origin."""
        brain, fetch, manifest, caps = membership.brain, membership.fetch, membership.manifest, self._owner.caps
        length = manifest.lengths[piece]
        try:
            if fetch is None:
                raise OriginError("no HTTP origin is known", math.inf)
            await caps.make_room(length, Tier.ORIGIN)
            data = await fetch(manifest.digest(piece), length)
        except OriginError as error:
            caps.give_back(length, Tier.ORIGIN)
            brain.failed(ORIGIN, piece, trio.current_time())
            await self._rest_origin(membership, error.retry_at)
            return
        self._owner.bytes_received += len(data)
        caps.received(len(data), Tier.ORIGIN)
        now = trio.current_time()
        brain.arrived(ORIGIN, len(data), now)
        await self.take(membership, ORIGIN, ORIGIN, piece, data, now)

    async def _rest_origin(self, membership: Membership, retry_at: float) -> None:
        """Every HTTP source failed: ask none before `retry_at`."""
        membership.origin_failures += 1
        failures = membership.origin_failures
        now = trio.current_time()
        membership.brain.use_origin(False, now)
        self._owner.settle(membership, now)
        await trio.sleep_until(min(max(retry_at, now + ORIGIN_REST_S), now + ORIGIN_REST_S_MAX))
        if failures == membership.origin_failures:
            now = trio.current_time()
            membership.brain.use_origin(True, now)
            self._owner.settle(membership, now)
