"""Connections: who is connected, who could be, who may not be. Listens, dials, and keeps one connection a node."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import trio

from p2pd.policy.dialing import Candidate, Connected, choose_dials, keeps_new_connection
from p2pd.policy.receiving import REFUSAL_WORK, Doorstep
from p2pd.policy.sources import Tier, tier_of
from p2pd.swarm.directory import Directory
from p2pd.wire.announce import PeerInfo
from p2pd.wire.connection import Event
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.messages import Hello
from p2pd.world import World
from p2pd.world.network import Stream

from .membership import Membership
from .session import Owner, Session

CONNECTIONS_MAX: Final = 512
HANDSHAKES_MAX: Final = 64
"""Of those who dialled us and have not said Hello yet; one more ends the oldest. At the pace of the doorstep each has
most of a second: enough for whoever is honest."""
REACH_S_MAX: Final = 2.0
DETOUR_S_MAX: Final = 10.0
"""A dial that fails, and two letters."""
PRUNE_S: Final = 30.0
"""A connection over which neither side can learn anything more is closed after this."""


class Host(Owner, Protocol):
    """What the neighbours need of the exchange, besides what a session needs of it."""

    memberships: dict[bytes, Membership]

    def hello(self) -> Hello:
        """What we say first."""
        ...

    def meet(self, session: Session) -> None:
        """A new connection."""
        ...

    def introduce(self, session: Session, membership: Membership) -> None:
        """Tell a peer that we are in this swarm."""
        ...

    def part(self, session: Session) -> None:
        """A connection ended."""
        ...

    def exhausted(self, node: str, session: Session) -> bool:
        """Neither side can learn anything more."""
        ...

    def spawn(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Run a task that ends with the exchange."""
        ...


