"""The tracker's brain: who is connected, what each said, and what follows from it. Never waits, is told the time.

connected(session, identity, address, now)  somebody dialled
receive(session, message, now, utc)         they said something: deeds
committed(goal, now)                        a goal is durable: deeds
paused(pauses, now)                         what is paused is durable: deeds
revoked(lists)                              certificates don't count any more: deeds
closed(session, now)                        they are gone
handle_timer(now)                           leases may have ended: deeds
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any, Final

import msgspec

from p2pd.policy.places import levels_shared, region_of
from p2pd.wire.announce import (
    GOALS_MAX,
    PEERS_MAX,
    SERVICES_MAX,
    Announce,
    AnyTrackerMessage,
    AuditRequest,
    Certify,
    Done,
    Goal,
    Handout,
    PeerInfo,
    Register,
    Renewed,
    Report,
    Revoked,
    Seeders,
    SeedersRequest,
    Signal,
    StatusRequest,
    SwarmStatus,
    Watch,
)
from p2pd.wire.announce import Goals as GoalsMessage
from p2pd.wire.attestation import Quote
from p2pd.world.network import Identity

from .attestation.doorkeeper import Doorkeeper
from .commanding import Commanding
from .config import TrackerConfig
from .deeds import AskAuthority, Close, Deed, ReadAudit, Send
from .errors import RefusalError
from .goals.goals import Goals
from .goals.pauses import Pauses
from .goals.watching import goals_messages, is_told, pauses_message
from .leases import Leases
from .permissions import COMMANDS, Commander, check_allowed, check_register, check_reports, commander_of
from .reports import Reports, Unsent
from .status import hosts_status, services_status, swarms_status
from .swarms.handout import Asker, choose, importing
from .swarms.interval import announce_interval_s
from .swarms.registry import SEEDER, Node, Registry, Swarm, is_complete

HANDSHAKE_S: Final = 10.0
"""Whoever dials says who it is within this."""
INTERVALS_PER_LEASE: Final = 3
"""A node may miss two announces."""


@dataclass(slots=True)
class Session:
    """One connection. `register` is None until it said who it is."""

    number: int
    identity: Identity
    address: str
    lease_s: float
    register: Register | None = None
    watch: Watch | None = None

    @property
    def commander(self) -> Commander:
        """Who they are, if they command. Only of one that said who it is."""
        assert self.register is not None
        return commander_of(self.register, self.identity, self.address)


class Tracker:
    """All that a tracker knows. Public: `goals`, `reports`, `registry`, `unsent`."""

    def __init__(self, config: TrackerConfig, goals: Goals, rng: Random, upstream_seen: float = -inf) -> None:
        self.config = config
        self.goals = goals
        self.registry = Registry(config.nodes_max, config.memberships_max)
        self.reports = Reports(config.reports_max)
        self.unsent = Unsent()
        self._rng = rng
        self._upstream_seen = upstream_seen
        self._revoked: tuple[bytes, ...] = ()
        self._sessions: dict[int, Session] = {}
        self._session_of: dict[str, int] = {}
        self._session_leases = Leases[int]()
        self._node_leases = Leases[str]()
        self._doorkeeper = Doorkeeper(config.attestation)
        self._commanding = Commanding(config, goals, self.reports, self._revision_ahead)

    def __repr__(self) -> str:
        return f"<Tracker of {self.config.region}: {len(self._sessions)} sessions, {self.registry!r}, {self.goals!r}>"

    def connected(self, number: int, identity: Identity, address: str, now: float) -> list[Deed]:
        """A new connection, numbered by the body."""
        if len(self._sessions) >= self.config.connections_max:
            return [Close(number, f"this tracker is full: {self.config.connections_max} connections; try another one")]
        self._sessions[number] = Session(number, identity, address, self.config.lease_s)
        self._session_leases.renew(number, now + HANDSHAKE_S)
        return []

    def receive(self, number: int, message: AnyTrackerMessage, now: float, utc: float) -> list[Deed]:
        """What follows from a message. A connection that was closed is not heard any more."""
        session = self._sessions.get(number)
        if session is None:
            return []
        if isinstance(message, Certify):
            self._session_leases.renew(number, now + session.lease_s)
            return [AskAuthority(number, message)]
        try:
            if session.register is None:
                return self._register(session, message, now)
            check_allowed(session.register.role, message)
            self._renew(session, session.register, now)
            if isinstance(message, COMMANDS):
                return self._commanding.obey(number, session.commander, message, utc)
            return list(self._answer(session, session.register, message, now))
        except RefusalError as error:
            noted = []
            if isinstance(message, COMMANDS) and session.register is not None:
                noted = self._commanding.refused(number, session.commander, message, str(error), utc)
            return [*noted, self._close(session, str(error), now)]

    def committed(self, goal: Goal, now: float) -> list[Deed]:
        """The goal is on disk: it counts, and everybody concerned is told."""
        if not self.goals.apply(goal):
            return []
        age_s = self.upstream_age_s(now)
        message = GoalsMessage(goal.revision, (goal,), age_s, self.goals.pauses.paused)
        deeds: list[Deed] = []
        for session in self._sessions.values():
            if session.watch is None or session.register is None or not is_told(session.register, session.watch, goal):
                continue
            may = self._may_have(session, goal, now)
            deeds += [Send(session.number, message)] if may else self._question(session, now)
        return deeds

    def paused(self, pauses: Pauses, now: float) -> list[Deed]:
        """A pause that began or ended is on disk: it counts, and everybody who watches goals is told."""
        if not self.goals.apply_pauses(pauses):
            return []
        message = pauses_message(self.goals, self.upstream_age_s(now))
        return [Send(session.number, message) for session in self._sessions.values() if session.watch is not None]

    def revoked(self, lists: tuple[bytes, ...]) -> list[Deed]:
        """These lists of revoked certificates are in force: whoever does not know them is told."""
        news = [Revoked(one) for one in lists if one not in self._revoked]
        self._revoked = lists
        listeners = [one for one in self._sessions.values() if one.register and one.register.role != "operator"]
        return [Send(session.number, message) for message in news for session in listeners]

    def closed(self, number: int, now: float) -> None:
        """The connection ended. Its node has a grace to come back before others stop being told of it."""
        session = self._sessions.pop(number, None)
        self._session_leases.release(number)
        self._doorkeeper.forget(number)
        if session is None or session.register is None:
            return
        node = session.register.node
        if self._session_of.get(node) == number:
            del self._session_of[node]
            self._node_leases.renew(node, now + self.config.grace_s)

    def handle_timer(self, now: float) -> list[Deed]:
        """End what was not renewed."""
        deeds: list[Deed] = []
        for number in self._session_leases.expire(now):
            session = self._sessions[number]
            heard_s = session.lease_s if session.register else HANDSHAKE_S
            deeds.append(self._close(session, f"nothing was heard for {heard_s:.0f} s", now))
        for node in self._node_leases.expire(now):
            self.registry.remove(node)
            for report in self.reports.expire(node):
                self._forward(report)
        return deeds

    def upstream_seen(self, now: float) -> None:
        """The global tracker has just been heard."""
        self._upstream_seen = now

    def upstream_age_s(self, now: float) -> float:
        """How old our copy of the goals may be; 0 at the global tracker."""
        return max(0.0, min(now - self._upstream_seen, 1e9)) if self.config.upstream else 0.0

    def repeat_reports(self) -> None:
        """A new connection upstream: all reports are to be told again."""
        for report in self.reports.hosts():
            self._forward(report)

    def status(self, request: StatusRequest, now: float) -> dict[str, Any]:
        """The answer to an operator, a plain value."""
        config = self.config
        answer: dict[str, Any] = {
            "tracker": {
                "node": config.name,
                "fleet": config.fleet,
                "region": config.region,
                "upstream": config.upstream,
                "upstream_age_s": round(self.upstream_age_s(now), 3),
                "revision": self.goals.revision,
                "connections": len(self._sessions),
                "nodes": len(self.registry),
                "reports": len(self.reports),
                "reports_dropped": self.reports.dropped,
            },
            "services": services_status(self.goals, self.reports, request.service),
            "paused": [msgspec.structs.asdict(one) for one in self.goals.pauses.paused],
        }
        if request.hosts:
            answer["hosts"], answer["hosts_left_out"] = hosts_status(self.reports, request.service)
        if request.swarms:
            answer["swarms"], answer["swarms_left_out"] = swarms_status(self.registry)
        return answer

    def _register(self, session: Session, message: AnyTrackerMessage, now: float) -> list[Deed]:
        if not isinstance(message, Register):
            raise RefusalError(f"the first message is Register, not {type(message).__name__}")
        check_register(message, session.identity, session.address, self.config)
        deeds: list[Deed] = []
        if message.role != "operator":
            if message.role != "tracker":
                url = message.http_url
                self.registry.register(
                    Node(message.node, message.address, message.region, message.role, url, message.webrtc)
                )
            former = self._sessions.get(self._session_of.get(message.node, -1))
            if former is not None:
                deeds.append(self._close(former, f"{message.node} registered anew from {session.address}", now))
            self._session_of[message.node] = session.number
            deeds += [Send(session.number, Revoked(one)) for one in self._revoked]
        session.register = message
        self._renew(session, message, now)
        return deeds

    def _renew(self, session: Session, register: Register, now: float) -> None:
        self._session_leases.renew(session.number, now + session.lease_s)
        if register.role != "operator":
            self._node_leases.renew(register.node, now + session.lease_s)

    def _close(self, session: Session, error: str, now: float) -> Close:
        self.closed(session.number, now)
        return Close(session.number, error)

    def _answer(self, session: Session, register: Register, message: AnyTrackerMessage, now: float) -> Iterator[Deed]:
        if isinstance(message, Announce):
            yield from self._announce(session, register, message, now)
        elif isinstance(message, SeedersRequest):
            yield Send(session.number, Seeders(self._seeders_for(register), self.registry.seeders_version))
        elif isinstance(message, Watch):
            session.watch = message
            withheld = False
            for part in goals_messages(self.goals, register, message, self.upstream_age_s(now)):
                let_through = tuple(goal for goal in part.goals if self._may_have(session, goal, now))
                withheld |= len(let_through) < len(part.goals)
                yield Send(session.number, msgspec.structs.replace(part, goals=let_through))
            if withheld:
                yield from self._question(session, now)
        elif isinstance(message, Quote):
            yield from self._quoted(session, message, now)
        elif isinstance(message, Signal):
            yield from self._hand_on(message, register.node)
        elif isinstance(message, Report):
            self._report(register, message)
        elif isinstance(message, StatusRequest):
            yield Send(session.number, Done(message.number, self.status(message, now)))
        elif isinstance(message, AuditRequest):
            yield ReadAudit(session.number, message.number, message.after, message.count)

    def _announce(self, session: Session, register: Register, announce: Announce, now: float) -> Iterator[Deed]:
        self.registry.announce(register.node, announce.swarms)
        interval_s = announce_interval_s(announce.swarms, len(self.registry), self.config.intervals)
        session.lease_s = max(self.config.lease_s, INTERVALS_PER_LEASE * interval_s)
        self._renew(session, register, now)
        for status in announce.swarms:
            if status.wanted:
                yield Send(session.number, self._handout(register, status))
        yield Send(session.number, Renewed(interval_s, self.goals.revision, self.registry.seeders_version))

    def _may_have(self, session: Session, goal: Goal, now: float) -> bool:
        """Regions' trackers have all, and ask their own hosts."""
        if session.register is not None and session.register.role == "tracker":
            return True
        return self._doorkeeper.lets_through(session.number, session.identity, goal, now)

    def _concerning(self, session: Session) -> list[Goal]:
        """Every goal in force that this node watches."""
        if session.register is None or session.watch is None:
            return []
        return self.goals.in_force(region_of(session.register.region), session.watch.services, -1)

    def _question(self, session: Session, now: float) -> list[Deed]:
        """To a node from which something in force is withheld: show what you run."""
        challenge = self._doorkeeper.question(session.number, session.identity, self._concerning(session), now)
        return [Send(session.number, challenge)] if challenge else []

    def _quoted(self, session: Session, quote: Quote, now: float) -> Iterator[Deed]:
        """What was withheld, as far as the answer does. An answer to no question (of an earlier connection) is none."""
        if not self._doorkeeper.answer(session.number, session.identity, quote.evidence, now):
            return
        concerning = self._concerning(session)
        let_through = [goal for goal in concerning if self._may_have(session, goal, now)]
        while let_through:
            part, let_through = let_through[:GOALS_MAX], let_through[GOALS_MAX:]
            age_s, paused = self.upstream_age_s(now), self.goals.pauses.paused
            yield Send(session.number, GoalsMessage(self.goals.revision, tuple(part), age_s, paused))
        yield from self._question(session, now)

    def _hand_on(self, letter: Signal, writer: str) -> Iterator[Deed]:
        addressee = self._sessions.get(self._session_of.get(letter.node, -1))
        if addressee is not None and addressee.register is not None and addressee.register.webrtc:
            yield Send(addressee.number, msgspec.structs.replace(letter, node=writer))

    def _handout(self, register: Register, status: SwarmStatus) -> Handout:
        swarm = self.registry.swarm(status.swarm)
        if swarm is None:
            return Handout(status.swarm, ())
        region, *inner = importing(swarm, register.region, self.config.copies_per_link)
        peers, holders = self._peers_for(swarm, register, status), swarm.holders_beside(register.node)
        return Handout(status.swarm, peers, region.importers, region.copies, holders, tuple(inner))

    def _peers_for(self, swarm: Swarm, register: Register, status: SwarmStatus) -> tuple[PeerInfo, ...]:
        asker = Asker(register.node, register.region, is_complete(status))
        named = choose(swarm, asker, status.wanted, self._rng)
        nodes = (node for node in map(self.registry.node, named) if node is not None)
        return tuple(
            node.as_complete if node.role == SEEDER or is_complete(swarm.progress[node.name]) else node.as_incomplete
            for node in nodes
        )

    def _seeders_for(self, register: Register) -> tuple[PeerInfo, ...]:
        seeders = [node for node in self.registry.seeders() if node.name != register.node]
        self._rng.shuffle(seeders)
        seeders.sort(key=lambda node: -levels_shared(node.region, register.region))
        return tuple(node.as_complete for node in seeders[:PEERS_MAX])

    def _report(self, register: Register, message: Report) -> None:
        check_reports(register, message)
        for report in message.reports:
            if register.role != "tracker":
                if self.reports.count_from(register.node) > SERVICES_MAX:
                    raise RefusalError(f"{register.node} reports on more than {SERVICES_MAX} services")
                report = msgspec.structs.replace(report, stale=False)
            if self.reports.put(report, register.node):
                self._forward(report)

    def _revision_ahead(self) -> int:
        return max((one.watch.revision for one in self._sessions.values() if one.watch), default=0)

    def _forward(self, report: Any) -> None:
        if self.config.upstream:
            self.unsent.put(report)
