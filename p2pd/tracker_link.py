"""One lasting connection to the first tracker that answers.

Addresses are tried in order of preference; when all failed, a pause by full jitter. Who is with a tracker that is not
the first looks now and then whether that one is back, and then goes home: until all of a region are, those at home and
those away know nothing of each other.
"""

from collections.abc import Awaitable, Callable
from math import inf
from random import Random
from typing import Final, NoReturn

import trio

from .policy.backoff import Backoff, jittered
from .tracker_stream import TrackerStream
from .wire.announce import Announce, AnyTrackerMessage, Refused, Register, TrackerMessage
from .wire.errors import RemoteProtocolError
from .world.network import Network

DIAL_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 15.0
"""A tracker that was asked and says nothing for so long is gone, whatever the transport believes."""
CLOSE_TIMEOUT_S: Final = 1.0
STEADY_S: Final = 10.0
"""A connection that held so long was a success; shorter ones make the next pause longer."""
HOMECOMING_S: Final = 20.0
"""How often to look whether our first choice is back. (Simulated: a region whose seeder stayed away for 300 s after its
tracker was gone for 5 s had nothing to fetch from for as long.)"""


class RefusedError(Exception):
    """The tracker does not take us, or did not do what was asked; the message is its reason."""


class Conversation:
    """A registered connection, with a watch on whether questions are answered."""

    def __init__(self, stream: TrackerStream, watchdog: trio.CancelScope, heard: Callable[[], None]) -> None:
        self._stream = stream
        self._watchdog = watchdog
        self._heard = heard

    async def ask(self, *messages: TrackerMessage) -> None:
        """Send messages of which the last is answered."""
        self._watchdog.deadline = min(self._watchdog.deadline, trio.current_time() + ANSWER_TIMEOUT_S)
        await self._stream.send(*messages)

    async def tell(self, *messages: TrackerMessage) -> None:
        """Send messages that are not answered."""
        await self._stream.send(*messages)

    async def hear(self) -> AnyTrackerMessage:
        """The next message; RefusedError when the tracker refuses us."""
        message = await self._stream.receive()
        if isinstance(message, Refused):
            raise RefusedError(message.error)
        self._watchdog.deadline = inf
        self._heard()
        return message


class TrackerLink:
    """Keeps the connection. `talk` is called with each new conversation and goes on until that fails.

    `connected`, `address`, `since` (seconds of trio's clock) and `last_error` tell how it stands.
    """

    def __init__(
        self,
        network: Network,
        addresses: tuple[str, ...],
        register: Register,
        rng: Random,
        talk: Callable[[Conversation], Awaitable[None]],
    ) -> None:
        self.connected = False
        self.address = ""
        self.since = -inf
        self.last_error = ""
        self._network = network
        self._addresses = addresses
        self._register = register
        self._rng = rng
        self._talk = talk
        self._backoff = Backoff(rng)

    def __repr__(self) -> str:
        where = f"connected to {self.address}" if self.connected else f"not connected: {self.last_error or 'not yet'}"
        return f"<TrackerLink {where}>"

    async def run(self) -> NoReturn:
        """Connect, talk, and begin again, until cancelled."""
        while True:
            for address in self._addresses:
                await self._visit(address)
                if self._end():
                    break
            await trio.sleep(self._backoff.failed())

    async def _visit(self, address: str) -> None:
        """One connection from its dial to its end; an error becomes `last_error`."""
        self.address = address
        try:
            with trio.fail_after(DIAL_TIMEOUT_S):
                stream = TrackerStream(await self._network.dial(address))
            try:
                await self._converse(stream)
            finally:
                with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
                    await stream.aclose()
        except* trio.TooSlowError:
            self.last_error = f"{address} does not answer"
        except* (OSError, RemoteProtocolError, RefusedError) as group:
            self.last_error = f"{address}: {_first(group)}"

    async def _converse(self, stream: TrackerStream) -> None:
        with trio.CancelScope() as watchdog:
            async with trio.open_nursery() as nursery:
                if self.address != self._addresses[0]:
                    nursery.start_soon(self._look_home, nursery.cancel_scope)
                conversation = Conversation(stream, watchdog, self._begin)
                await conversation.tell(self._register)
                await self._talk(conversation)
        if watchdog.cancelled_caught:
            raise trio.TooSlowError

    async def _look_home(self, away: trio.CancelScope) -> None:
        """End the stay when our first choice answers again."""
        while True:
            await trio.sleep(jittered(HOMECOMING_S, self._rng))
            if await self._is_home_well():
                away.cancel()

    async def _is_home_well(self) -> bool:
        with trio.move_on_after(DIAL_TIMEOUT_S):
            try:
                stream = TrackerStream(await self._network.dial(self._addresses[0]))
                try:
                    await stream.send(self._register, Announce(()))
                    return not isinstance(await stream.receive(), Refused)
                finally:
                    with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
                        await stream.aclose()
            except (OSError, RemoteProtocolError):
                pass
        return False

    def _begin(self) -> None:
        if not self.connected:
            self.connected = True
            self.since = trio.current_time()

    def _end(self) -> bool:
        """Whether we had been connected."""
        was_connected, self.connected = self.connected, False
        if was_connected:
            if trio.current_time() - self.since >= STEADY_S:
                self._backoff.succeeded()
            self.since = trio.current_time()
        return was_connected


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