class Neighbours:
    """The table of sessions (`sessions`, by node). `advertised`: where others may dial us, '' for as bound."""

    def __init__(self, world: World, exchange: Host) -> None:
        self._world, self._exchange = world, exchange
        self._directory = Directory(world.rng)
        self.sessions: dict[str, Session] = {}
        self.advertised = ""
        self._nearby: frozenset[str] = frozenset()
        self.detour: Callable[[str], Awaitable[Stream]] | None = None
        """The way to nodes that can't be dialled."""
        self._dialling: dict[str, Tier] = {}
        self._reached: dict[str, trio.Event] = {}
        """Set when a node that is waited for is connected, or can't be."""
        self._handshakes: dict[Session, trio.CancelScope] = {}
        self._changed = trio.Event()

    # -- who could be -------------------------------------------------------------------------------------------

    def suggest(self, swarm: bytes, peers: Sequence[PeerInfo]) -> None:
        """The tracker (or the LAN) says that these are in the swarm."""
        own = self._exchange.hello()
        self._directory.suggest(
            swarm,
            (
                Candidate(
                    peer.node,
                    peer.address,
                    self.tier(peer.node, role=peer.role, region=peer.region),
                    peer.complete,
                    peer.webrtc,
                )
                for peer in peers
                if (peer.address or (peer.webrtc and self.detour)) and peer.node != own.node
            ),
        )
        self._introduce_connected(swarm)
        self.wake()

    def tier(self, node: str, *, role: str, region: str) -> Tier:
        """How dear a byte from this node is."""
        own_region = self._exchange.hello().region
        return tier_of(role=role, region=region, own_region=own_region, nearby=node in self._nearby)

    @property
    def nearby(self) -> frozenset[str]:
        """Nodes heard on our LAN."""
        return self._nearby

    @nearby.setter
    def nearby(self, nodes: frozenset[str]) -> None:
        self._nearby = nodes
        for session in self.sessions.values():
            self._place(session)

    def _place(self, session: Session) -> None:
        remote = session.remote
        session.tier = self.tier(remote.node, role=remote.role, region=remote.region)

    def _introduce_connected(self, swarm: bytes) -> None:
        membership = self._exchange.memberships.get(swarm)
        if membership is None or membership.brain.complete:
            return
        for node in self._directory.names(swarm):
            session = self.sessions.get(node)
            if session is not None:
                self._exchange.introduce(session, membership)

    def wants(self, node: str, swarm: bytes) -> bool:
        """Was this node named to us as being in this swarm?"""
        return node in self._directory.names(swarm)

    def forget_swarm(self, swarm: bytes) -> None:
        """We left it."""
        self._directory.forget_swarm(swarm)

    def ban(self, node: str, reason: str) -> None:
        """Never speak to this node for an hour."""
        self._directory.ban(node, trio.current_time(), reason)
        session = self.sessions.get(node)
        if session is not None:
            session.end(reason)

    @property
    def banned(self) -> Mapping[str, tuple[float, str]]:
        """Nodes never to be spoken to: until when, and why."""
        return self._directory.banned

    @property
    def half_open(self) -> int:
        """Connections of those who dialled us and have not said Hello yet."""
        return len(self._handshakes)

    def wake(self) -> None:
        """Something changed: see again whom to dial."""
        self._changed.set()

    # -- listening ----------------------------------------------------------------------------------------------

    async def listen(self, address: str, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Accept connections until cancelled; started with the address as bound."""
        listener = await self._world.network.listen(address)
        try:
            async with trio.open_nursery() as nursery:
                task_status.started(listener.address)
                doorstep = Doorstep(trio.current_time())
                while True:
                    stream = await listener.accept()
                    nursery.start_soon(self._converse, stream, False)
                    work = REFUSAL_WORK if len(self.sessions) >= CONNECTIONS_MAX else 1.0
                    if rest_s := doorstep.spend(trio.current_time(), work):
                        await trio.sleep(rest_s)
        finally:
            await listener.aclose()

    # -- dialling -----------------------------------------------------------------------------------------------

    async def dial_on(self) -> None:
        """Dial whom the rule names, whenever something changed or a pause is over."""
        async with trio.open_nursery() as nursery:
            while True:
                next_look = self._dial_due(nursery)
                self._changed = trio.Event()
                with trio.move_on_at(next_look):
                    await self._changed.wait()
                await trio.sleep(0.01)  # let a burst of changes come together

    def _dial_due(self, nursery: trio.Nursery) -> float:
        """Start the dials that are due; when to look again."""
        now = trio.current_time()
        next_look = now + PRUNE_S if self._prune() else float("inf")
        for swarm, membership in self._exchange.memberships.items():
            if membership.brain.complete:
                continue
            due, pause_ends = self._directory.due(swarm, now, self.sessions.keys() | self._dialling.keys())
            next_look = min(next_look, pause_ends)
            joined = [session for session in self.sessions.values() if swarm in session.joined]
            dialled = Counter(session.tier for session in joined if session.dialled)
            accepted = Counter(session.tier for session in joined if not session.dialled)
            dialled += Counter(
                tier for node, tier in self._dialling.items() if self.wants(node, swarm) and node not in self.sessions
            )
            circles = membership.brain.circles
            for candidate in choose_dials(
                due,
                neighbours={tier: Connected(dialled[tier], accepted[tier]) for tier in Tier},
                rng=self._world.rng,
                allies=circles.allies,
                importing=circles.importing,
            ):
                self._dialling[candidate.node] = candidate.tier
                nursery.start_soon(self._dial, candidate)
        return next_look

    def _prune(self) -> bool:
        """End connections that no longer serve anybody; True while there are any to watch."""
        now = trio.current_time()
        for node, session in self.sessions.items():
            if now - session.useful_at > PRUNE_S and self._exchange.exhausted(node, session):
                session.end("nothing more to exchange")
        return bool(self.sessions)

    async def _dial(self, candidate: Candidate) -> None:
        node, well = candidate.node, False
        try:
            well = await self._converse(await self._way_to(candidate), True)
        except OSError:
            pass  # nobody is there: tried again after a pause
        finally:
            self._directory.ended(node, trio.current_time(), well=well)
            self._dialling.pop(node, None)
            self.wake()

    async def _way_to(self, candidate: Candidate) -> Stream:
        """A stream to them; OSError when neither of the ways works."""
        try:
            if candidate.address:
                return await self._world.network.dial(candidate.address)
        except OSError:
            if not candidate.webrtc or self.detour is None:
                raise
        if self.detour is None:
            raise OSError(f"{candidate.node} can't be dialled")
        return await self.detour(candidate.node)

    async def take_in(self, stream: Stream) -> None:
        """Somebody came by the other way."""
        await self._converse(stream, False)

    async def reach(self, peer: PeerInfo) -> Session | None:
        """A session with this peer, dialling if need be; None when it does not answer soon."""
        if peer.node not in self.sessions:
            settled = self._reached.get(peer.node)
            if settled is None:
                settled = self._reached[peer.node] = trio.Event()
                self._exchange.spawn(self._dial_once, peer, settled)
            with trio.move_on_after(DETOUR_S_MAX if peer.webrtc and self.detour else REACH_S_MAX):
                await settled.wait()
        return self.sessions.get(peer.node)

    async def _dial_once(self, peer: PeerInfo, settled: trio.Event) -> None:
        tier = self.tier(peer.node, role=peer.role, region=peer.region)
        candidate = Candidate(peer.node, peer.address, tier, peer.complete, peer.webrtc)
        try:
            await self._converse(await self._way_to(candidate), True)
        except OSError:
            pass  # who waits for it is told None
        finally:
            settled.set()
            if self._reached.get(peer.node) is settled:
                del self._reached[peer.node]

    # -- a connection's life ------------------------------------------------------------------------------------

    async def _converse(self, stream: Stream, dialled: bool) -> bool:
        """From handshake to end; True if there was a conversation, and they kept to the rules."""
        session = Session(stream, self._exchange.hello(), self._exchange, dialled=dialled)
        try:
            # Those whom we dial are few and chosen: a flood of those who dial us must not keep us from them.
            if not dialled and len(self.sessions) >= CONNECTIONS_MAX:
                return False
            pending = await self._shake_hands(session)
            if pending is None or not self._admit(session):
                return False
            try:
                self._exchange.meet(session)
                await session.run(pending)
            finally:
                self._dismiss(session)
            return not session.broke_rules
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
                await stream.aclose()

    async def _shake_hands(self, session: Session) -> list[Event] | None:
        """What they said with their Hello; None when it did not come to that."""
        with trio.CancelScope() as scope:
            if not session.dialled:
                if len(self._handshakes) >= HANDSHAKES_MAX:
                    self._handshakes.pop(next(iter(self._handshakes))).cancel()
                self._handshakes[session] = scope
            try:
                return await session.handshake()
            except (RemoteProtocolError, trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError):
                return None
            finally:
                self._handshakes.pop(session, None)
        return None

    def _admit(self, session: Session) -> bool:
        node, own = session.node, self._exchange.hello().node
        if node == own or self._directory.is_banned(node, trio.current_time()):
            return False
        old = self.sessions.get(node)
        if old is not None:
            keeps_new = keeps_new_connection(
                own_node=own, other_node=node, we_dialled_new=session.dialled, we_dialled_old=old.dialled
            )
            if not keeps_new:
                return False
            self._dismiss(old)
            old.end("replaced by a newer connection")
        self._place(session)
        self.sessions[node] = session
        if (settled := self._reached.pop(node, None)) is not None:
            settled.set()
        return True

    def _dismiss(self, session: Session) -> None:
        if self.sessions.get(session.node) is session:
            del self.sessions[session.node]
            self._exchange.part(session)
            self.wake()
