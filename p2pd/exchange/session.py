"""One connection to one peer: a task that reads, one that writes, one that reads ahead if that is worth while, and
nothing that decides.

Control frames go before blocks and between the blocks of a piece. What a peer sends for its piece is put together here,
in order, at most one piece at a time; what it may not send ends the connection.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final, Protocol

import trio

from p2pd.policy.admitting import may_have_release, objection
from p2pd.policy.hearing import Hearing
from p2pd.policy.pacing import next_slice_bytes, slice_bytes
from p2pd.policy.sources import Tier
from p2pd.wire.connection import About, BlockReceived, Event, Joined, Left, PeerConnection
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.framing import BLOCK_HEAD_BYTES
from p2pd.wire.messages import Hello, ManifestPart, ManifestRequest, Ping, Pong
from p2pd.world.network import Buffer, Stream

from .ahead import ReadAhead, Upload
from .bell import Bell
from .caps import Caps

CONTROL_QUEUE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Control frames waiting for a peer that doesn't read: then it is dropped."""
SILENCE_S_MAX: Final = 60.0
"""Without a word from the peer, or without its taking what we write."""
PING_AFTER_S: Final = 20.0
HANDSHAKE_S_MAX: Final = 5.0
_NOTHING: Final = memoryview(bytearray())


class Owner(Protocol):
    """What a session needs of the exchange. `now` is the time of what is told."""

    caps: Caps

    def on_about(self, session: "Session", about: About, now: float) -> None:
        """The peer said something about a swarm that it is in."""
        ...

    def on_membership(self, session: "Session", event: Joined | Left, now: float) -> None:
        """The peer is in a swarm, or no longer."""
        ...

    async def on_manifest(self, session: "Session", message: ManifestRequest | ManifestPart) -> None:
        """A manifest is asked for, or a part of one came."""
        ...

    async def on_piece(self, session: "Session", swarm: bytes, piece: int, data: memoryview, now: float) -> None:
        """A whole piece arrived; its bytes are the owner's now."""
        ...

    def awaits(self, session: "Session", swarm: bytes, piece: int) -> int | None:
        """How long the piece is, if this peer was asked for it and it is still of interest; else None."""
        ...

    def on_block(self, session: "Session", block: BlockReceived, now: float) -> int | None:
        """Bytes of a piece arrived: the piece's length, None if it is of no interest any more; RemoteProtocolError
        when nobody asked for it."""
        ...

    async def next_upload(self, session: "Session") -> Upload | None:
        """What to send next, or None."""
        ...

    def uploaded(self, session: "Session", swarm: bytes, piece: int, now: float) -> bool:
        """A whole piece left; may there be another to send to this peer?"""
        ...

    def not_read(self, session: "Session") -> None:
        """It is our cap that keeps this peer silent."""
        ...


