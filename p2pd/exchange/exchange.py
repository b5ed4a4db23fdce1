"""All of a node's connections and swarms, joined: messages go to the brains, the brains' deeds are done.

No choice is made here: what to ask whom is decided by `Swarm`, what to promise whom by `Uploads`, whom to dial by
`Directory`.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import trio

from p2pd.policy.patience import Patience
from p2pd.policy.sources import Tier
from p2pd.swarm import Complete, Drop, Fetch, Send, Serve
from p2pd.swarm.actions import Action, Withdraw
from p2pd.swarm.uploads import Owed, Uploads
from p2pd.wire import bits as bitset
from p2pd.wire.connection import About, BlockReceived, Joined, Left
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.messages import PROTOCOL_VERSION, AnyMessage, Have, Hello, Lost, ManifestPart, ManifestRequest, Reject
from p2pd.world import World

from .ahead import Upload
from .caps import Caps
from .content import Content, StorageError
from .intake import Intake
from .manifests import ManifestDesk
from .membership import Membership
from .neighbours import Neighbours
from .session import Session

SOURCES: Final = {tier: tier.name.lower() for tier in Tier}
"""As statistics name them."""


@dataclass(frozen=True, slots=True)
class Node:
    """Who we are on the peer wire. `address`: where others may dial us ('' if nowhere)."""

    name: str
    fleet: str
    region: str
    role: str


class Exchange:
    """Give it swarms and peers; it exchanges pieces. `run` never returns.

    `on_unknown_swarm`: told when a peer joins a swarm that we are not in (a shield then sees whether it can be).
    """

    def __init__(
        self,
        world: World,
        node: Node,
        content: Content,
        *,
        caps: Caps | None = None,
        on_unknown_swarm: Callable[[bytes], None] | None = None,
    ) -> None:
        self._world, self._node, self._content = world, node, content
        self.address = ""
        self.memberships: dict[bytes, Membership] = {}
        self.uploads = Uploads(self._spread)
        self.neighbours = Neighbours(world, self)
        self.manifests = ManifestDesk(content)
        self._intake = Intake(self, content)
        self.caps = caps or Caps()
        self._patience = Patience()
        self._retime = trio.Event()
        self._timer_at = math.inf
        self._held_back = ""
        self._nursery: trio.Nursery | None = None
        self._on_stranger = on_unknown_swarm
        self.bytes_sent = 0
        self.bytes_received = 0

    async def run(self, listen: str, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen, dial and exchange until cancelled; started with the address as bound."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self.address = await nursery.start(self.neighbours.listen, listen)
            nursery.start_soon(self.neighbours.dial_on)
            nursery.start_soon(self._keep_time)
            task_status.started(self.address)

    def hello(self) -> Hello:
        """What we say first."""
        node = self._node
        return Hello(
            PROTOCOL_VERSION, node.fleet, node.name, node.region, node.role, self.neighbours.advertised or self.address
        )

    def spawn(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Run a task that ends with the exchange."""
        if self._nursery is None:
            raise RuntimeError("the exchange does not run")
        # Named, or trio would look for a name: for a bound method of machine code, in the repr of its object.
        self._nursery.start_soon(function, *args, name="a piece that comes in")

    # -- swarms -------------------------------------------------------------------------------------------------

    def join(self, membership: Membership) -> None:
        """Be in a swarm: tell the neighbours that are, and those to come."""
        if (former := self.memberships.get(membership.swarm)) is not None:
            self._remember(former)
        self.memberships[membership.swarm] = membership
        if membership.brain.complete:
            membership.completed.set()
        now = trio.current_time()
        membership.brain.hold_back(self._held_back, now)
        membership.brain.use_origin(membership.fetch is not None, now)
        for session in self.neighbours.sessions.values():
            if membership.swarm in session.joined and self._shared(session, membership.swarm):
                try:
                    self._meet(session, membership, now)
                except RemoteProtocolError as error:
                    session.end(str(error))
        self.settle(membership, now)
        self.neighbours.wake()

    def leave(self, swarm: bytes) -> None:
        """Be in it no longer; what is owed of it is forgotten."""
        membership = self.memberships.get(swarm)
        if membership is None:
            return
        self._remember(membership)
        del self.memberships[swarm]
        self.uploads.forget_swarm(swarm)
        self._take_turns(trio.current_time())
        self.neighbours.forget_swarm(swarm)
        for session in self.neighbours.sessions.values():
            if session.connection.joined(swarm):
                session.send(session.connection.leave(swarm))

    def _remember(self, membership: Membership) -> None:
        """Who holds what, as its brain knows it, for another brain of that swarm."""
        swarm = membership.swarm
        for session in self.neighbours.sessions.values():
            if swarm in session.joined and self._shared(session, swarm):
                pieces, _ = session.joined[swarm]
                session.joined[swarm] = (pieces, membership.brain.held_by(session.node))

    def meet(self, session: Session) -> None:
        """A new connection: join it to the swarms that it was dialled for."""
        for swarm, membership in self.memberships.items():
            if self.neighbours.wants(session.node, swarm):
                self.introduce(session, membership)

    def introduce(self, session: Session, membership: Membership) -> None:
        """Tell a peer that we are in this swarm, once, if it may have the release."""
        if not session.connection.joined(membership.swarm) and session.may_have(membership.manifest.release):
            brain = membership.brain
            session.send(session.connection.join(membership.swarm, membership.manifest.pieces, brain.opening_bits()))

    def _meet(self, session: Session, membership: Membership, now: float) -> None:
        """Both of us are in this swarm."""
        pieces, bits = session.joined[membership.swarm]
        if pieces != membership.manifest.pieces:
            raise RemoteProtocolError(f"says a swarm of {membership.manifest.pieces} pieces has {pieces}")
        self.introduce(session, membership)
        membership.brain.add_peer(session.node, session.tier, bits, now)
        self.settle(membership, now)

    def _shared(self, session: Session, swarm: bytes) -> Membership | None:
        """Our membership of a swarm that the peer is in; None where we have none, or none for this peer's eyes."""
        membership = self.memberships.get(swarm)
        if membership is None or (session.restricted and not session.may_have(membership.manifest.release)):
            return None
        return membership

    def part(self, session: Session) -> None:
        """A connection ended."""
        node, now = session.node, trio.current_time()
        self.uploads.forget(node)
        self._take_turns(now)
        self.manifests.forget(session)
        for swarm in session.joined:
            membership = self._shared(session, swarm)
            if membership is not None:
                membership.brain.remove_peer(node, now)
                self.settle(membership, now)

    def exhausted(self, node: str, session: Session) -> bool:
        """Neither of us can learn anything from the other any more, in any swarm that both are in."""
        both = filter(None, (self._shared(session, swarm) for swarm in session.joined))
        return all(membership.brain.exhausted(node) for membership in both)

    # -- what arrives -------------------------------------------------------------------------------------------

    async def on_manifest(self, session: Session, message: ManifestRequest | ManifestPart) -> None:
        """A manifest is asked for, or a part of one came."""
        if not session.ended_because:
            await self.manifests.receive(session, message)

    def on_membership(self, session: Session, event: Joined | Left, now: float) -> None:
        """The peer is in a swarm, or no longer."""
        if session.ended_because:
            return
        swarm = event.swarm
        if isinstance(event, Joined):
            session.joined[swarm] = (event.pieces, event.bits)
            membership = self._shared(session, swarm)
            if membership is not None:
                self._meet(session, membership, now)
            elif self._on_stranger is not None and swarm not in self.memberships:
                self._on_stranger(swarm)
        else:
            del session.joined[swarm]
            self.uploads.forget_swarm(swarm, session.node)
            self._take_turns(now)
            membership = self._shared(session, swarm)
            if membership is not None:
                membership.brain.remove_peer(session.node, now)
                self.settle(membership, now)

    def on_about(self, session: Session, about: About, now: float) -> None:
        """The peer said something about a swarm that it is in."""
        if session.ended_because:
            return
        swarm, message = about.swarm, about.message
        membership = self._shared(session, swarm)
        if membership is not None:
            membership.brain.receive(session.node, message, now)
            self.settle(membership, now)
            return
        pieces, bits = session.joined[swarm]
        if isinstance(message, Have):
            session.joined[swarm] = (pieces, bits | bitset.of(message.pieces))
        elif isinstance(message, Lost):
            session.joined[swarm] = (pieces, bits & ~bitset.of(message.pieces))

    def on_block(self, session: Session, block: BlockReceived, now: float) -> int | None:
        """Bytes of a piece: book them, and say how long the piece is (None: of no interest any more)."""
        membership = self._shared(session, block.swarm)
        if membership is None or session.ended_because:
            return None
        if not membership.brain.expects(session.node, block.piece):
            raise RemoteProtocolError(f"sent piece {block.piece}, which nobody asked for")
        self.bytes_received += len(block.data)
        membership.brain.arrived(session.node, len(block.data), now)
        return membership.manifest.lengths[block.piece]

    def awaits(self, session: Session, swarm: bytes, piece: int) -> int | None:
        """How long the piece is, if this peer was asked for it and it is still of interest; else None."""
        membership = None if session.ended_because else self._shared(session, swarm)
        expected = membership is not None and membership.brain.expects(session.node, piece)
        return membership.manifest.lengths[piece] if membership is not None and expected else None

    async def on_piece(self, session: Session, swarm: bytes, piece: int, data: memoryview, now: float) -> None:
        """A whole piece: verify and keep it in the background, unless too much waits for that already."""
        membership = self.memberships.get(swarm)
        if membership is not None and not session.ended_because:
            self._passed(membership, len(data), now)
            await self._intake.take(membership, session.node, SOURCES[session.tier], piece, data, now)

    # -- what leaves --------------------------------------------------------------------------------------------

    async def next_upload(self, session: Session) -> Upload | None:
        """The next piece owed to this peer, read and verified; None when nothing is, or it is not its turn."""
        node = session.node
        while (owed := self.uploads.next(node, trio.current_time())) is not None:
            membership = self.memberships.get(owed.swarm)
            if not self.caps.may_send(session.tier):
                if membership is not None:
                    self._reject(membership, node, owed.piece, "busy")
                continue
            try:
                data = await self._content.read_piece(owed.swarm, owed.piece)
            except StorageError:
                if membership is not None:
                    self._reject(membership, node, owed.piece, "busy")
                continue
            if data is not None and membership is not None:
                return owed.swarm, owed.piece, data
            if membership is not None:
                now = trio.current_time()
                membership.brain.lose(owed.piece, now)
                self._reject(membership, node, owed.piece, "gone")
                self.settle(membership, now)
        now = trio.current_time()
        self._take_turns(now)
        if self.uploads.next_timer(now) < self._timer_at:
            self._retime.set()
        return None

    def _take_turns(self, now: float) -> None:
        """Wake those to whom the next pieces go."""
        for peer in self.uploads.turns(now):
            session = self.neighbours.sessions.get(peer)
            if session is not None:
                session.wake()

    def uploaded(self, session: Session, swarm: bytes, piece: int, now: float) -> bool:
        """A whole piece left; may there be another to send to this peer?"""
        membership = self.memberships.get(swarm)
        if membership is None:
            return True
        length = membership.manifest.lengths[piece]
        self.uploads.sent(session.node, length, now)
        self._take_turns(now)
        self.bytes_sent += length
        self._passed(membership, length, now)
        membership.brain.sent(session.node, piece, now)
        self.settle(membership, now)
        return self.uploads.owes(session.node)

    def _passed(self, membership: Membership, count: int, now: float) -> None:
        """Bytes of a whole piece came or left: how late may what follows be seen?"""
        if self._patience.passed(membership.swarm, count, now) and self._world.coalesce is not None:
            self._world.coalesce(self._patience.late_s(membership.swarm, membership.brain.share, now))

    def not_read(self, session: Session) -> None:
        """It is our cap that keeps this peer silent."""
        for swarm in session.joined:
            membership = self._shared(session, swarm)
            if membership is not None:
                membership.brain.not_read(session.node, trio.current_time())

    def hold_back(self, because: str) -> None:
        """Ask only LAN peers while there is a reason to; '' ends that."""
        self._held_back, now = because, trio.current_time()
        for membership in self.memberships.values():
            membership.brain.hold_back(because, now)
            self.settle(membership, now)

    # -- deeds --------------------------------------------------------------------------------------------------

    def settle(self, membership: Membership, now: float) -> None:
        """Do what the brain wants, and see to its timer."""
        brain = membership.brain
        while (action := brain.next_action()) is not None:
            self._do(membership, action, now)
        if brain.next_timer() < self._timer_at:
            self._retime.set()

    def _do(self, membership: Membership, action: Action, now: float) -> None:
        match action:
            case Send(peer=peer, message=message):
                self._send(membership, peer, message)
            case Serve(peer=peer, piece=piece, lacks=lacks):
                self._serve(membership, peer, piece, lacks, now)
            case Withdraw(peer=peer, piece=piece):
                self.uploads.withdraw(peer, membership.swarm, piece)
                self._take_turns(now)
            case Fetch(piece=piece):
                self.spawn(self._intake.fetch, membership, piece)
            case Drop(peer=peer, reason=reason):
                self.neighbours.ban(peer, reason)
            case Complete():
                membership.completed.set()
                self.neighbours.wake()

    def _send(self, membership: Membership, peer: str, message: AnyMessage) -> None:
        session = self.neighbours.sessions.get(peer)
        if session is not None and session.connection.joined(membership.swarm):
            session.send(session.connection.about(membership.swarm, message))

    def _reject(self, membership: Membership, peer: str, piece: int, reason: str) -> None:
        self._send(membership, peer, Reject(0, piece, reason))

    def _serve(self, membership: Membership, peer: str, piece: int, lacks: float, now: float) -> None:
        session = self.neighbours.sessions.get(peer)
        if session is None:
            return
        if not self.caps.may_send(session.tier):
            self._reject(membership, peer, piece, "busy")
            return
        owed = Owed(membership.swarm, piece, membership.manifest.lengths[piece], lacks)
        refused = self.uploads.add(peer, owed, now)
        if refused is not None:
            self._refuse(*refused)
        session.wake()

    def _refuse(self, peer: str, owed: Owed) -> None:
        membership = self.memberships.get(owed.swarm)
        if membership is not None:
            self._reject(membership, peer, owed.piece, "busy")

    def _spread(self, swarm: bytes) -> list[int]:
        return self.memberships[swarm].brain.spread

    async def _keep_time(self) -> None:
        """Call each brain's timer when it has come, and let another upload begin where one is stuck."""
        while True:
            uploads_at = self.uploads.next_timer(trio.current_time())
            brains = (one.brain.next_timer() for one in self.memberships.values())
            self._timer_at = min((uploads_at, *brains))
            with trio.move_on_at(self._timer_at):
                await self._retime.wait()
            self._retime = trio.Event()
            now = trio.current_time()
            for membership in list(self.memberships.values()):
                if membership.brain.next_timer() <= now:
                    membership.brain.handle_timer(now)
                    self.settle(membership, now)
            if uploads_at <= now:
                self._take_turns(now)
