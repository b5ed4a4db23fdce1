"""Whole pieces on their way in, from peers or HTTP: verified and written, within a budget of memory.

While the disk is prompt and who sends is not fast, the task that read a piece also keeps it; else another task does,
and all that comes while it is at it is kept next, in one go: a way to a worker and back costs half as much as verifying
and writing a piece. Where there is no room on the disk, the first piece that can't be written is tried until it can;
nothing more is asked for meanwhile.
"""

import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, Protocol

import trio

from manifests.errors import DigestMismatchError
from p2pd.origin import OriginError
from p2pd.policy.sources import Tier
from p2pd.swarm import ORIGIN
from p2pd.world.network import Buffer

from .ahead import FAST_PER_S
from .caps import Caps
from .content import Arrived, Content, Problem, StorageError
from .membership import Membership

UNVERIFIED_BYTES_MAX: Final = 16 * 1024 * 1024
"""Pieces received and not yet verified and written: above this, connections are read no further."""
TOGETHER_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of pieces that are kept in one go: 2 ms of work, and 40 on a slow disk, after which another job has its turn."""
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


class _Waiting(NamedTuple):
    """A piece that the peer `key` sent."""

    membership: Membership
    key: str
    arrived: Arrived


class Intake:
    """Takes pieces in."""

    def __init__(self, owner: Owner, content: Content) -> None:
        self._owner, self._content = owner, content
        self._unverified_bytes = 0
        """Of pieces that other tasks keep than those that read them."""
        self._verified = trio.Event()
        self._waiting: dict[bytes, deque[_Waiting]] = {}
        """By swarm; a task keeps each one's."""
        self._prompt = False
        """The last write took no time to speak of."""

    def __repr__(self) -> str:
        return f"<Intake {self._unverified_bytes} bytes to verify>"

    async def take(self, membership: Membership, key: str, source: str, piece: int, data: Buffer, now: float) -> None:
        """A whole piece came from the peer `key`: keep it, in the background unless that takes no time, or unless too
        much waits for it already."""
        brain = membership.brain
        fresh = brain.delivered(key, piece, now)
        self._owner.settle(membership, now)
        if not fresh:
            return
        one = _Waiting(membership, key, Arrived(piece, data, source))
        if self._prompt and brain.rate_of(key, now) < FAST_PER_S:
            try:
                if await self._keep_now(one, now):
                    return
            except trio.Cancelled:  # its connection ended before the write began: the piece is kept all the same
                self._keep_later(one)
                raise
        self._keep_later(one)  # and then waited, for the same reason
        await self._room()

    async def _room(self) -> None:
        """Wait until not too much is to be verified."""
        while self._unverified_bytes > UNVERIFIED_BYTES_MAX:
            await self._verified.wait()

    async def _keep_now(self, one: _Waiting, began: float) -> bool:
        """False when the disk does not take it."""
        self._prompt = False  # another that comes meanwhile does not wait behind this one
        [problem] = await self._content.write_pieces(one.membership.swarm, (one.arrived,))
        if isinstance(problem, StorageError):
            return False
        now = trio.current_time()
        self._kept(one, problem, now)
        self._prompt = now - began <= PROMPT_S
        self._owner.settle(one.membership, now)
        return True

    def _keep_later(self, one: _Waiting) -> None:
        self._unverified_bytes += len(one.arrived.data)
        swarm = one.membership.swarm
        if swarm in self._waiting:
            self._waiting[swarm].append(one)
        else:
            self._waiting[swarm] = deque([one])
            self._owner.spawn(self._keep_waiting, swarm)

    async def _keep_waiting(self, swarm: bytes) -> None:
        """All of a swarm, until nothing waits."""
        waiting = self._waiting[swarm]
        while waiting:
            membership, count = waiting[0].membership, 0
            together: list[_Waiting] = []
            while waiting and waiting[0].membership is membership and count < TOGETHER_BYTES_MAX:
                one = waiting.popleft()
                together.append(one)
                count += len(one.arrived.data)
            await self._keep_together(membership, together)
        del self._waiting[swarm]

    async def _keep_together(self, membership: Membership, together: list[_Waiting]) -> None:
        began = trio.current_time()
        problems = await self._content.write_pieces(membership.swarm, [one.arrived for one in together])
        now = trio.current_time()
        done_bytes = 0
        for one, problem in zip(together, problems, strict=True):
            if isinstance(problem, StorageError):
                self._owner.spawn(self._insist, one)
            else:
                self._kept(one, problem, now)
                done_bytes += len(one.arrived.data)
        self._prompt = done_bytes > 0 and now - began <= PROMPT_S
        self._done(done_bytes)
        self._owner.settle(membership, now)

    def _kept(self, one: _Waiting, problem: DigestMismatchError | None, now: float) -> None:
        """Or it was not what it should be."""
        if problem is not None:
            one.membership.brain.corrupt(one.key, one.arrived.piece, now)
        else:
            one.membership.brain.stored(one.arrived.piece, now)
            one.membership.tell()

    def _done(self, count: int) -> None:
        """So many bytes wait no longer."""
        full = self._unverified_bytes > UNVERIFIED_BYTES_MAX
        self._unverified_bytes -= count
        if full:  # else nobody waits
            self._verified.set()
            self._verified = trio.Event()

    async def _insist(self, one: _Waiting) -> None:
        """Keep a piece that could not be written, or give it up."""
        try:
            problem = await self._store(one.membership, one.arrived)
        finally:
            self._done(len(one.arrived.data))
        now = trio.current_time()
        if isinstance(problem, StorageError):
            one.membership.brain.failed(one.key, one.arrived.piece, now)
        else:
            self._kept(one, problem, now)
        self._owner.settle(one.membership, now)

    async def _store(self, membership: Membership, arrived: Arrived) -> Problem | None:
        """Write a piece. The first that can't be written is tried until it can: then there is room, and asking goes on.

        What was asked for before and comes meanwhile is given up (StorageError): it would only fill the memory. So is
        everything once we left the swarm.
        """
        brain, waits = membership.brain, False
        while True:
            [problem] = await self._content.write_pieces(membership.swarm, (arrived,))
            if not isinstance(problem, StorageError):
                break
            brain.pause()
            self._owner.settle(membership, trio.current_time())
            if membership.problem and not waits:
                return problem
            waits, membership.problem = True, str(problem)
            await trio.sleep(STORAGE_RETRY_S)
            if self._owner.memberships.get(membership.swarm) is not membership:
                return problem
        if waits:
            membership.problem = ""
            if not membership.paused:
                brain.resume(trio.current_time())
        return problem

    async def fetch(self, membership: Membership, piece: int) -> None:
        """Bring a piece from an HTTP origin."""
        brain, fetch, manifest, caps = membership.brain, membership.fetch, membership.manifest, self._owner.caps
        length = manifest.lengths[piece]
        try:
            if fetch is None:
                raise OriginError("no HTTP origin is known", math.inf)
            await self._room()  # here: as soon as it is delivered the next one is asked for
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