class Session:
    """A connection, from its handshake to its end. `remote` and `node` are set once `run` has begun, and `tier`, which
    is kept up to date by who keeps the sessions."""

    def __init__(self, stream: Stream, hello: Hello, owner: Owner, *, dialled: bool) -> None:
        self.stream, self.dialled = stream, dialled
        self.connection = PeerConnection(hello, self._place)
        self.joined: dict[bytes, tuple[int, int]] = {}
        """The swarms that the peer is in: its pieces, and its set as it was when we came to share the swarm (from then
        on our brain of that swarm keeps it), or as it is where we don't."""
        self.node = ""
        """Who is there."""
        self.tier = Tier.REMOTE
        """How dear a byte from there is."""
        self.restricted = False
        """The peer may not have every product's releases."""
        self._owner = owner
        self._not_read = partial(owner.not_read, self)
        self._pace_per_s = 0.0
        """At which pieces left lately, while they did."""
        self._control: list[bytes] = []
        self._control_bytes = 0
        self._wake = Bell()
        self._ahead = ReadAhead(partial(owner.next_upload, self), self._wake.ring)
        self._scope = trio.CancelScope()
        self._piece: tuple[bytes, int] | None = None
        self._assembly, self._assembled = _NOTHING, 0
        self._writes = 0
        """Begun and ended: odd while one is under way."""
        self._heard_at = trio.current_time()
        self._hearing = Hearing(self._heard_at)
        self.useful_at = self._heard_at
        self.ended_because = ""
        self.broke_rules = False
        """What ended it was a breach of the protocol."""

    @property
    def remote(self) -> Hello:
        """What they said first."""
        hello = self.connection.remote
        if hello is None:
            raise RuntimeError("the handshake is not done")
        return hello

    async def handshake(self) -> list[Event]:
        """Exchange Hellos; what came with theirs. RemoteProtocolError or trio.TooSlowError when it fails."""
        with trio.fail_after(HANDSHAKE_S_MAX):
            if not self.dialled:
                await self.stream.handshake()
            await self.stream.send_all(self.connection.hello())
            events: list[Event] = []
            while not events:
                events = list(await self._receive())
        self._check_identity()
        return events[1:]

    def _check_identity(self) -> None:
        identity = self.stream.identity
        if problem := objection(identity, self.remote):
            raise RemoteProtocolError(problem)
        self.node, self.restricted = self.remote.node, bool(identity.products)

    def may_have(self, release: str) -> bool:
        """Whether the peer's certificate lets it have this release."""
        return not self.restricted or may_have_release(self.stream.identity, release)

    async def run(self, pending: list[Event]) -> None:
        """Read and write until either side ends; never raises for what the peer or the network did."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._watch)
                    nursery.start_soon(self._write, nursery)
                    await self._read(pending)
                    nursery.cancel_scope.cancel()
        except BaseExceptionGroup as errors:  # `except*`, which the compiler of `sim.native` does not know
            lost, others = errors.split((trio.BrokenResourceError, trio.ClosedResourceError))
            if lost is not None:
                self.ended_because = self.ended_because or "connection lost"
            broken, others = others.split(RemoteProtocolError) if others is not None else (None, None)
            if broken is not None:
                self.broke_rules = True
                self.ended_because = self.ended_because or _first_words(broken)
            if others is not None:
                raise others from None

    def end(self, reason: str) -> None:
        """Close soon, for this reason."""
        self.ended_because = self.ended_because or reason
        self._scope.cancel()

    # -- writing ------------------------------------------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        """Queue a control frame."""
        self._control.append(frame)
        self._control_bytes += len(frame)
        if self._control_bytes > CONTROL_QUEUE_BYTES_MAX:
            self.end("it does not read what it is sent")
        self._wake.ring()

    def ping(self) -> None:
        """Say something that is acknowledged."""
        self.send(self.connection.plain(Ping(int(self._heard_at))))

    def wake(self) -> None:
        """There may be a piece to send."""
        self._ahead.look()

    async def _write(self, nursery: trio.Nursery) -> None:
        reads_ahead = False
        while True:
            self._wake.hush()
            await self._flush()
            upload = await self._ahead.take()
            if upload is None:
                await self._wake.wait()
            else:
                await self._send_piece(*upload)
                if self._ahead.fast and not reads_ahead:  # most connections are never that fast, and need no such task
                    reads_ahead = True
                    nursery.start_soon(self._ahead.run)

    async def _flush(self) -> None:
        while self._control:
            await self._send_all(self._said())

    def _said(self) -> bytes:
        """What is to be said, as it is to be sent."""
        frames = b"".join(self._control)
        self._control.clear()
        self._control_bytes = 0
        return frames

    async def _send_all(self, *parts: Buffer) -> None:
        self._writes += 1
        await self.stream.send_all(*parts)
        self._writes += 1

    async def _send_piece(self, swarm: bytes, piece: int, data: Buffer) -> None:
        view, offset, began, caps = memoryview(data), 0, trio.current_time(), self._owner.caps
        while offset < len(view):
            cap_per_s = caps.way(self.tier).up.rate_bytes_per_s
            length = next_slice_bytes(len(view) - offset, slice_bytes(self._pace_per_s, cap_per_s))
            part = view[offset : offset + length]
            if not self.connection.joined(swarm):
                self._ahead.sent(len(view), trio.current_time(), more=True)
                return
            await caps.send(len(part), self.tier)
            if self.connection.joined(swarm):
                head = self.connection.block_head(swarm, piece, offset, len(part))
                await self._send_all(self._said() + head if self._control else head, part)
            offset += len(part)
        now = self.useful_at = trio.current_time()
        if (seconds := now - began) > 0:
            pace = len(view) / seconds
            self._pace_per_s = (self._pace_per_s + pace) / 2 if self._pace_per_s else pace
        self._hearing.earn()
        self._ahead.sent(len(view), now, more=self._owner.uploaded(self, swarm, piece, now))

    # -- reading ------------------------------------------------------------------------------------------------

    async def _receive(self) -> Iterator[Event]:
        count = await self.stream.receive_into(self.connection.space(), self.connection.lacking)
        if not count:
            raise trio.BrokenResourceError("the peer closed")
        self._heard_at = trio.current_time()
        return self.connection.received(count)

    async def _read(self, pending: list[Event]) -> None:
        events: Iterable[Event] = pending
        now = trio.current_time()
        while True:
            for event in events:
                if isinstance(event, About):
                    self._owner.on_about(self, event, now)
                elif isinstance(event, BlockReceived):
                    now = await self._block(event, now)
                    continue
                else:
                    await self._hear(event, now)
                    now = trio.current_time()
                if rest_s := self._hearing.spend(event, now):
                    await trio.sleep(rest_s)
                    now = trio.current_time()
            events = await self._receive()
            now = self._heard_at

    async def _hear(self, event: Event, now: float) -> None:
        match event:
            case Ping(number=number):
                self.send(self.connection.plain(Pong(number)))
            case Joined() | Left():
                if isinstance(event, Left) and self._piece and self._piece[0] == event.swarm:
                    self._piece = None
                self._owner.on_membership(self, event, now)
            case ManifestRequest() | ManifestPart():
                await self._owner.on_manifest(self, event)

    async def _block(self, block: BlockReceived, now: float) -> float:
        """The time when that is done."""
        length = self._owner.on_block(self, block, now)
        if length is None:
            self._piece, self._assembly = None, _NOTHING
            return now
        self.useful_at = now
        if await self._owner.caps.receive(len(block.data), self.tier, self._not_read):
            now = trio.current_time()
        key, data = (block.swarm, block.piece), block.data
        placed = isinstance(data, memoryview) and data.obj is self._assembly.obj
        if self._piece is None and block.offset == 0:
            self._piece, self._assembled = key, 0
            if not placed:
                self._assembly = memoryview(bytearray(length))
        elif key != self._piece or block.offset != self._assembled:
            # Also one that begins anew or leaves a piece unfinished: it could send bytes for ever and bring nothing.
            raise RemoteProtocolError(f"block of piece {block.piece} at {block.offset} out of order")
        end = self._assembled = block.offset + len(data)
        if end > length:
            raise RemoteProtocolError(f"piece {block.piece} is longer than {length} bytes")
        if not placed:
            self._assembly[block.offset : end] = data
        if end == length:
            whole, self._piece, self._assembly = self._assembly[:length], None, _NOTHING
            self._hearing.earn()
            await self._owner.on_piece(self, block.swarm, block.piece, whole, now)
            return trio.current_time()
        return now

    def _place(self, swarm: bytes, piece: int, offset: int, length: int) -> memoryview | None:
        """Where a block that has begun belongs: in its piece, if it is what comes next of it."""
        end = offset + length + BLOCK_HEAD_BYTES  # what comes behind it is copied before its room is needed
        if self._piece is None and offset == 0:
            whole = self._owner.awaits(self, swarm, piece)
            if whole is None or length > whole:
                return None
            self._assembly = memoryview(bytearray(whole + BLOCK_HEAD_BYTES))
        elif self._piece != (swarm, piece) or offset != self._assembled or end > len(self._assembly):
            return None
        return self._assembly[offset:end]

    async def _watch(self) -> None:
        """One watchdog a connection: pings a silent peer, ends a dead one."""
        writes, stuck_s = 0, 0.0
        while True:
            await trio.sleep(PING_AFTER_S)
            silent_s = trio.current_time() - self._heard_at
            stuck_s = stuck_s + PING_AFTER_S if writes == self._writes and writes % 2 else 0.0
            writes = self._writes
            if stuck_s >= SILENCE_S_MAX:
                self.end(f"it has read nothing for {stuck_s:.0f} s")
            elif silent_s > SILENCE_S_MAX:
                self.end(f"silent for {silent_s:.0f} s")
            elif silent_s >= PING_AFTER_S / 2:
                self.ping()


def _first_words(errors: BaseExceptionGroup[RemoteProtocolError]) -> str:
    first = errors.exceptions[0]
    return _first_words(first) if isinstance(first, BaseExceptionGroup) else str(first)
