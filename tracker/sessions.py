"""The tracker's connections: a task each reads, the brain decides, what follows is sent. This body makes no choices."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from math import inf
from typing import Final, NoReturn

import trio

from manifests.errors import SigningError
from p2pd.joining import Authority
from p2pd.tracker_link import RefusedError
from p2pd.tracker_stream import ConnectionEndedError, TrackerStream
from p2pd.wire.announce import (
    TEXT_CHARS_MAX,
    AnyTrackerMessage,
    Certified,
    Done,
    Goal,
    Refused,
    TrackerMessage,
)
from p2pd.wire.codec import encode
from p2pd.wire.errors import RemoteProtocolError
from p2pd.world import World
from p2pd.world.network import Stream

from .allowance import Allowance, work_of
from .audit import to_document
from .ca.administering import administer
from .ca.local import LocalAuthority
from .connection import Connection
from .deeds import Administer, AskAuthority, Close, Commit, CommitPauses, Deed, Note, ReadAudit, Send
from .director import Director
from .display import clean
from .errors import RefusalError, StoreError
from .permissions import COMMANDS, Command
from .store import Store
from .tracker import Tracker

LINGER_S: Final = 2.0
"""How long a connection that we end may take to read why."""
CLOSE_TIMEOUT_S: Final = 1.0
RENEW_LOOK_S: Final = 600.0
"""How often to look for goals whose signatures grow old."""
STUCK_S: Final = 30.0
"""Whoever takes nothing for so long while something waits for them is gone, or might as well be."""
log = logging.getLogger(__name__)


class Sessions:
    """All connections. `serve` is the life of one; `perform` carries out what the brain decided.

    `tasks`: where what nobody asked for is sent (a push, a farewell).
    """

    def __init__(
        self,
        tracker: Tracker,
        world: World,
        store: Store,
        director: Director | None = None,
        authority: Authority | None = None,
    ) -> None:
        self._authority = authority
        self._tracker = tracker
        self._world = world
        self._store = store
        self._director = director
        self._connections: dict[int, Connection] = {}
        self._numbers = count(1)
        self._commands = trio.Lock()
        self._encoded: tuple[TrackerMessage | None, bytes] = (None, b"")
        self.tasks: trio.Nursery | None = None

    def __repr__(self) -> str:
        return f"<Sessions {len(self._connections)}>"

    async def serve(self, stream: Stream) -> None:
        """One connection, from its handshake to its end."""
        try:
            await stream.handshake()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            log.debug("%s: %s", stream.remote_address, error)
            await stream.aclose()
            return
        with trio.CancelScope() as scope:
            connection = Connection(next(self._numbers), TrackerStream(stream), scope)
            self._connections[connection.number] = connection
            try:
                await self._converse(connection)
            finally:
                del self._connections[connection.number]
                self._tracker.closed(connection.number, trio.current_time())
                with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
                    await connection.stream.aclose()

    def perform(self, deeds: Iterable[Deed], flusher: Connection | None = None) -> None:
        """Send and close; a connection whose outbox is full is dropped. (Commits are `_obey`'s.)

        `flusher`: whose own task sends what is put into its outbox.
        """
        for deed in deeds:
            connection = self._connections.get(deed.session)
            if connection is None:
                continue
            if isinstance(deed, Send):
                self._send(connection, deed.message)
            elif isinstance(deed, Close):
                log.info("%s: %s", connection.stream.remote_address, deed.error)
                connection.outbox.close(encode(Refused(0, deed.error)))
                connection.scope.deadline = min(connection.scope.deadline, trio.current_time() + LINGER_S)
            if connection is not flusher and connection.wants_flush and self.tasks is not None:
                connection.flushing = True
                self.tasks.start_soon(connection.flush)

    def drop_stuck(self) -> None:
        """End the connections whose other end has stopped reading. One look at all, rather than a timer for each."""
        before = trio.current_time() - STUCK_S
        for connection in self._connections.values():
            if connection.sending_since < before:
                self._drop(connection)

    async def _converse(self, connection: Connection) -> None:
        """Hear until nothing more comes; what was heard together is answered together."""
        stream, now = connection.stream, trio.current_time()
        greeting = self._tracker.connected(connection.number, stream.identity, stream.remote_address, now)
        self.perform(greeting, connection)
        allowance = Allowance(now)
        while True:
            if connection.wants_flush and (connection.owes_much or not stream.has_more):
                await connection.flush()
            try:
                message = await stream.receive()
            except ConnectionEndedError:
                return
            except RemoteProtocolError as error:
                self._tracker.closed(connection.number, trio.current_time())
                self.perform([Close(connection.number, str(error))], connection)
                if connection.wants_flush:
                    await connection.flush()
                await trio.sleep_forever()  # the last words, or patience for them, end it
            await self._hear(connection, message)
            rest_s = allowance.spend(work_of(message), trio.current_time())
            if rest_s:
                if connection.wants_flush:
                    await connection.flush()
                await trio.sleep(rest_s)

    async def _hear(self, connection: Connection, message: AnyTrackerMessage) -> None:
        if isinstance(message, COMMANDS):
            async with self._commands:  # a command's revision follows the one before it
                await self._obey(connection, message)
        else:
            deeds = self._decide(connection, message)
            self.perform(deeds, connection)
            for deed in deeds:
                if isinstance(deed, ReadAudit):
                    await self._read_audit(deed)
                elif isinstance(deed, AskAuthority):
                    await self._certify(deed)

    async def _certify(self, deed: AskAuthority) -> None:
        number = deed.message.number
        try:
            if self._authority is None:
                raise RefusedError("this tracker knows no authority: set ca_directory where `p2p-tracker ca init` was")
            chain = await self._authority.certify(deed.message)
        except RefusedError as error:
            log.info("no certificate: %s", error)
            self.perform([Send(deed.session, Refused(number, str(error)))])
        except OSError as error:  # not for good: number 0 says that the request itself was not judged
            log.warning("no certificate just now: %s", error)
            self.perform([Send(deed.session, Refused(0, f"the authority does not answer: {error}"))])
        else:
            self.perform([Send(deed.session, Certified(number, chain))])

    async def _read_audit(self, deed: ReadAudit) -> None:
        try:
            records = await self._world.run_blocking(self._store.audit, deed.after, deed.count)
        except StoreError as error:
            self.perform([Send(deed.session, Refused(deed.number, str(error)))])
        else:
            self.perform([Send(deed.session, Done(deed.number, {"records": [to_document(one) for one in records]}))])

    def _decide(self, connection: Connection, message: AnyTrackerMessage) -> list[Deed]:
        return self._tracker.receive(connection.number, message, trio.current_time(), self._world.utc_now())

    async def _obey(self, connection: Connection, message: Command) -> None:
        """A command; begun is done, even if its connection ends meanwhile."""
        for deed in self._decide(connection, message):
            with trio.CancelScope(shield=True):
                if isinstance(deed, Commit):
                    await self._commit(deed)
                elif isinstance(deed, CommitPauses):
                    await self._commit_pauses(deed)
                elif isinstance(deed, Administer):
                    await self._administer(deed)
                elif isinstance(deed, Note):
                    await self._note(deed)
                else:
                    self.perform([deed])

    async def _commit_pauses(self, deed: CommitPauses) -> None:
        try:
            await self._world.run_blocking(self._store.pause, deed.pauses, deed.record)
        except StoreError as error:
            log.error("not paused or resumed: %s", error)
            self.perform([Send(deed.session, Refused(deed.number, f"not stored, so nothing changed: {error}"))])
            return
        log.info("revision %d: %s of %s in %s, by %s", deed.pauses.revision, deed.record.action,
                 deed.record.service or "every service", deed.record.scope, clean(deed.record.who))  # fmt: skip
        self.perform(self._tracker.paused(deed.pauses, trio.current_time()))
        self.perform([Send(deed.session, Done(deed.number, deed.result))])

    async def _administer(self, deed: Administer) -> None:
        record, number = deed.record, deed.command.number
        answer: Done | Refused
        try:
            if not isinstance(self._authority, LocalAuthority):
                raise RefusalError("the fleet's authority is not at this tracker: ask the one with ca_directory")
            now = self._world.utc_now()
            answer = Done(number, await self._world.run_blocking(administer, self._authority.desk, deed.command, now))
            what, who = clean(record.service or record.after), clean(record.who)
            log.info("%s: %s %s, by %s", record.action, what, clean(record.scope), who)
        except (RefusalError, StoreError) as error:
            answer, record = Refused(number, str(error)), replace(record, refused=str(error)[:TEXT_CHARS_MAX])
        await self._note(Note(deed.session, record))
        self.perform([Send(deed.session, answer)])

    async def _note(self, deed: Note) -> None:
        """What is refused is refused, and what the authority did is done, whether that can be written down or not."""
        record = deed.record
        if record.refused:
            said = (clean(text, TEXT_CHARS_MAX) for text in (record.who, record.where, record.action, record.refused))
            log.warning("refused to %s (%s): %s: %s", *said)
        try:
            await self._world.run_blocking(self._store.note, record)
        except StoreError as error:
            log.error("%s by %s is not in the audit: %s", record.action, record.who, error)

    async def _commit(self, deed: Commit) -> None:
        try:
            (goal,) = await self._signed((deed.goal,))
            await self._world.run_blocking(self._store.append, goal, deed.record)
        except (StoreError, SigningError) as error:
            log.error("not deployed: %s", error)
            self.perform([Send(deed.session, Refused(deed.number, f"not stored, so not deployed: {error}"))])
            return
        log.info("revision %d: %s in %s should run %s, by %s", goal.revision, goal.service,
                 goal.scope, goal.release or "nothing", clean(goal.by) or "somebody")  # fmt: skip
        self.perform(self._tracker.committed(goal, trio.current_time()))
        self.perform([Send(deed.session, Done(deed.number, deed.result))])

    async def keep_signed(self) -> NoReturn:
        """Sign goals anew before they expire, and those that were set before there was a director. Until cancelled."""
        while True:
            await self._renew_signatures()
            await trio.sleep(RENEW_LOOK_S)

    async def _renew_signatures(self) -> None:
        half_life_s = self._director.life_s / 2 if self._director else -inf
        async with self._commands:
            due = self._tracker.goals.expiring(self._world.utc_now() + half_life_s)
            if not due:
                return
            try:
                signed = await self._signed(due)
                await self._world.run_blocking(self._store.renew, signed)
            except (StoreError, SigningError) as error:
                log.error("%d goals are not signed anew: %s", len(due), error)
                return
            for goal in signed:
                self.perform(self._tracker.committed(goal, trio.current_time()))

    async def _signed(self, goals: Sequence[Goal]) -> Sequence[Goal]:
        if self._director is None:
            return goals
        return await self._world.run_blocking(self._director.sign, goals, self._world.utc_now())

    def _send(self, connection: Connection, message: TrackerMessage) -> None:
        if self._encoded[0] is not message:
            self._encoded = (message, encode(message))
        if not connection.outbox.put(self._encoded[1]):
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        log.warning("%s reads too slowly and is dropped", connection.stream.remote_address)
        self._tracker.closed(connection.number, trio.current_time())
        connection.scope.cancel()
