"""The node's side of the tracker: tells it what we have and how we do, and hears of peers, origin shields and goals.

Used by the daemon and the seeder. What is heard goes to one callback, which decides and returns at once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from math import inf
from random import Random
from typing import Final, NoReturn

import msgspec
import trio

from .policy.announcing import AnnouncePace, fitting, matters
from .tracker_link import Conversation, TrackerLink
from .wire.announce import (
    SERVICES_MAX,
    TEXT_CHARS_MAX,
    Announce,
    Goals,
    Handout,
    Register,
    Renewed,
    Report,
    Revoked,
    Seeders,
    SeedersRequest,
    ServiceReport,
    Signal,
    SwarmStatus,
    TrackerMessage,
    Watch,
)
from .wire.attestation import Challenge, Quote
from .world.network import Network

REPORTS_PER_MESSAGE: Final = 60
"""With every text of full length this still fits a control frame."""
LETTERS_MAX: Final = 32
"""Waiting to be sent; the oldest are dropped."""
REPORT_GAP_S: Final = 0.5
"""Reports are gathered for so long: progress moves all the time."""

Heard = Handout | Seeders | Goals | Revoked | Signal | Challenge


class Announcer:
    """Keeps one connection to the first tracker that answers.

    `heard` is called, in the announcer's task, with each message that is none of its own business. Until `watch` was
    called no goals are asked for. Each of `update`, `report` and `watch` returns at once and may be called at any time.
    `look`, if set, tells at each announce how far we are in our swarms by then.
    """

    def __init__(
        self,
        network: Network,
        addresses: tuple[str, ...],
        register: Register,
        rng: Random,
        heard: Callable[[Heard], None],
    ) -> None:
        self._link = TrackerLink(network, addresses, register, rng, self._talk)
        self._heard = heard
        self._pace = AnnouncePace(rng)
        self.look: Callable[[], Iterable[SwarmStatus]] | None = None
        self._swarms: tuple[SwarmStatus, ...] = ()
        self._services: tuple[str, ...] | None = None
        self._revision = 0
        self._seeders = 0
        self._knows_seeders = False
        self._goals_due = self._seeders_due = False
        self._asked_for: tuple[str, ...] | None = None
        self._reports: dict[str, ServiceReport] = {}
        self._unsent: dict[str, None] = {}
        self._reported_at = -inf
        self._letters: deque[Signal | Quote] = deque(maxlen=LETTERS_MAX)
        self._wake = trio.Event()

    def __repr__(self) -> str:
        return f"<Announcer of {len(self._swarms)} swarms, {self._link!r}>"

    @property
    def connected(self) -> bool:
        """Whether a tracker has answered on the present connection."""
        return self._link.connected

    @property
    def address(self) -> str:
        """The tracker that we talk to, or try to."""
        return self._link.address

    @property
    def since(self) -> float:
        """When it was last connected or lost; seconds of trio's clock, -inf if never."""
        return self._link.since

    @property
    def last_error(self) -> str:
        """Why the last attempt or connection ended; '' if none has."""
        return self._link.last_error

    def update(self, swarms: Iterable[SwarmStatus]) -> None:
        """How far we are in all our swarms; announced at once if others would act upon it, else when due."""
        before, self._swarms = self._swarms, fitting(tuple(swarms))
        if matters(before, self._swarms):
            self._pace.changed(trio.current_time())
            self._wake.set()

    def report(self, report: ServiceReport) -> None:
        """The newest word on one service; sent soon, and again after every reconnection."""
        self._reports[report.service] = msgspec.structs.replace(
            report, error=report.error[-TEXT_CHARS_MAX:], waits_for=report.waits_for[:TEXT_CHARS_MAX]
        )
        self._unsent[report.service] = None
        self._wake.set()

    def forget_report(self, service: str) -> None:
        """The service is no longer ours: its report is not repeated."""
        self._reports.pop(service, None)
        self._unsent.pop(service, None)

    def watch(self, services: Sequence[str]) -> None:
        """Ask for these services' goals, all known ones at first and then every change."""
        self._services = tuple(services)[:SERVICES_MAX]
        self._wake.set()

    def write(self, letter: Signal | Quote) -> None:
        """To another node of this tracker, or to it; sent at once, or lost with the connection."""
        self._letters.append(letter)
        self._wake.set()

    async def run(self) -> NoReturn:
        """Announce until cancelled."""
        await self._link.run()

    async def _talk(self, conversation: Conversation) -> None:
        self._pace.connected()
        self._unsent = dict.fromkeys(self._reports)
        self._asked_for = None
        self._seeders_due = True
        self._letters.clear()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, conversation)
            nursery.start_soon(self._speak, conversation)

    async def _listen(self, conversation: Conversation) -> None:
        while True:
            message = await conversation.hear()
            if isinstance(message, Renewed):
                self._renewed(message)
            elif isinstance(message, Heard):
                if isinstance(message, Goals):
                    self._revision = max(self._revision, message.revision)
                    if message.goals and not self._knows_seeders:  # who came before them was told of none
                        self._seeders_due = True
                        self._wake.set()
                elif isinstance(message, Seeders):
                    self._seeders, self._knows_seeders = message.version, bool(message.seeders)
                self._heard(message)

    def _renewed(self, message: Renewed) -> None:
        """A push is a hint, this is the truth: what the tracker knows and we don't is asked for."""
        self._pace.renewed(message.interval_s)
        self._goals_due |= message.revision > self._revision
        self._seeders_due |= message.seeders != self._seeders
        self._wake.set()

    async def _speak(self, conversation: Conversation) -> None:
        while True:
            now = trio.current_time()
            if questions := self._questions(now):
                await conversation.ask(*questions)
            while self._letters:
                await conversation.tell(self._letters.popleft())
            if reports := self._due_reports(now):
                await conversation.tell(Report(reports))
            await self._sleep_until(self._next_at())

    def _questions(self, now: float) -> list[TrackerMessage]:
        """What to ask now, and whether to announce."""
        questions: list[TrackerMessage] = []
        if self._services is not None and (self._goals_due or self._asked_for is not self._services):
            if self._asked_for is not self._services:
                self._asked_for, self._revision = self._services, 0
            questions.append(Watch(self._services, self._revision))
        if self._seeders_due:
            questions.append(SeedersRequest())
        self._goals_due = self._seeders_due = False
        if self._pace.due <= now:
            if self.look is not None:
                self._swarms = fitting(tuple(self.look()))
            self._pace.announced(now)
            questions.append(Announce(self._swarms))
        return questions

    def _due_reports(self, now: float) -> tuple[ServiceReport, ...]:
        if not self._unsent or now < self._reported_at + REPORT_GAP_S:
            return ()
        self._reported_at = now
        services = list(islice(self._unsent, REPORTS_PER_MESSAGE))
        for service in services:
            del self._unsent[service]
        return tuple(self._reports[service] for service in services)

    def _next_at(self) -> float:
        if self._services is not self._asked_for or self._goals_due or self._seeders_due:
            return trio.current_time()
        return min(self._pace.due, self._reported_at + REPORT_GAP_S) if self._unsent else self._pace.due

    async def _sleep_until(self, when: float) -> None:
        """Until then, or until something changed."""
        with trio.move_on_at(when):
            await self._wake.wait()
        self._wake = trio.Event()
